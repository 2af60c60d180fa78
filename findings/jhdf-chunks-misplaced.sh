#!/bin/sh
# Where one dimension of a dataset is unlimited and it isn't the first, libhdf5's extensible array numbers chunks with that dimension as the slowest.
# jHDF takes the numbers for those of the dimensions' own order, so that whole chunks change places, without an error.
#
# io.jhdf:jhdf 0.13.0, a file by h5py 3.16.0 (HDF5 2.0). Prints the versions and the values; the status is 0 as long as chunks are misplaced there,
# and in place where the first dimension is the unlimited one.
#
# usage: findings/jhdf-chunks-misplaced.sh        needs Python 3.11 to 3.13 with venv, PyPI, a JDK of 17 or newer, and Maven; PYTHON names Python
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import h5py
import numpy as np

print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)
a = np.arange(8, dtype="i4").reshape(2, 4)
with h5py.File("t.h5", "w", libver="latest") as f:
    f.create_dataset("first", data=a, chunks=(1, 2), maxshape=(None, 4))
    f.create_dataset("second", data=a, chunks=(1, 2), maxshape=(2, None))
with h5py.File("t.h5") as f:
    print("libhdf5", {k: d[()].tolist() for k, d in f.items()})
PY
cat >pom.xml <<'XML'
<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version><dependencies>
<dependency><groupId>io.jhdf</groupId><artifactId>jhdf</artifactId><version>0.13.0</version></dependency></dependencies></project>
XML
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=jars
cat >Read.java <<'JAVA'
import io.jhdf.HdfFile;
import java.nio.file.Paths;
import java.util.Arrays;

public class Read {
	public static void main(String[] args) {
		String all = "";
		try (HdfFile f = new HdfFile(Paths.get("t.h5"))) {
			for (String name : new String[] {"first", "second"})
				all += Arrays.deepToString((int[][]) f.getDatasetByPath(name).getData());
		}
		System.out.println("jHDF 0.13.0, first, second: " + all);
		System.exit(all.equals("[[0, 1, 2, 3], [4, 5, 6, 7]][[0, 1, 4, 5], [2, 3, 6, 7]]") ? 0 : 1);
	}
}
JAVA
java -cp 'jars/*' Read.java 2>/dev/null
