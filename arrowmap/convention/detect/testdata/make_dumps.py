"""Objects of Python as hickle and h5io dump them: text byte after byte, masked arrays, None, keys of dicts.

dumps_hickle.hkl, dumps_h5io.h5:         hickle 5.0.3, h5io 0.2.5, h5py 3.16.0
dumps_hickle_old.hkl, dumps_h5io_old.h5: hickle 5.0.2, h5io 0.1.9 (python make_dumps.py _old)

All are compressed by gzip -9n.
"""

import os
import sys

import h5io
import hickle
import numpy as np

old = sys.argv[1] if len(sys.argv) > 1 else ""
here = os.path.dirname(os.path.abspath(__file__))
masked = np.ma.masked_array([1.5, 2.5, 3.5], mask=[False, True, False])
hickle.dump(
    {
        "Größe": np.array([1, -2, 3], "<i4"),
        "ok": np.array([True, False, True]),
        "m": masked,
        "grid": np.ma.masked_array(np.arange(6, dtype="<i2").reshape(3, 2), mask=np.eye(3, 2, dtype=bool)),
        "words": {"name": "été", "raw": b"\xff\x01", "n": np.array([7], "<i8")},
        "list": ["a", "bb", "日本"],
        "nothing": {"x": None, "e": ""},
    },
    os.path.join(here, f"dumps_hickle{old}.hkl"), mode="w")
h5io.write_hdf5(
    os.path.join(here, f"dumps_h5io{old}.h5"),
    {
        "data": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]),
        "times": np.array([0.0, 0.5, 1.0, 1.5]),
        "kind": "sept",  # as many bytes as there are times
        "info": {"name": "été", "none": None, "n": 3, "x": 0.5, "empty": ""},
        "names": ["EEG 001", "é", ""],
    },
    overwrite=True, title="h5io", compression=0)
