"""Writes an openPMD file by openPMD-api: species with constant components, of constants only, empty ones.

    python make_openpmd.py openpmd.h5

Run with openPMD-api 0.17.1.post4 for openpmd.h5, and with openPMD-api 0.15.0 for openpmd_old.h5. Both are compressed by
gzip -9n.
"""
import sys

import numpy as np
import openpmd_api as io

s = io.Series(sys.argv[1], io.Access.create)
it = s.iterations[5]


def stored(c, values):
    c.reset_dataset(io.Dataset(values.dtype, values.shape))
    if len(values):
        c.store_chunk(values)


def constant(c, value, dtype, rows):
    c.reset_dataset(io.Dataset(np.dtype(dtype), [rows]))
    c.make_constant(value)


scalar = io.Record_Component.SCALAR if hasattr(io, "Record_Component") else io.Mesh_Record_Component.SCALAR
e = it.particles["e"]
stored(e["position"]["x"], np.array([1, 2, 3], "f4"))
stored(e["position"]["y"], np.array([4, 5, 6], "f8"))
e["position"].unit_dimension = {io.Unit_Dimension.L: 1}
constant(e["positionOffset"]["x"], 0.5, "f8", 3)
stored(e["id"][scalar], np.array([7, 2**63, 9], "u8"))
constant(e["charge"][scalar], np.float32(-1.5), "f4", 3)
constant(e["mass"][scalar], np.uint64(2**63 + 1), "u8", 3)
constant(e["spin"][scalar], np.complex64(1 + 2j), "c8", 3)
constant(e["kind"][scalar], np.int8(-7), "i1", 3)
constant(e["level"][scalar], -3, "i8", 3)
k = it.particles["constants"]
constant(k["position"]["x"], 0.25, "f8", 4)
constant(k["charge"][scalar], 3, "i8", 4)
constant(k["weighting"][scalar], np.uint16(65535), "u2", 4)
n = it.particles["nothing"]
n["position"]["x"].make_empty(np.dtype("f4"), 1)
n["id"][scalar].make_empty(np.dtype("u8"), 1)
s.flush()
del s
