#!/bin/sh
# netCDF4 keeps only the first character of a character array in a compound, if the records are assigned as an array of the
# type's own dtype (CompoundType.dtype, with members such as ('S1', (4,))). No error, no warning. Arrays of other types in the
# same record are stored whole, and so are the characters when the records have CompoundType.dtype_view, where they are 'S4'.
#
# netCDF4 1.7.2 (1.6.5 and 1.7.5.1 do the same). Prints the version and what h5py reads; the status is 0 as long as characters
# are lost.
#
# usage: findings/netcdf4-compound-chars-lost.sh        needs Python 3.9 to 3.13 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check netCDF4==1.7.2 h5py==3.12.1 numpy==2.0.2
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import sys

import h5py
import netCDF4
import numpy as np

print("netCDF4", netCDF4.__version__)
dtype = np.dtype([("code", "S1", (4,)), ("counts", "i2", (3,))])
read = {}
for name in "dtype", "dtype_view":
    with netCDF4.Dataset(name + ".nc", "w") as f:
        compound = f.createCompoundType(dtype, "record")
        f.createDimension("x", 2)
        variable = f.createVariable("records", compound, ("x",))
        records = np.zeros(2, getattr(compound, name))
        records["code"] = [list("ABCD"), list("wxyz")] if name == "dtype" else ["ABCD", "wxyz"]
        records["counts"] = [[1, 2, 3], [4, 5, 6]]
        variable[:] = records
    with h5py.File(name + ".nc") as f:
        stored = f["records"][:]
    read[name] = ["".join(c.decode() for c in row) for row in stored["code"]]
    print("assigned with %s: codes %s, counts %s" % (name, read[name], stored["counts"].tolist()))
sys.exit(0 if read == {"dtype": ["A", "w"], "dtype_view": ["ABCD", "wxyz"]} else 1)
PY
