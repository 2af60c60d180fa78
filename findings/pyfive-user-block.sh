#!/bin/sh
# pyfive opens a file with a user block, which h5py makes with userblock_size, and describes it right. Contiguous values, numbers and text alike,
# come from the wrong place: addresses in a file count from the end of its user block, and pyfive counts those of data from the start of the file.
# There is no error. Chunked values end with an AssertionError that says nothing.
#
# pyfive 1.3.0, h5py 3.16.0. Prints the versions and the values; the status is 0 as long as contiguous values after a user block are wrong, and
# right without one.
#
# usage: findings/pyfive-user-block.sh        needs Python 3.11 to 3.13 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0 pyfive==1.3.0
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import sys

import h5py
import numpy as np
import pyfive

print("pyfive", pyfive.__version__, "h5py", h5py.__version__)
found = []
for name, options in ("plain.h5", {}), ("block.h5", {"userblock_size": 512}):
    with h5py.File(name, "w", **options) as f:
        f["x"] = np.array([1.5, 2.5, 3.5])
        f.create_dataset("c", data=np.arange(3), chunks=(3,))
    with h5py.File(name) as f, pyfive.File(name) as p:
        try:
            chunked = p["c"][:].tolist()
        except Exception as e:
            chunked = repr(e)
        print(name, "h5py:", f["x"][:], "pyfive:", p["x"].shape, p["x"].dtype, p["x"][:], "chunked:", chunked)
        found.append(bool((p["x"][:] == f["x"][:]).all()))
sys.exit(0 if found == [True, False] else 1)
PY
