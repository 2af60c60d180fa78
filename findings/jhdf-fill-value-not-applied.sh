#!/bin/sh
# A chunk that was never written holds the dataset's fill value. jHDF knows the fill value (getFillValue), and gives zeros for the chunk: a mark for
# "missing", such as -1, becomes a measured 0, without an error.
#
# io.jhdf:jhdf 0.13.0, files by h5py 3.16.0, with the B-tree of old files and an index of new ones. Prints the versions and the values; the status is
# 0 as long as both give zeros and the fill value is known.
#
# usage: findings/jhdf-fill-value-not-applied.sh        needs Python 3.11 to 3.13 with venv, PyPI, a JDK of 17 or newer, and Maven; PYTHON names Python
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.16.0
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import h5py

print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)
for libver in "earliest", "latest":
    with h5py.File(libver + ".h5", "w", libver=libver) as f:
        f.create_dataset("x", (4,), "i4", chunks=(2,), maxshape=(None,), fillvalue=-1)[:2] = 5
    with h5py.File(libver + ".h5") as f:
        print(libver, "libhdf5", f["x"][:].tolist())
PY
cat >pom.xml <<'XML'
<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version><dependencies>
<dependency><groupId>io.jhdf</groupId><artifactId>jhdf</artifactId><version>0.13.0</version></dependency></dependencies></project>
XML
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=jars
cat >Read.java <<'JAVA'
import io.jhdf.HdfFile;
import io.jhdf.api.Dataset;
import java.nio.file.Paths;
import java.util.Arrays;

public class Read {
	public static void main(String[] args) {
		String all = "";
		for (String name : new String[] {"earliest", "latest"}) {
			try (HdfFile f = new HdfFile(Paths.get(name + ".h5"))) {
				Dataset x = f.getDatasetByPath("x");
				all += name + " " + Arrays.toString((int[]) x.getData()) + " fill value " + x.getFillValue() + "; ";
			}
		}
		System.out.println("jHDF 0.13.0: " + all);
		System.exit(all.equals("earliest [5, 5, 0, 0] fill value -1; latest [5, 5, 0, 0] fill value -1; ") ? 0 : 1);
	}
}
JAVA
java -cp 'jars/*' Read.java 2>/dev/null
