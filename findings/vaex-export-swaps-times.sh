#!/bin/sh
# Times and spans of big-endian byte order, as numpy has them of many files, are right in a frame of vaex. Exported to HDF5 they are
# written byte by byte in reverse, marked as of the machine's order: 2000-01-01 comes back as 1970-01-01T20:33, NaT as a time.
# Exports to Arrow and Parquet, and other numbers in HDF5, are right. Nothing is said.
#
# vaex-core 4.19.0, vaex-hdf5 0.15.0. Prints versions and the times; the status is 0 as long as HDF5 differs.
#
# usage: findings/vaex-export-swaps-times.sh        needs Python 3.11 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check vaex-core==4.19.0 vaex-hdf5==0.15.0 numpy==2.4.6 pandas==2.3.3
cd "$dir"
"$dir/venv/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
import vaex

print(vaex.__version__["vaex-core"], vaex.__version__["vaex-hdf5"])
times = ["2000-01-01", "1970-01-02", "NaT"]
frame = vaex.from_arrays(little=np.array(times, "<M8[ns]"), big=np.array(times, ">M8[ns]"), number=np.array([1, 2, 3], ">i8"))


def shown(f):
    return [[None if v is None else str(np.datetime64(v, "ns")) for v in f[name].tolist()] for name in ("little", "big")]


print("in memory", *shown(frame))
right = {}
for name in ("x.hdf5", "x.arrow"):
    frame.export(name)
    back = vaex.open(name)
    little, big = shown(back)
    print(name, little, big, back.number.tolist())
    right[name] = little == big and back.number.tolist() == [1, 2, 3]
sys.exit(0 if right == {"x.hdf5": False, "x.arrow": True} else 1)
PY
