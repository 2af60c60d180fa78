#!/bin/sh
# make_constant of openPMD-api takes the type of the Python object for that of the component, whatever the data set that was
# declared: an int above 2^63 in a component of uint64 is stored as a double, and another number is read.
#
# openPMD-api 0.17.1. Prints the version and what is read; the status is 0 as long as it is another number.
#
# usage: findings/openpmd-constant-loses-type.sh        needs Python 3.9 to 3.14 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check openpmd-api==0.17.1.post4
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import sys

import numpy as np
import openpmd_api as io

print("openPMD-api", io.__version__)
scalar = io.Record_Component.SCALAR
value = 2**63 + 1


def component(series):
    return series.iterations[0].particles["e"]["id"][scalar]


s = io.Series("x.h5", io.Access.create)
c = component(s)
c.reset_dataset(io.Dataset(np.dtype("u8"), [3]))
c.make_constant(value)
s.close()
s = io.Series("x.h5", io.Access.read_only)
c = component(s)
read = c.load_chunk()
s.flush()
print("declared uint64, stored %d; read as %s: %d" % (value, read.dtype, int(read[0])))
same = int(read[0]) == value
s.close()
sys.exit(1 if same else 0)
PY
