#!/usr/bin/env python3
"""Writes pandas_VERSION.h5.gz and pandas_VERSION.json: stores by the pandas that runs this, compressed, and what must be
read of them. The expected values are those of the frames in memory, or, where that pandas reads others, what it reads. Run it
once with pandas 3.1.1 (numpy 2.5.5) and once with 2.3.3 (numpy 2.4.6), both with tables 3.11.1."""
import datetime
import decimal
import gzip
import json
import os
import time
import uuid
import warnings

import numpy as np
import pandas as pd
import tables as tb

warnings.simplefilter("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
started = int(time.time())
for kind in ("array", "carray", "earray", "vlarray", "table"):  # objects keep no times

    def without_times(self, *args, _make=getattr(tb.File, "create_" + kind), _small={"expectedrows": 1, "chunkshape": 2} if kind == "vlarray" else {}, **kw):
        return _make(self, *args, **(kw | _small | {"track_times": False}))
    setattr(tb.File, "create_" + kind, without_times)

new = pd.__version__ >= "3"
day = pd.to_datetime(["2024-01-31", "2024-02-29", None])
hours = pd.to_timedelta(["1h", None, "-3h"])
text = "str" if new else object
frames = {
    "marks": pd.DataFrame({"city": ["nan", None, "Oslo", ""], "code": ["_nan_", "nan", None, "x"], "all": ["a", "b", "c", "nan"]}, dtype=text),
    "missing": pd.DataFrame({"s": pd.Series([None, None], dtype=text), "v": [1, 2]}),
    "nuls": pd.DataFrame({"s": pd.Series(["a\0b", "c\0d", ""], dtype=text), "v": range(3)}),
    "categories": pd.DataFrame({"c": pd.Categorical(["nan", "x", None, "y", "x"]), "o": pd.Categorical([3, 1, None, 1, 3], ordered=True)}),
    "text_index": pd.DataFrame({"v": range(4)}, index=pd.Index(["nan", "_nan_", None, "ł"], dtype=text, name="k")),
    "levels": pd.DataFrame({"v": range(3)}, index=pd.MultiIndex.from_arrays([hours.as_unit("ms" if new else "ns"), day, ["nan", None, "b"]], names=["d", "t", "s"])),
    "category_index": pd.DataFrame({"v": range(4)}, index=pd.CategoricalIndex(["b", "nan", None, "b"], name="k", ordered=True)),
    "category_times": pd.DataFrame({"v": range(3)}, index=pd.CategoricalIndex(day[[0, 1, 0]])),
    "span_index": pd.DataFrame({"v": range(3)}, index=hours),
    "span_seconds": pd.DataFrame({"v": range(3)}, index=hours.as_unit("s" if new else "ns")),  # 2.3.3 loses the unit
    "periods": pd.DataFrame({"p": pd.Series(pd.PeriodIndex(["2024-01", None, "2024-03"], freq="M")), "d": pd.Series(pd.period_range("2024-01-01", periods=3, freq="2D"))}),
    "period_index": pd.DataFrame({"v": range(3)}, index=pd.PeriodIndex(["2024Q1", None, "2024Q3"], freq="Q-MAR", name="q")),
    "offset": pd.DataFrame({"v": range(3)}, index=pd.date_range("2024-01-05", periods=3, freq=pd.DateOffset(months=1))),
    "business": pd.DataFrame({"v": range(3)}, index=pd.date_range("2024-01-05", periods=3, freq=pd.offsets.CustomBusinessDay())),
    "units": pd.DataFrame({u: pd.Series(day).dt.as_unit(u) for u in ("s", "ms", "us", "ns")}),
    "text": pd.DataFrame({"s": pd.Series(["a", "żółw", "", None, "a"], dtype=text), "t": pd.Series([None, "numpy", "b", "b", "nan"], dtype=text), "x": np.arange(5) * 0.5}),
    "objects": pd.DataFrame({"s": ["a", None, np.nan], "t": ["x", pd.NA, pd.NaT], "b": [True, None, False]}, dtype=object),
    "string": pd.DataFrame({"s": pd.Series(["a", None, "ż"], dtype="string")}),
    "one": pd.DataFrame({"s": pd.Series(["ż" * 300], dtype=text)}),
    "no_rows": pd.DataFrame({"a": np.array([], "i8"), "s": pd.Series([], dtype=text), "d": pd.Series([], dtype="m8[s]" if new else "m8[ns]")}),
    "series": pd.Series(["a", None, "ż", ""], name="txt", dtype=text),
    "many": pd.DataFrame({"s": pd.Series(["ab"[i % 2] for i in range(1001)], dtype=text)}),
}
labels = {
    "dates": [datetime.date(2024, 1, 1), datetime.date(1999, 12, 31)],
    "zoned": pd.to_datetime(["2024-03-31", "2024-04-01"]).tz_localize("Europe/Oslo"),
    "offset": pd.to_datetime(["2024-03-31", "2024-04-01"]).tz_localize(datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
    "span": pd.to_timedelta([1, -30], unit="h"),
    "months": pd.period_range("2024-01", periods=2, freq="M"),
    "weeks": pd.period_range("2024-02-15", periods=2, freq="W-WED"),
    "quarters": pd.period_range("2024-02-15", periods=2, freq="Q-MAR"),
    "hours": pd.period_range("2024-02-15 13:45", periods=2, freq="h"),
    "business": pd.period_range("2024-02-16", periods=2, freq="B"),
    "numpy": pd.Index([np.int64(1), np.datetime64("2024-01-01", "D"), np.float64(0.5)], dtype=object),
    "others": pd.Index([datetime.time(1, 2), decimal.Decimal("1.50"), uuid.UUID(int=7), 1 + 2j, b"x", None, datetime.datetime(2024, 1, 2, 3, 4, 5, 6)], dtype=object),
    "seconds": pd.to_datetime(["2024-01-01", "2024-01-02"]).as_unit("s"),
    "category": pd.CategoricalIndex(["x", "y"]),
    "multi": pd.MultiIndex.from_tuples([("a", datetime.date(2024, 1, 1)), ("b", datetime.date(2024, 1, 2))]),
    "kinds": pd.Index(["a", 1, ("b", 2)], dtype=object, tupleize_cols=False),
}
for k, v in labels.items():
    frames["called_" + k] = pd.DataFrame([np.arange(len(v)) * 0.5] * 2, columns=v)


def value(v):
    if v is None or v is pd.NaT or v is pd.NA or isinstance(v, float) and np.isnan(v):
        return None
    if isinstance(v, pd.Period):
        return v.ordinal
    return v.item() if isinstance(v, np.generic) else v


def column(name, s):
    t, v = s.dtype, list(s)
    if isinstance(t, pd.CategoricalDtype):
        inner = column("", pd.Series(t.categories))
        kind = "dictionary<values=%s, indices=%s, ordered=%s>" % (inner["type"], s.cat.codes.dtype, str(t.ordered).lower())
        return {"name": name, "type": kind, "values": [None if c < 0 else inner["values"][c] for c in s.cat.codes]}
    if isinstance(t, pd.PeriodDtype):
        kind = "int64"
    elif t.kind == "M":
        unit = np.datetime_data(t)[0]
        kind = "timestamp[%s]" % unit
        v = [None if pd.isna(w) else int(w.as_unit(unit)._value) for w in v]
    elif t.kind == "m":
        unit = np.datetime_data(t)[0]
        kind = "duration[%s]" % unit
        v = [None if pd.isna(w) else int(w.as_unit(unit)._value) for w in v]
    elif t.kind == "O" or isinstance(t, pd.StringDtype):
        kind = "bool" if any(w is True for w in v) else "utf8"
    else:
        kind = str(t)
    return {"name": name, "type": kind, "values": [value(w) for w in v]}


def label(c):
    """A column's name: parts of a tuple other than plain values are their text."""
    if isinstance(c, tuple):
        return "(%s)" % ", ".join(repr(p) if isinstance(p, (str, int)) else str(p) for p in c)
    return str(c)


def main():
    base = "pandas_%s" % pd.__version__
    out = {"not_written": [], "tables": []}
    with pd.HDFStore(base + ".h5", "w") as store:
        for name, frame in frames.items():
            for form in ("table", "fixed"):
                key = "%s_%s" % (name, form)
                try:
                    if name == "many" and form == "table":
                        continue
                    store.put(key, frame, format=form, **({"index": False} if form == "table" else {}))
                except Exception as e:  # this pandas can't write it
                    out["not_written"].append("%s: %s" % (key, type(e).__name__))
                    if key in store.root:
                        store.root._v_file.remove_node("/" + key, recursive=True)
                    continue
                if key not in store.root:
                    out["not_written"].append("%s: nothing" % key)
                    continue
                f = frame.to_frame() if isinstance(frame, pd.Series) else frame
                columns = []
                for i in range(f.index.nlevels):
                    s = pd.Series(f.index.get_level_values(i))
                    if not new and s.dtype.kind == "O" and form == "table" or not new and name == "levels":
                        s = nan_is_missing(s)
                    columns.append(column(f.index.names[i] or ("index" if f.columns.nlevels == 1 else "('index', '')"), s))
                for i, c in enumerate(f.columns):
                    s = f.iloc[:, i].reset_index(drop=True)
                    if not new and form == "table":
                        s = nan_is_missing(s)
                    columns.append(column(label(c), s))
                out["tables"].append({"path": "/" + key, "columns": columns})
    with open(base + ".h5", "rb") as h:
        data = h.read()
    os.remove(base + ".h5")
    for t in range(started, int(time.time()) + 1):
        data = data.replace(b"\1\0\0\0" + t.to_bytes(4, "little"), b"\1\0\0\0\0\0\0\0")
    with open(base + ".h5.gz", "wb") as h:
        h.write(gzip.compress(data, 9, mtime=0))
    with open(base + ".json", "w") as h:
        json.dump(out, h, ensure_ascii=False, separators=(",", ":"))
        h.write("\n")


def nan_is_missing(s):
    """What pandas before 3.1 makes of the text "nan" in a table."""
    if isinstance(s.dtype, pd.CategoricalDtype):
        return s.cat.remove_categories([c for c in s.cat.categories if c == "nan"])
    return s.mask(s == "nan", None) if s.dtype.kind == "O" else s


main()
