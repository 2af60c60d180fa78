#!/bin/sh
# HDF5 2.0 has bfloat16 among its own types; files could hold it before, as every float says where its exponent and mantissa are. Three readers that
# don't use libhdf5 look at the size alone and take each float of two bytes for a half float: 1.0 becomes 1.875, without an error. pyfive and
# jsfive also pass over the offset and precision of integers, so that ten bits at offset 3 of a word are eight times their value; jHDF refuses those.
#
# pyfive 1.3.0, jsfive 0.4.2, io.jhdf:jhdf 0.13.0, h5py 3.16.0 (HDF5 2.0). Prints the versions and the values; the status is 0 as long as all three
# give 1.875 where libhdf5 gives 1.0, and the first two 8 where it gives 1.
#
# usage: findings/bfloat16-read-as-half.sh        needs Python 3.11 to 3.13 with venv, PyPI, Node.js 18 or newer with npm, a JDK of 17 or newer, and Maven; PYTHON names Python
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

print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version, "pyfive", pyfive.__version__)
brain = h5py.h5t.IEEE_F32LE.copy()
brain.set_fields(15, 7, 8, 0, 7)
brain.set_size(2)
brain.set_ebias(127)
bits = h5py.h5t.STD_U16LE.copy()
bits.set_precision(10)
bits.set_offset(3)
with h5py.File("t.h5", "w") as f:
    for name, stored, memory in (b"brain", brain, "f4"), (b"bits", bits, "u2"):
        h5py.h5d.create(f.id, name, stored, h5py.h5s.create_simple((1,))).write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones(1, memory))
with h5py.File("t.h5") as f, pyfive.File("t.h5") as p:
    values = [float(x[n][0]) for x in (f, p) for n in ("brain", "bits")]
print("libhdf5:", values[:2], "pyfive:", values[2:])
sys.exit(0 if values == [1, 1, 1.875, 8] else 1)
PY
npm install --silent --no-audit --no-fund jsfive@0.4.2 >/dev/null
node - <<'JS'
const { readFileSync } = require("node:fs");
const { File } = require("jsfive");
const b = readFileSync("t.h5");
const f = new File(b.buffer.slice(b.byteOffset, b.byteOffset + b.length), "t.h5");
const values = ["brain", "bits"].map((n) => f.get(n).value[0]);
console.log("jsfive", JSON.parse(readFileSync("node_modules/jsfive/package.json")).version + ":", values);
process.exit(values[0] === 1.875 && values[1] === 8 ? 0 : 1);
JS
cat >pom.xml <<'XML'
<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version><dependencies>
<dependency><groupId>io.jhdf</groupId><artifactId>jhdf</artifactId><version>0.13.0</version></dependency></dependencies></project>
XML
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=jars
cat >Read.java <<'JAVA'
public class Read {
	public static void main(String[] args) {
		try (io.jhdf.HdfFile f = new io.jhdf.HdfFile(java.nio.file.Paths.get("t.h5"))) {
			float v = ((float[]) f.getDatasetByPath("brain").getData())[0];
			System.out.println("jHDF 0.13.0: " + v);
			System.exit(v == 1.875f ? 0 : 1);
		}
	}
}
JAVA
java -cp 'jars/*' Read.java 2>/dev/null
