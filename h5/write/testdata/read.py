"""Reads files that the tests of package write made, and fails if anything differs from what was written."""

import sys

import h5py
import hdf5plugin  # noqa: F401: it registers its filters
import numpy as np


def check(ok, what):
    if not ok:
        sys.exit(f"{name}: {what}")


def written(f, old):
    want = (np.arange(3000) * 7 % 1000).astype("i4").reshape(1000, 3)
    check(len(f["filters"]) == 10, "filters")
    for k, d in f["filters"].items():
        check((d[...] == want).all(), f"filter {k}")
    x, v = f["grid/x"], f["grid/v"]
    check(x[...].tolist() == [1, 9, 9, 9] and x.fillvalue == 9, "x")
    check(v.asstr()[...].tolist() == ["a", "", "ä", "long text"] and v.maxshape == (None,), "v")
    check(v.dims[0][0] == x and x.is_scale, "dimension scale")
    refs = f["refs"][...]
    check(not refs[0] and f[refs[1]] == x and f[refs[2]] == v, "references")
    check(f["x2"] == x and f["soft"] == x, "links")
    check(h5py.h5o.get_info(v.id).num_attrs == 101 and len(x.attrs) == 3, "number of attributes")
    check(all(v.attrs[f"a{i}"].tolist() == [i, 1] for i in range(100)), "attributes")
    names = [f"g{i}" for i in range(100)]
    check(list(f["many"]) == (sorted(names) if old else names[::-1]), "order of links")
    if not old:
        link = f.get("outside", getlink=True)
        check((link.filename, link.path) == ("other.h5", "/there"), "external link")


def appended(f):
    x, s = f["table/x"], f["table/s"]
    check(x[...].tolist() == list(range(25)), "x")
    check(s.asstr()[...].tolist() == [[f"s{i}", "t" * (i % 9)] for i in range(25)], "s")
    check(f["again"] == x and s.dims[0][0] == x and x.attrs["units"] == "m", "references")


for name in sys.argv[1:]:
    with h5py.File(name) as file:
        if "table" in file:
            appended(file)
        else:
            written(file, name.endswith("earliest.h5"))
