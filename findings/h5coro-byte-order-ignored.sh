#!/bin/sh
# h5coro returns big-endian numbers with their bytes in the wrong order: 1 becomes 16777216, without an error, contiguous or chunked. The type in a file
# says which order it has, and writers from big-endian machines, or numpy arrays read from FITS or GRIB, have that one.
#
# h5coro 1.0.7, h5py 3.16.0. Prints the versions and the values; the status is 0 as long as that is so and little-endian numbers are right.
#
# usage: findings/h5coro-byte-order-ignored.sh        needs Python 3.11 to 3.13 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0 h5coro==1.0.7
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import importlib.metadata
import sys

import h5py
import numpy as np
from h5coro import filedriver, h5coro

print("h5coro", importlib.metadata.version("h5coro"), "h5py", h5py.__version__)
x = np.array([1, 2, 3])
with h5py.File("t.h5", "w") as f:
    f["little"] = x.astype("<i4")
    f["big"] = x.astype(">i4")
    f.create_dataset("chunked", data=x.astype(">i4"), chunks=(3,))
found = []
for name in "little", "big", "chunked":
    f = h5coro.H5Coro("t.h5", filedriver.FileDriver)
    values = [int(v) for v in f.readDatasets([name], block=True)[name]]
    print(name, values)
    found.append(values)
swapped = [v << 24 for v in (1, 2, 3)]
sys.exit(0 if found == [[1, 2, 3], swapped, swapped] else 1)
PY
