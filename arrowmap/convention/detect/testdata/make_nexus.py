"""Writes what nexusformat makes of masked arrays, a square signal, and links.

    python make_nexus.py nexus_masked.h5

Run with nexusformat 2.1.0, numpy 2.5.5 for nexus_masked.h5, and with nexusformat 1.0.6, numpy 1.26.4 for nexus_masked_old.h5, which
is compressed by gzip -9n. Both with h5py 3.16.0.
"""
import sys

import h5py
import numpy as np
from nexusformat.nexus import NXdata, NXentry, NXfield, NXroot

line = NXdata(NXfield(np.ma.array([1.0, 2.0, 3.0, 4.0], mask=[0, 1, 0, 1]), name="sig", units="counts"),
              NXfield([10, 20, 30, 40], name="x", units="mm"), errors=np.array([0.1, 0.2, 0.3, 0.4]))
image = NXdata(NXfield(np.ma.array(np.arange(6.0).reshape(2, 3), mask=[[0, 1, 0], [0, 0, 1]]), name="z"),
               (NXfield([0.0, 1.0], name="y"), NXfield([0.0, 1.0, 2.0], name="x")))
square = NXdata(NXfield(np.arange(4, dtype="i4").reshape(2, 2), name="v"),
                (NXfield([5, 6], name="row"), NXfield([7, 8], name="col")))
NXroot(NXentry(line=line, image=image, square=square)).save(sys.argv[1], "w")
with h5py.File(sys.argv[1], "a") as f:
    f.attrs["default"] = "entry"
    f["entry"].attrs["default"] = "line"
    far = f.create_group("entry/far")
    far.attrs.update(NX_class="NXdata", signal="data", axes="t")
    far["data"] = h5py.ExternalLink("detector.h5", "/data")
    far["t"] = [1, 2]
    soft = f.create_group("entry/soft")
    soft.attrs.update(NX_class="NXdata", signal="data", axes="t")
    soft["data"] = h5py.SoftLink("/entry/line/sig")
    soft["t"] = h5py.SoftLink("/entry/line/x")
