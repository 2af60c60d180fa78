#!/bin/sh
# pyfive has the shape and the type of a virtual dataset (HDF5 1.10, by which detectors and NeXus files join their parts), and None for its values,
# whatever is asked: all of them or a slice. There is no error.
#
# pyfive 1.3.0, h5py 3.16.0. Prints the versions and the values; the status is 0 as long as the values are None and those of the source are right.
#
# usage: findings/pyfive-virtual-datasets-none.sh        needs Python 3.11 to 3.13 with venv, and PyPI; PYTHON names it
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
with h5py.File("t.h5", "w") as f:
    f["source"] = np.arange(4)
    layout = h5py.VirtualLayout((4,), "i8")
    layout[:] = h5py.VirtualSource(".", "source", (4,))
    f.create_virtual_dataset("joined", layout)
with h5py.File("t.h5") as f, pyfive.File("t.h5") as p:
    d = p["joined"]
    print("h5py:", f["joined"][:], "pyfive:", d.shape, d.dtype, d[:], d[1:3], "source:", p["source"][:])
    sys.exit(0 if d[:] is None and d[1:3] is None and p["source"][:].tolist() == f["joined"][:].tolist() else 1)
PY
