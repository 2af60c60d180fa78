"""Writes compound datasets by h5py: numbers of both orders, text, booleans, enumerations, nested and padded members, no rows.

    python make_compound.py compound.h5    # beside this file; compressed by gzip -9n

Run with h5py 3.16.0 for compound.h5, and with h5py 3.8.0 for compound_old.h5.
"""
import os
import sys

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
text = h5py.string_dtype()
color = h5py.enum_dtype({"red": 0, "blue": 7}, "i2")
point = np.dtype([("x", "<f4"), ("y", ">f8")], align=True)
row = np.dtype([("n", ">i4"), ("ok", "?"), ("s", "S3"), ("größe", text), ("c", color), ("p", point), ("m", "<u2", (2, 2)), ("z", "<c8")], align=False)
rows = np.zeros(3, row)
rows["n"], rows["ok"], rows["s"], rows["größe"] = [1, -2, 3], [True, False, True], [b"a", b"", b"xyz"], ["é", "", "日本"]
rows["c"], rows["p"]["x"], rows["p"]["y"], rows["z"] = [0, 7, 7], [0.5, np.nan, -1], [1, 2, 3], [1 + 2j, 0, -1j]
rows["m"] = np.arange(12).reshape(3, 2, 2)
with h5py.File(os.path.join(here, sys.argv[1]), "w", libver="latest") as f:
    f["rows"] = rows
    f.create_dataset("chunked", data=rows, chunks=(2,), maxshape=(None,), compression="gzip", shuffle=True)
    f.create_dataset("none", (0,), point)
    f.create_dataset("one", data=rows[:1])
