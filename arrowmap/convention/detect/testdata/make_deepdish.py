"""Writes a dict by deepdish: text of numpy in bytes, arrays without elements as their shape.

    python make_deepdish.py deepdish.h5    # beside this file; compressed by gzip -9n

Run with deepdish 0.3.7, PyTables 3.8.0, numpy 1.23.5.
"""
import sys

import deepdish
import numpy as np

deepdish.io.save(sys.argv[1], {
    "ascii": np.array([b"ab", b"c"]), "unicode": np.array(["aü", "日本😀"]), "square": np.array([["a", "b"], ["c", "d"]]),
    "numbers": np.array([1.5, 2.5]), "ok": np.array([True, False]), "none": None, "word": "word",
    "empty": {"a": np.zeros(0, "i4"), "b": np.zeros((0, 3)), "s": np.zeros(0, "U2")}, "wide": {"w": np.zeros((2, 0))},
}, compression=None)
