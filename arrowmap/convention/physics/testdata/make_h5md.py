"""Writes H5MD files: elements with steps and times that are stored, that are increments with and without an offset, and fixed ones.

    python make_h5md.py h5md.h5    # beside this file; compressed by gzip -9n

Run with pyh5md 1.2.0 and h5py 3.16.0 for h5md.h5, and with pyh5md 1.0.0 for h5md_old.h5.
"""

import os
import sys

import numpy as np

if not hasattr(np, "string_"):
    np.string_ = np.bytes_  # pyh5md 1.0.0 is from before NumPy 2
import pyh5md

here = os.path.dirname(os.path.abspath(__file__))
with pyh5md.File(os.path.join(here, sys.argv[1]), "w", author="a", creator="make_h5md.py") as f:
    atoms = f.particles_group("atoms")
    atoms.create_box(dimension=3, boundary=["periodic"] * 3, store="fixed", data=np.ones(3))
    position = pyh5md.element(atoms, "position", store="time", data=np.zeros((2, 3)), time=True)
    for i in range(3):
        position.append(np.full((2, 3), i, float), 10 * i, i * 0.5)
    pyh5md.element(atoms, "mass", store="fixed", data=np.array([1.0, 16.0]))
    observables = f.create_group("observables")
    for name, more in (("temperature", {}), ("pressure", {"step_offset": 100, "time_offset": 10.0})):
        e = pyh5md.element(observables, name, store="linear", data=1.0, step=10, time=0.25, **more)
        for i in range(3):
            e.append(300.0 + i)
