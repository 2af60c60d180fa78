#!/bin/sh
# h5wasm gives numbers for a dataset whose filter it does not have. libhdf5 inside it refuses to read and prints its error stack; the property
# value is an array of the right length and type all the same, of whatever its memory holds, and nothing is thrown.
#
# h5wasm 0.10.3 (HDF5 2.0.0) under Node.js, a file by h5py 3.16.0 with lzf, which h5py has built in and h5wasm has not. Prints the versions and what
# is found; the status is 0 as long as an array comes back that isn't the data, and the same data with gzip are right.
#
# usage: findings/h5wasm-values-of-missing-filters.sh        needs Python 3.11 to 3.13 with venv, PyPI, Node.js 18 or newer with npm; PYTHON names Python
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import h5py
import numpy as np

print("h5py", h5py.__version__)
with h5py.File("t.h5", "w") as f:
    for filter in "gzip", "lzf":
        f.create_dataset(filter, data=np.arange(1, 1001, dtype="i4"), chunks=(1000,), compression=filter)
PY
npm install --silent --no-audit --no-fund h5wasm@0.10.3 >/dev/null
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import h5wasm from "h5wasm/node";
await h5wasm.ready;
console.log("h5wasm", JSON.parse(readFileSync("node_modules/h5wasm/package.json")).version);
const f = new h5wasm.File("t.h5", "r");
const right = (v) => v instanceof Int32Array && v.length === 1000 && v.every((x, i) => x === i + 1);
const gzip = f.get("gzip").value;
const lzf = f.get("lzf").value;
console.log("gzip:", right(gzip) ? "the data" : "wrong", "lzf:", lzf.constructor.name, "of", lzf.length, right(lzf) ? "the data" : "that isn't the data");
process.exit(right(gzip) && lzf instanceof Int32Array && lzf.length === 1000 && !right(lzf) ? 0 : 1);
JS
node read.mjs 2>/dev/null
