#!/bin/sh
# jsfive refuses a contiguous dataset of sequences of varying length ("datatype not implemented"). If the same dataset is chunked, it gives numbers: for
# each sequence the three fields of its reference to the global heap, which are the length, an address and an index, and none of the values.
#
# jsfive 0.4.2 under Node.js, a file by h5py 3.16.0. Prints the versions and what is found; the status is 0 as long as the contiguous dataset is
# refused and the chunked one is given as three numbers a row, the first of them the length.
#
# usage: findings/jsfive-sequences-as-heap-ids.sh        needs Python 3.11 to 3.13 with venv, PyPI, Node.js 18 or newer with npm; PYTHON names Python
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import h5py

print("h5py", h5py.__version__)
with h5py.File("t.h5", "w") as f:
    for name, chunks in ("contiguous", None), ("chunked", (2,)):
        d = f.create_dataset(name, (2,), h5py.vlen_dtype("f8"), chunks=chunks)
        d[0] = [1.5, 2.5, 3.5]
        d[1] = [4.5]
PY
npm install --silent --no-audit --no-fund jsfive@0.4.2 >/dev/null
node - <<'JS'
const { readFileSync } = require("node:fs");
const { File } = require("jsfive");
const b = readFileSync("t.h5");
const f = new File(b.buffer.slice(b.byteOffset, b.byteOffset + b.length), "t.h5");
console.log("jsfive", JSON.parse(readFileSync("node_modules/jsfive/package.json")).version);
let refused = false;
try {
  console.log("contiguous:", f.get("contiguous").value);
} catch (e) {
  refused = true;
  console.log("contiguous:", String(e));
}
const v = f.get("chunked").value;
console.log("chunked:", v);
process.exit(refused && v.length === 2 && v[0].length === 3 && v[0][0] === 3 && v[1][0] === 1 ? 0 : 1);
JS
