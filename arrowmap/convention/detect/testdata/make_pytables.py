"""Writes pytables_arrays.h5 by PyTables 3.11.1: arrays beside each other in a group, and in a group of another length.

    python make_pytables.py    # beside this file
"""

import os

import numpy as np
import tables as tb

here = os.path.dirname(os.path.abspath(__file__))

with tb.open_file(os.path.join(here, "pytables_arrays.h5"), "w") as f:
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
