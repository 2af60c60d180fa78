"""Tables with times, masks and names beyond ASCII, by astropy.

    python make_astropy.py NAME.h5.gz    # tables.h5.gz by astropy 8.0.2, tables_old.h5.gz by astropy 5.0.8
"""

import gzip
import os
import sys

import astropy.units as u
import h5py
import numpy as np
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time, TimeDelta

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), sys.argv[1])


def times(f):
    t = QTable()
    t["utc"] = Time(["2016-12-31T23:59:59.25", "2016-12-31T23:59:60.5", "2030-06-01T12:00:00.123456789"], scale="utc")
    t["tai"] = Time(["1700-01-01T00:00:00.000000001", "1969-12-31T23:59:59.5", "2250-01-01"], scale="tai")
    m = Time(["2024-01-01", "2025-01-01", "2026-01-01"], scale="tdb")
    m[1] = np.ma.masked
    t["m"] = m
    t["mjd"] = Time(np.array([[50000.5, 50001], [50002, 50003], [0, 40587]]), format="mjd", scale="tt")
    t["d"] = TimeDelta([1, -0.5, 86400 * 1e4 + 1e-9] * u.s)
    t["q"] = [1, 2, 3] * u.km / u.s
    t.write(f, path="times", serialize_meta=True)


def masks(f):
    t = Table()
    for name in ["é", "日本", "plain", "a: b, {c} #", "it's \"q\"", "null", "- x"]:
        t[name] = MaskedColumn([1, 2, 3], mask=[False, True, False], unit="m", description="d: " + name + ", " + "long " * 30 + "\nend")
    t["nd"] = MaskedColumn(np.arange(6).reshape(3, 2), mask=[[0, 1], [0, 0], [1, 0]])
    t["text"] = MaskedColumn(["a", "é", "z"], mask=[0, 0, 1])
    t.write(f, path="masks", serialize_meta=True)


def users(f):
    t = Table()
    t["a"] = [1, 2, 3]
    t["a.mask"] = [True, False, False]
    t["b"] = MaskedColumn([1, 2, 3], mask=[0, 1, 0])
    t["c.jd1"], t["c.jd2"] = [1.0, 2, 3], [0.5, 0, 0]
    t.write(f, path="users", serialize_meta=True)


with h5py.File("x", "w", driver="core", backing_store=False) as f:
    times(f), masks(f), users(f)
    f.flush()
    with open(path, "wb") as z:
        z.write(gzip.compress(f.id.get_file_image(), 9, mtime=0))
