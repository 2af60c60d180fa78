"""Writes a trajectory by mdtraj: coordinates, times and cells of each frame, and the topology, which is one text.

    python make_mdtraj.py mdtraj.h5    # beside this file; compressed by gzip -9n

Run with mdtraj 1.11.1.post2 for mdtraj.h5, and with mdtraj 1.10.3 for mdtraj_old.h5; PyTables 3.11.1.
"""
import os
import sys

import mdtraj
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
top = mdtraj.Topology()
residue = top.add_residue("HOH", top.add_chain())
top.add_atom("O", mdtraj.element.oxygen, residue)
top.add_atom("H1", mdtraj.element.hydrogen, residue)
xyz = np.arange(18, dtype="f4").reshape(3, 2, 3) / 4
t = mdtraj.Trajectory(xyz, top, time=np.array([0, 2, 4]), unitcell_lengths=np.full((3, 3), 1.5), unitcell_angles=np.full((3, 3), 90.0))
t.save_hdf5(os.path.join(here, sys.argv[1]))
