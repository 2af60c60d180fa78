#!/bin/sh
# h5coro reads part of a dataset by a hyperslice. From a contiguous dataset it gives right values only if the slice starts at row 0: from any other row on
# it has zeros of the right shape, without an error. The same slice of a chunked dataset, and the contiguous dataset as a whole, are right.
#
# h5coro 1.0.7, h5py 3.16.0. Prints the versions and the values; the status is 0 as long as that is so.
#
# usage: findings/h5coro-contiguous-slices-zero.sh        needs Python 3.11 to 3.13 with venv, and PyPI; PYTHON names it
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
x = np.arange(100, 200)
with h5py.File("t.h5", "w") as f:
    f["contiguous"] = x
    f.create_dataset("chunked", data=x, chunks=(10,))
found = []
for name, first, end in ("chunked", 50, 53), ("contiguous", 0, 3), ("contiguous", 50, 53), ("contiguous", 0, 100):
    f = h5coro.H5Coro("t.h5", filedriver.FileDriver)
    values = f.readDatasets([{"dataset": name, "hyperslice": [(first, end)]}], block=True)[name]
    print(name, "rows", first, "to", end, "right" if list(values) == list(x[first:end]) else values)
    found.append(list(values) == list(x[first:end]) or not any(values))
    found.append(any(values))
sys.exit(0 if found == [True, True, True, True, True, False, True, True] else 1)
PY
