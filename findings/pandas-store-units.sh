#!/bin/sh
# pandas' HDFStore forgets units. Timedeltas: in the fixed format, an index or a column in seconds is read as nanoseconds (a
# second becomes a nanosecond); in the table format an index is read as plain integers, and only a column stays right. Times are
# the other way round: a column in microseconds, which pandas itself makes of many inputs, is read as nanoseconds in both formats (2020 becomes
# January 1970), though its unit is stored beside it, and only an index stays right. No error, no warning.
#
# pandas 2.3.3 with PyTables 3.10.1. Prints the versions and what is read; the status is 0 as long as that differs.
#
# usage: findings/pandas-store-units.sh        needs Python 3.10 to 3.13 with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check pandas==2.3.3 tables==3.10.1 numpy==2.2.6
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import sys

import numpy as np
import pandas as pd
import tables

print("pandas", pd.__version__, "PyTables", tables.__version__)
spans = np.array([1, 60, 3600], "timedelta64[s]")
frame = pd.DataFrame({"span": spans}, index=pd.TimedeltaIndex(spans))
print("stored: index of", frame.index.dtype, [str(x) for x in frame.index])
wrong = []
for form in "fixed", "table":
    frame.to_hdf(form + ".h5", key="t", format=form)
    got = pd.read_hdf(form + ".h5", "t")
    print("%s: index of %s %s, column %s" % (form, got.index.dtype, [str(x) for x in got.index], [str(x) for x in got["span"]]))
    wrong.append(not (got.index.dtype.kind == "m" and (got.index == frame.index).all()))
times = np.array(["2020-01-01", "2020-01-02"], "datetime64[us]")
frame = pd.DataFrame({"time": times}, index=pd.DatetimeIndex(times))
print("stored: column of", frame["time"].dtype, [str(x) for x in frame["time"]])
for form in "fixed", "table":
    frame.to_hdf(form + ".h5", key="t", format=form, mode="w")
    got = pd.read_hdf(form + ".h5", "t")
    print("%s: column of %s %s, index %s" % (form, got["time"].dtype, [str(x) for x in got["time"]], [str(x) for x in got.index]))
    wrong.append(not (got["time"].to_numpy() == times).any() and bool((got.index == frame.index).all()))
sys.exit(0 if all(wrong) else 1)
PY
