"""Writes what hdf5storage does where MATLAB need not read the file.

    python make_hdf5storage.py hdf5storage.h5    # beside this file

Run with hdf5storage 0.2.2 (h5py 3.16.0) for hdf5storage.h5, and with hdf5storage 0.1.19 (h5py 3.8.0) for hdf5storage_old.h5, which is
compressed by gzip -9n.
"""

import os
import sys

import hdf5storage as hs
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
name = os.path.join(here, sys.argv[1])
if os.path.exists(name):
    os.remove(name)
hs.writes({
    "/frame": {"x": np.array([1.5, 2.5, 3.5]), "name": np.array(["ab", "", "h😀é"]), "raw": np.array([b"ab", b"c", b"def"]), "ok": np.array([True, False, True]),
               "pair": np.array([["ab", "c"], ["d", "efg"], ["h", ""]]), "one": np.array([["ab"], ["c"], [""]])},
    "/mixed": {"x": np.array([1, 2]), "text": "hello 😀", "scalar": 5, "list": [1, 2], "empty": ""},
    "/record": np.array([(1, 2.5), (3, 4.5)], dtype=[("p", "i4"), ("q", "f8")]),
}, filename=name, matlab_compatible=False)
