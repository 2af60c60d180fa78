#!/bin/sh
# HDF5 makes no file with pages (the "cloud-optimized" form) and a user block smaller than a page: creating one is refused. MATLAB's
# files have a user block of 512 bytes, so none can be copied with pages of more than 512 bytes, and h5repack, which copies the user
# block and makes the new file in the same way, ends with "Error occurred while repacking" for each of them. The format has no such
# rule, and the library reads files that break it.
#
# h5py 3.16.0 with HDF5 2.0.0; also seen with h5repack of HDF5 1.10.8. Prints the versions and what is refused; the status is 0 as long
# as that is so.
#
# usage: findings/hdf5-pages-refuse-small-user-blocks.sh        needs Python 3.10 to 3.14 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import sys

import h5py

print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)
made = {}
for block in 512, 4096, 65536:
    for page in 512, 4096, 65536:
        try:
            h5py.File("x.h5", "w", userblock_size=block, fs_strategy="page", fs_page_size=page).close()
            made[block, page] = True
        except OSError as e:
            made[block, page] = False
            why = str(e)
        print("user block of %d bytes, pages of %d: %s" % (block, page, "made" if made[block, page] else why))
sys.exit(0 if made == {(b, p): b >= p for b, p in made} else 1)
PY
