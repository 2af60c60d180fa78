"""Writes what nxtomo makes of a scan: frames with their angles and keys, by links in NXdata.

    python make_nxtomo.py nxtomo.h5

Run with nxtomo 3.1.1 for nxtomo.h5, and with nxtomo 1.2.8 for nxtomo_old.h5. Both are compressed by gzip -9n.
"""
import sys

import numpy as np
from nxtomo.application.nxtomo import NXtomo
from nxtomo.nxobject.nxdetector import ImageKey

n = NXtomo()
n.instrument.detector.data = np.arange(20, dtype="u2").reshape(5, 2, 2)
n.instrument.detector.image_key_control = [ImageKey.FLAT_FIELD, ImageKey.DARK_FIELD] + [ImageKey.PROJECTION] * 3
try:
    n.instrument.detector.roi = (0, 0, 2, 2)
except AttributeError:
    pass  # only read by older versions
n.sample.name = "é"
try:
    import pint

    u = pint.get_application_registry()
    n.sample.rotation_angle = np.array([0, 0, 0, 90, 180], "f4") * u.degree
    n.instrument.detector.distance = 0.2 * u.meter
    n.instrument.detector.x_pixel_size = n.instrument.detector.y_pixel_size = 1e-6 * u.meter
except ImportError:
    n.sample.rotation_angle = np.array([0, 0, 0, 90, 180], "f4")
    n.instrument.detector.distance = 0.2
    n.instrument.detector.x_pixel_size = n.instrument.detector.y_pixel_size = 1e-6
n.instrument.detector.count_time = np.full(5, 0.5) * u.second if "u" in dir() else np.full(5, 0.5)
n.save(sys.argv[1], "entry")
