"""Writes a frame by vaex: numbers, masks, text with missing values, times, categories, more dimensions.

    python make_vaex.py frame.hdf5

Run with vaex-core 4.19.0, vaex-hdf5 0.15.0 for frame.hdf5, and with vaex-core 4.16.1, vaex-hdf5 0.14.1 for frame_old.hdf5. Both are
compressed by gzip -9n.
"""
import sys

import numpy as np
import pyarrow as pa
import vaex

df = vaex.from_arrays(
    i=np.array([1, -2, 3], "i4"), big=np.array([1, 2, 3], ">i8"), f=np.array([0.5, np.nan, 1.5]), ok=np.array([True, False, True]),
    masked=np.ma.array([1, 2, 3], mask=[0, 1, 0]), text=pa.array(["a", None, "é"]), plain=np.array(["x", "", "zz"]),
    t=np.array(["2024-01-01", "NaT", "1969-12-31"], "M8[ns]"), d=np.array([1, 2, 3], "m8[s]").astype("m8[ns]"), nd=np.arange(6.0).reshape(3, 2),
    cat=pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["lo", "hi"])))
df.export_hdf5(sys.argv[1])
