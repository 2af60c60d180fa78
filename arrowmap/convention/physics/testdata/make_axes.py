"""Writes what nexusformat makes of masked values in detectors and logs, and squares that say in other ways which axis is whose.

    python make_axes.py axes.h5

Run with nexusformat 2.1.0 for axes.h5, and with nexusformat 1.0.6 for axes_old.h5. Both are compressed by gzip -9n.
"""
import sys

import h5py
import numpy as np
from nexusformat.nexus import NXdata, NXdetector, NXentry, NXfield, NXlog, NXroot

e = NXentry()
e.det = NXdetector()
e.det.data = NXfield(np.ma.array([[1.0, 2], [3, 4], [5, 6]], mask=[[0, 1], [0, 0], [1, 1]]))
e.det.t = NXfield([1, 2, 3])
e.det.roi = NXfield([1, 2, 3, 4])
e.log = NXlog()
e.log.time = NXfield([0, 1.5], units="s")
e.log.value = NXfield(np.ma.array([1, 2], mask=[0, 1]))
e.edges = NXdata(NXfield([1, 2, 3], name="h"), NXfield([0.0, 1, 2, 3], name="edge"))
e.cube = NXdata(NXfield(np.arange(8, dtype="i2").reshape(2, 2, 2), name="z"), (NXfield([1, 2], name="a"), NXfield([4, 5], name="b"), NXfield([6, 7], name="c")))
NXroot(e).save(sys.argv[1], "w")
with h5py.File(sys.argv[1], "a") as f:
    for name in ("old", "indices"):
        g = f.create_group("entry/" + name)
        g.attrs["NX_class"] = "NXdata"
        g["counts"], g["x"], g["y"] = np.arange(4).reshape(2, 2), [1, 2], [3, 4]
    old = f["entry/old"]
    old["counts"].attrs["signal"], old["x"].attrs["axis"], old["y"].attrs["axis"] = 1, 2, 1
    f["entry/indices"].attrs.update(signal="counts", x_indices=1, y_indices=0)
