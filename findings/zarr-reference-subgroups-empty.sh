#!/bin/sh
# A group inside a kerchunk reference file is empty. zarr reads an array of such a group by its path, but lists no members of the
# group, and xarray opens it as a dataset without variables; the root is listed right. No error, no warning. With a consolidated
# .zmetadata at the root, which writers of references may leave out, xarray finds the variables.
#
# zarr 3.1.6 and xarray 2026.7.0 with fsspec 2026.9.0. Prints the versions and what is found; the status is 0 as long as the group
# is empty without .zmetadata and not with it.
#
# usage: findings/zarr-reference-subgroups-empty.sh        needs Python 3.11 to 3.13 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check zarr==3.1.6 xarray==2026.7.0 fsspec==2026.9.0 aiohttp
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import base64
import json
import sys

import fsspec
import numpy as np
import xarray
import zarr

print("zarr", zarr.__version__, "xarray", xarray.__version__, "fsspec", fsspec.__version__)
documents = {".zgroup": {"zarr_format": 2}, "inner/.zgroup": {"zarr_format": 2}}
refs = {}
for path, values in ("a", [1, 2]), ("inner/b", [3, 4]):
    documents[path + "/.zarray"] = {"zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "<i4", "fill_value": None, "order": "C", "filters": None, "compressor": None}
    documents[path + "/.zattrs"] = {"_ARRAY_DIMENSIONS": ["x"]}
    refs[path + "/0"] = "base64:" + base64.b64encode(np.array(values, "<i4").tobytes()).decode()
refs.update((k, json.dumps(v)) for k, v in documents.items())
found = []
for name in "plain.json", "consolidated.json":
    with open(name, "w") as f:
        json.dump({"version": 1, "refs": refs}, f)
    refs[".zmetadata"] = json.dumps({"zarr_consolidated_format": 1, "metadata": documents})
    options = {"fo": name}
    root = zarr.open_group("reference://", mode="r", zarr_format=2, storage_options=options, use_consolidated=False)
    print(name, "zarr, root:", sorted(root.keys()), "inner:", sorted(root["inner"].keys()), "inner/b:", root["inner/b"][:].tolist())
    kwargs = {"storage_options": options, "consolidated": name == "consolidated.json"}
    sets = [xarray.open_dataset("reference://", engine="zarr", group=g, backend_kwargs=kwargs) for g in (None, "inner")]
    print(name, "xarray, root:", list(sets[0].variables), "inner:", list(sets[1].variables))
    found.append([list(s.variables) for s in sets])
sys.exit(0 if found == [[["a"], []], [["a"], ["b"]]] else 1)
PY
