"""Writes arrays beside each other in a group, and in a table, by PyTables.

    python make_pytables.py pytables_arrays.h5    # beside this file

Run with PyTables 3.11.1 for pytables_arrays.h5, and with PyTables 3.7.0 for pytables_arrays_old.h5, which is compressed by gzip -9n.
"""

import os
import sys

import numpy as np
import tables as tb

here = os.path.dirname(os.path.abspath(__file__))

with tb.open_file(os.path.join(here, sys.argv[1]), "w") as f:
    g = f.create_group("/", "g")
    small = {"expectedrows": 1, "chunkshape": (4,), "track_times": False}
    f.create_earray(g, "t64", tb.Time64Atom(), (0,), **small).append(np.array([0.5, -1.75, 1700000000.123456]))
    f.create_earray(g, "t32", tb.Time32Atom(), (0,), **small).append(np.arange(3, dtype="i4"))
    f.create_carray(g, "b", obj=np.array([True, False, True]), chunkshape=(4,), track_times=False)
    f.create_array(g, "pairs", obj=np.array([[True, False], [False, False], [True, True]]), track_times=False)
    f.create_array(g, "s", obj=np.array([b"a\0b", b"c ", b""], dtype="S4"), track_times=False)
    f.create_array(g, "x", obj=np.arange(3) * 0.5, track_times=False)
    values = {
        "text": (tb.VLUnicodeAtom(), ["é\0x", "", "日本😀"]),
        "raw": (tb.VLStringAtom(), [b"abc", b"", b"y\0z"]),
        "flags": (tb.BoolAtom(), [[True, False], [], [True]]),
        "times": (tb.Time64Atom(), [[0.5], [-1.75, 2.0], []]),
        "words": (tb.StringAtom(3), [[b"ab", b"a\0b"], [], [b"c"]]),
        "objects": (tb.ObjectAtom(), [{"a": 1}, None, "x"]),
    }
    for name, (atom, rows) in values.items():
        v = f.create_vlarray(g, name, atom, **(small | {"chunkshape": 4}))
        for row in rows:
            v.append(row)
    f.create_table("/", "t", np.array([(b"a\0b", [b"x\0y", b""]), (b"", [b"z", b"\0w"])], dtype=[("s", "S4"), ("p", "S3", 2)]), expectedrows=1, chunkshape=2, track_times=False)
