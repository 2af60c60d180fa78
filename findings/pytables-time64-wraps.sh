#!/bin/sh
# A Time64Col of a PyTables table is documented as seconds in a double, takes and gives doubles, and stores 32 bits of seconds and as many of
# microseconds. A moment of 2096 comes back as one of 1960, NaN as the start of 1970, digits after the sixth are gone; nothing is
# raised or warned of, and conditions find those rows on the wrong side. So with CArray and EArray; create_array with the same atom stores doubles and keeps them.
#
# tables 3.11.1, numpy 2.4.6. Prints the versions and the values; the status is 0 as long as the column wraps and the array doesn't.
#
# usage: findings/pytables-time64-wraps.sh        needs Python 3.11 to 3.13 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check tables==3.11.1 numpy==2.4.6
cd "$dir"
"$dir/venv/bin/python" -W error - <<'PY'
import math
import sys

import numpy as np
import tables

print("tables", tables.__version__, "numpy", np.__version__)
seconds = [1.5, 4e9, math.nan]  # 4e9 is in October 2096
with tables.open_file("t.h5", "w") as f:
    for name, array in (
        ("array", f.create_array("/", "array", atom=tables.Time64Atom(), shape=(3,))),
        ("carray", f.create_carray("/", "carray", tables.Time64Atom(), (3,))),
    ):
        array[:] = np.array(seconds)
    table = f.create_table("/", "table", {"x": tables.Time64Col()})
    table.append([(s,) for s in seconds])
with tables.open_file("t.h5") as f:
    before = [int(i) for i in f.root.table.get_where_list("x < 0")]
    found = {"array": f.root.array[:], "carray": f.root.carray[:], "column": f.root.table.col("x")}
    print(found, "rows before 1970:", before)
kept = list(found["array"][:2]) == seconds[:2] and math.isnan(found["array"][2])
wrapped = all([round(x, 1) for x in found[k]] == [1.5, -294969123.0, 0] for k in ("carray", "column"))
sys.exit(0 if kept and wrapped and before == [1] else 1)
PY
