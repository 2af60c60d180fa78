"""Writes initial conditions of SWIFT by swiftsimio: gas and dark matter.

    python make_swift.py swift.h5    # beside this file; compressed by gzip -9n

Run with swiftsimio 12.4.0 for swift.h5, and with swiftsimio 12.0.0 for swift_old.h5.
"""
import os
import sys

import numpy as np
from swiftsimio import Writer, cosmo_array
from swiftsimio.metadata.writer.unit_systems import cosmo_units

here = os.path.dirname(os.path.abspath(__file__))
speed = cosmo_units["velocity"]


def values(v, unit, exponent=0):
    return cosmo_array(np.array(v), unit, comoving=True, scale_factor=1.0, scale_exponent=exponent)


w = Writer(unit_system=cosmo_units, boxsize=values([4.0, 4.0, 4.0], "Mpc", 1), scale_factor=1.0)
for k, p in enumerate((w.gas, w.dark_matter)):
    p.coordinates = values(np.arange(9.0).reshape(3, 3) / 4 + k, "Mpc", 1)
    p.velocities = values(np.arange(9.0).reshape(3, 3) - 4, speed, 1)
    p.masses = values([1e10, 2e10, 3e10], "Msun")
    p.particle_ids = values(np.array([11, 12, 13]) + 10 * k, "dimensionless")
w.gas.internal_energy = values([1.0, 2.0, 3.0], speed**2, -2)
w.gas.smoothing_lengths = values([0.5, 0.25, 1.0], "Mpc", 1)
w.write(os.path.join(here, sys.argv[1]))
