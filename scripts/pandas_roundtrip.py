#!/usr/bin/env python3
"""Converts HDFStores with h5arrow, the result to frames with pyarrow's to_pandas(), and compares these with what pandas reads:
values, types, index, names, categories.

    pandas_roundtrip.py CASEDIR --h5arrow BIN

The stores are those of the interoperability cases in CASEDIR, and others, written here, for what the cases do not cover.
"""
import argparse
import datetime
import glob
import os
import subprocess
import sys
import tempfile
import warnings
import zoneinfo

import numpy as np
import pandas as pd
import pandas.core.arrays.arrow.extension_types  # noqa: F401  (registers pandas' periods with pyarrow)
import pyarrow as pa
import pyarrow.ipc


def more_stores(folder):
    """Writes stores. Returns the files, and the original frames of those that pandas reads differently."""
    n = 6
    x = np.arange(n) * 0.5

    def on(index, **kw):
        return pd.DataFrame({"x": x, "n": np.arange(n, dtype="i4")}, index=index, **kw)
    stamps = pd.date_range("2020-01-31", periods=n, freq="D")
    frames = {
        "float_index": on(pd.Index(x * 3, name="depth")),
        "int_index": on(pd.Index(np.arange(n, dtype="i2"), name="index")),
        "bool_index": on(pd.Index([True, False] * 3)),
        "period_index": on(pd.period_range("2020-01", periods=n, freq="M")),
        "period_index_weeks": on(pd.period_range("2020-01", periods=n, freq="W-WED", name="week")),
        "zone_index": on(stamps.tz_localize("Europe/Paris")),
        "zoneinfo_index": on(stamps.tz_localize(zoneinfo.ZoneInfo("Asia/Tokyo"))),
        "offset_index": on(stamps.tz_localize(datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))),
        "us_index": on(stamps.as_unit("us")),
        "int_labels": pd.DataFrame(np.arange(3 * n).reshape(n, 3) * 0.5),
        "float_labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=[0.5, 1e20]),
        "time_labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=pd.to_datetime(["2020-01-01", "2021-02-03"])),
        "named_labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=pd.Index(["a", "b"], name="which")),
        "label_tuples": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=pd.MultiIndex.from_tuples([("a", 1), ("it's", 2)], names=["u", None])),
        "called_index": pd.DataFrame({"index": x, "level_0": np.arange(n)}),
        "levels": on(pd.MultiIndex.from_arrays([stamps, ["a", "b"] * 3, np.arange(n) % 2], names=["t", None, "odd"])),
        "level_with_nulls": on(pd.MultiIndex.from_arrays([[1, 1, 2, 2, 3, 3], ["a", None] * 3])),
        "series": pd.Series(x, name="val"),
        "series_no_name": pd.Series(np.arange(n)),
        "series_levels": pd.Series(x, index=pd.MultiIndex.from_product([[1, 2], ["a", "b", "c"]], names=["u", "v"]), name="val"),
        "half": pd.DataFrame({"h": x.astype("f2"), "i": np.arange(n)}),
        "no_rows": on(pd.Index(np.arange(n)))[:0],
        "no_columns": pd.DataFrame(index=[3, 1, 2]),
        "empty": pd.DataFrame(),
        "nothing": pd.DataFrame({"t": stamps, "d": stamps - stamps[0]})[:0],
    }
    dates = on([datetime.date(2020, 2, 27 + k) if k < 3 else datetime.date(1, 1, k) for k in range(n)])
    seconds = pd.DataFrame({"t": stamps.as_unit("s"), "x": x})
    spans = on(pd.timedelta_range("1s", periods=n, freq="s"))
    table = {
        "categories": pd.DataFrame({"none": pd.Categorical([None] * n), "few": pd.Categorical(["a", None, "größe"] * 2), "num": pd.Categorical([3.5, 1.5] * 3, ordered=True),
                                    "when": pd.Categorical(stamps)}),
        "text": pd.DataFrame({"s": ["a", None, "nan", "", "größe", "b"], "t": list("uvwxyz")}),
    }
    truth = {}  # pandas 2 reads these differently than it wrote them
    files = []
    for form in ("fixed", "table"):
        for name, df in (frames | (table if form == "table" else {}) | {"dates": dates, "seconds": seconds, "spans": spans}).items():
            if form == "table" and df.empty:
                continue  # nothing is written
            path = os.path.join(folder, "%s_%s.h5" % (form, name))
            df.to_hdf(path, key="df", format=form, mode="w")
            files.append(path)
            if name in ("dates", "seconds", "spans"):
                truth[path] = df
    path = os.path.join(folder, "table_columns.h5")
    table["text"].to_hdf(path, key="df", format="table", mode="w", data_columns=True, encoding="latin-1")
    pd.DataFrame({"s": pd.array(list("abc"), dtype="string")}).to_hdf(path, key="strings", format="table", data_columns=True)
    pd.DataFrame({"x": x}).to_hdf(path, key="df/below", format="fixed")
    return files + [path], truth


def same(want, got):
    """Raises AssertionError if two frames differ, except in the frequency of the index and the kind of nulls in text."""
    assert zone(want.index) == zone(got.index), "zones %s and %s" % (zone(want.index), zone(got.index))
    pd.testing.assert_frame_equal(plain(want), plain(got), check_freq=False, check_column_type="equiv" if len(want.columns) else False)


def zone(index):
    """Returns a zone's name or offset: pandas and pyarrow use different libraries for zones."""
    tz = getattr(index, "tz", None)
    try:
        return tz and tz.utcoffset(None) or str(tz)
    except Exception:
        return str(tz)


def plain(df):
    df = df.copy()
    for i, t in enumerate(df.dtypes):
        if t == object:
            df.isetitem(i, df.iloc[:, i].where(df.iloc[:, i].notna(), np.nan))
    if zone(df.index) != "None":
        df.index = df.index.tz_convert("UTC")
    return df


def check(path, key, h5arrow, truth):
    out = path + ".out.arrow"
    run = subprocess.run([h5arrow, "convert", path, out, "--table", key, "--force", "--quiet"], capture_output=True, text=True)
    if run.returncode == 4 and "objects" in os.path.basename(path):
        return None  # a pickled block: refused
    if run.returncode:
        return "exit status %d: %s" % (run.returncode, run.stderr.strip())
    with pa.OSFile(out) as f:
        got = pa.ipc.open_file(f).read_all().to_pandas()
    os.remove(out)
    want = truth.get(path)
    if want is None:
        want = pd.read_hdf(path, key)
    if isinstance(want, pd.Series):
        want = want.to_frame()
    try:
        same(want, got)
    except AssertionError as e:
        return " ".join(str(e).split())
    return None


def keys(path):
    with pd.HDFStore(path, "r") as store:
        return [k for k in store.keys() if "/meta/" not in k]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("casedir")
    p.add_argument("--h5arrow", required=True)
    a = p.parse_args()
    warnings.simplefilter("ignore")
    h5arrow = os.path.abspath(a.h5arrow)
    bad = done = 0
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for path in sorted(glob.glob(os.path.join(a.casedir, "**", "pandas_*.h5"), recursive=True)):
            link = os.path.join(folder, os.path.basename(path))
            os.symlink(os.path.abspath(path), link)
            files.append(link)
        more, truth = more_stores(folder)
        for path in files + more:
            for key in keys(path):
                done += 1
                wrong = check(path, key, h5arrow, truth)
                if wrong:
                    bad += 1
                    print("FAIL %s %s: %s" % (os.path.basename(path), key, wrong))
    print("pandas: %d stores, %d differ" % (done, bad))
    sys.exit(1 if bad or not files else 0)


if __name__ == "__main__":
    main()
