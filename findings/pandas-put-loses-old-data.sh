#!/bin/sh
# pandas' HDFStore.put deletes what is stored under a key before it knows whether it can store the new frame. If it can't, it
# raises an error, and the old data are gone: the key is listed, and can't be read.
#
# pandas 3.1.1, tables 3.11.1. Prints versions and what happens; the status is 0 as long as it happens.
#
# usage: findings/pandas-put-loses-old-data.sh        needs Python 3.11 or later with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check pandas==3.1.1 tables==3.11.1 numpy==2.4.6
cd "$dir"
"$dir/venv/bin/python" -W ignore - <<'PY'
import sys

import pandas as pd
import tables

print("pandas", pd.__version__, "tables", tables.__version__)
old = pd.DataFrame({"good": [1, 2, 3]})
new = [
    ("a category, fixed", pd.Series(pd.Categorical(["a", "b"])), "fixed"),
    ("Int64, fixed", pd.DataFrame({"n": pd.array([1, None], "Int64")}), "fixed"),
    ("Int64, table", pd.DataFrame({"n": pd.array([1, None], "Int64")}), "table"),
]
kept = 0
for name, frame, form in new:
    with pd.HDFStore("store.h5", "w") as store:
        store.put("k", old)
        try:
            store.put("k", frame, format=form)
            sys.exit("%s: stored" % name)
        except NotImplementedError as e:
            print("%s: put raises %s: %s" % (name, type(e).__name__, str(e)[:60]))
        try:
            kept += store["k"].equals(old)
            print("  the old data are there")
        except Exception as e:
            print("  keys %s; reading raises %s: %s" % (store.keys(), type(e).__name__, str(e)[:70]))
sys.exit(1 if kept else 0)
PY
