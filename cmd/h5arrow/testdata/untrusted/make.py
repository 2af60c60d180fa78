#!/usr/bin/env python3
"""make.py [DIR]: writes the HDF5 files of TestUntrusted with h5py, one for each rule. All of them are harmless."""
import os
import sys

import h5py
import numpy as np

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
MIB = 1 << 20


def file(name):
    return h5py.File(os.path.join(HERE, name + ".h5"), "w", libver="latest")


with file("plain") as f:
    f["x"] = np.arange(4)
    f["soft"] = h5py.SoftLink("/x")
with file("linked") as f:
    f["x"] = h5py.ExternalLink("plain.h5", "/x")
with file("raw") as f:
    f.create_dataset("x", (4,), "i8", external=[("plain.h5", 0, 32)])
with file("virtual") as f:
    layout = h5py.VirtualLayout((4,), "i8")
    layout[:] = h5py.VirtualSource("plain.h5", "x", (4,))
    f.create_virtual_dataset("x", layout)
with file("inside") as f:
    f["y"] = np.arange(4)
    layout = h5py.VirtualLayout((4,), "i8")
    layout[:] = h5py.VirtualSource(".", "y", (4,))
    f.create_virtual_dataset("x", layout)
with file("unwritten") as f:
    f.create_dataset("x", (MIB * 3,), "f8")  # 24 MiB
with file("sparse") as f:
    d = f.create_dataset("x", (MIB * 3,), "f8", chunks=(1000,), compression="gzip")
    d[:10] = 1  # the file is large enough, the one chunk is not
with file("small") as f:
    f.create_dataset("x", (MIB * 2,), "f8")  # 16 MiB, which is allowed
with file("zeros") as f:
    d = f.create_dataset("x", (MIB * 8,), "f8", chunks=(MIB,), compression="gzip", compression_opts=9)  # 64 MiB
    d[:] = np.zeros(MIB * 8)
with file("chunk") as f:
    f.create_dataset("x", (MIB * 33,), "f8", chunks=(MIB * 33,), fillvalue=1)  # 264 MiB
with file("several") as f:  # each may be there, but not the table
    for i in range(5):
        f.create_dataset("x%d" % i, (MIB * 2,), "f8")
