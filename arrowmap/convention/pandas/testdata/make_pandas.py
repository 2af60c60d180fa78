#!/usr/bin/env python3
"""Writes pandas_fixed.h5.gz, pandas_table.h5.gz, pytables.h5.gz, pandas_bad.h5.gz and pandas.json: stores of pandas and
files of PyTables, compressed, and what must be read of them. The expected values come from the frames in memory, and what the schema's
metadata must say from pyarrow. Needs pandas, tables, h5py and pyarrow; the same bytes come out every time."""
import datetime
import gzip
import json
import os
import time
import warnings

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import tables as tb

warnings.simplefilter("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
started = int(time.time())
for kind in ("array", "carray", "earray", "vlarray", "table"):  # objects keep no times

    def without_times(self, *args, _make=getattr(tb.File, "create_" + kind), _small={"expectedrows": 1, "chunkshape": 2} if kind == "vlarray" else {}, **kw):
        return _make(self, *args, **(kw | _small | {"track_times": False}))
    setattr(tb.File, "create_" + kind, without_times)

n = 7
x = np.arange(n) * 0.5 - 1
x[3] = np.nan
stamps = pd.Series(pd.date_range("1969-12-30 12:00:00.000000001", periods=n, freq="D"))
spans = pd.Series(pd.to_timedelta(np.arange(n) * 10**9 - 1))
holed = [v if i % 3 else pd.NaT for i, v in enumerate(stamps)], [v if i % 3 else pd.NaT for i, v in enumerate(spans)]
text = ["a", None, "größe", "", "nan ", "longer", "b"]
out = {"files": {}, "bad": []}


def value(v):
    if v is None or v is pd.NaT or isinstance(v, float) and np.isnan(v):
        return "NaN" if isinstance(v, float) else None
    if isinstance(v, (np.bool_, bool)):
        return bool(v)
    if isinstance(v, (int, np.integer)):
        return int(v)
    if isinstance(v, (float, np.floating)):
        return "NaN" if np.isnan(v) else float(v)
    if isinstance(v, (pd.Timestamp, pd.Timedelta)):
        return int(v.value)
    if isinstance(v, pd.Period):
        return v.ordinal
    if isinstance(v, datetime.date):
        return (v - datetime.date(1970, 1, 1)).days
    if isinstance(v, dict):
        return {k: value(w) for k, w in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)):
        return [value(w) for w in v]
    return str(v)


def column(name, s):
    t, v = s.dtype, list(s)
    if isinstance(t, pd.CategoricalDtype):
        labels = {"O": "utf8", "i": "int64", "f": "float64", "M": "timestamp[ns]"}[t.categories.dtype.kind]
        kind = "dictionary<values=%s, indices=%s, ordered=%s>" % (labels, s.cat.codes.dtype, str(t.ordered).lower())
        return {"name": name, "type": kind, "values": [None if w is None or pd.isna(w) else value(w) for w in v]}
    if isinstance(t, pd.DatetimeTZDtype):
        kind = "timestamp[ns, tz=%s]" % {"UTC-05:30": "-05:30"}.get(str(t.tz), t.tz)
    elif isinstance(t, pd.PeriodDtype):
        kind = "int64"
    elif t.kind in "mM":
        kind = {"m": "duration", "M": "timestamp"}[t.kind] + "[ns]"
    elif t == object and isinstance(v[0], datetime.date):
        kind = "date32"
    elif t == object:
        kind, v = "utf8", [None if w is None or pd.isna(w) else w for w in v]
    else:
        kind = str(t)
    return {"name": name, "type": kind, "values": [value(w) for w in v]}


def expect(file, path, df, leave_out=()):
    """What the table at a path must be: the frame after reset_index(), and what pyarrow says of the frame."""
    if isinstance(df, pd.Series):
        df = df.to_frame()
    df = df.drop(columns=list(leave_out))
    flat = df.reset_index()
    said = pa.Table.from_pandas(df, preserve_index=True).schema.pandas_metadata
    levels = df.index.nlevels
    names = [str(c) for c in flat.columns]
    fields = said["columns"]
    index = {f["field_name"] for f in fields} & {d for d in said["index_columns"] if isinstance(d, str)}
    order = [f for f in fields if f["field_name"] not in index], [f for f in fields if f["field_name"] in index]
    assert len(order[1]) == levels, said
    for f, name in zip(order[0] + order[1], names[levels:] + names[:levels]):
        f["field_name"] = name
        if isinstance(f["metadata"], dict) and f["metadata"].get("timezone") == "UTC-05:30":
            f["metadata"]["timezone"] = "-05:30"
    out["files"].setdefault(file, []).append({
        "path": path, "columns": [column(str(c), flat.iloc[:, i]) for i, c in enumerate(flat.columns)],
        "index": names[:levels], "fields": order[0] + order[1], "levels": said["column_indexes"], "left_out": list(leave_out)})


def frame(index=None, **columns):
    return pd.DataFrame(columns, index=index)


def fixed():
    f = "pandas_fixed.h5"
    stores = {
        "/mixed": frame(pd.DatetimeIndex(stamps, name="when").tz_localize("Europe/Paris"), f=x, i=np.arange(n, dtype="i4"), g=x * 2, flag=[True, False] * 3 + [True], t=holed[0],
                        u=pd.Series(holed[0]).dt.tz_localize("UTC").to_numpy(object), d=holed[1], h=np.arange(n, dtype="u1")),
        "/one": frame(pd.period_range("2020-01", periods=n, freq="M", name="month"), x=x),
        "/levels": frame(pd.MultiIndex.from_arrays([["p", "q"] * 3 + ["p"], np.arange(n) // 2, stamps], names=["letter", None, "t"]), x=x),
        "/labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=[3, 1]),
        "/tuples": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=pd.MultiIndex.from_tuples([("a", 1), ("it's", 2)], names=["k", None])),
        "/float_labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=[0.5, 1e20]),
        "/time_labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=pd.to_datetime(["2020-01-01", "2021-02-03"])),
        "/small_labels": pd.DataFrame(np.arange(2 * n).reshape(n, 2), columns=pd.Index([-3, 2], dtype="i2")),
        "/nothing": frame(t=stamps, d=spans, c=x)[:0],
        "/series": pd.Series(np.arange(n)),
        "/series/below": pd.Series(x, index=pd.Index(["k%d" % i for i in range(n)], name="key"), name="val"),
        "/none": frame(x=x, i=np.arange(n, dtype="i2"))[:0],
        "/dates": frame([datetime.date(1, 1, 1 + i) if i % 2 else datetime.date(2020, 2, 26 + i // 2) for i in range(n)], x=x),
        "/objects": frame(s=text, x=x),
        "/pickles": frame(s=text, o=[1, "x"] * 3 + [None], x=x),
    }
    stores["/mixed"]["u"] = pd.to_datetime(stores["/mixed"]["u"], utc=True).dt.tz_convert(datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))
    for k, df in stores.items():
        df.to_hdf(f, key=k, format="fixed", mode="w" if k == "/mixed" else "a")
        expect(f, k, df, ["o"] if k == "/pickles" else [])


def table():
    f = "pandas_table.h5"
    c = pd.Categorical
    stores = {
        "/all": frame(pd.Index(["k%d" % i for i in range(n)], name="key"), s=["nan" if v == "a" else v for v in text], x=x, t=holed[0], z=stamps.dt.tz_localize("Asia/Tokyo").array, y=x * 2,
                      flag=[False, True] * 3 + [False], d=holed[1], few=list("abcabca"), i=np.arange(n, dtype="i1")),
        "/cats": frame(pd.DatetimeIndex(stamps).tz_localize("UTC"), few=c(["x", "größe", None, "x", "x", "x", "x"]), rank=c(["lo", "hi", None, "mid", "lo", "lo", "hi"], categories=["lo", "mid", "hi"], ordered=True),
                       num=c([10, 30, 20, 10, 10, 10, 10]), when=c([stamps[0], stamps[1], None, stamps[0], stamps[0], stamps[0], stamps[0]]), none=c(np.array([np.nan] * n))),
        "/levels": frame(pd.MultiIndex.from_arrays([["p", "q"] * 3 + ["p"], np.arange(n) // 2], names=["letter", None]), x=x, y=x * 2),
        "/series": pd.Series(x),
        "/series/below": pd.Series(x, index=pd.Index(np.arange(n) * 3, name="values"), name="val"),
        "/series/meta": frame(spans, x=x),
    }
    more = {"/all": dict(data_columns=["few", "z"], nan_rep="<none>")}
    for k, df in stores.items():
        df.to_hdf(f, key=k, format="table", mode="w" if k == "/all" else "a", index=False, complib="zlib", complevel=9, **more.get(k, {}))
        expect(f, k, df)
    frame(s=["é", "nan"]).to_hdf(f, key="/latin1", format="table", index=False, encoding="latin-1", complib="zlib", complevel=9)
    expect(f, "/latin1", frame(s=["é", None]))
    frame(s=["é", "nan"]).to_hdf(f, key="/other_text", format="table", index=False, encoding="cp1252", complib="zlib", complevel=9)
    out["bad"].append({"file": f, "path": "/other_text", "kind": "unsupported", "says": "cp1252", "listed": True})


def pytables():
    f = "pytables.h5"

    class Inner(tb.IsDescription):
        _v_pos = 3
        t = tb.Time64Col(pos=0)
        ok = tb.BoolCol(pos=1)
        two = tb.Time32Col(shape=(2,), pos=2)
    e = tb.Enum({"red": 1, "green": 20})
    us = [-1250000, -250000, 250000, 0, 2**31 * 10**6 - 1, -2**31 * 10**6, 1]
    desc = {"b": tb.BoolCol(pos=0), "bits": tb.BoolCol(shape=(2,), pos=1), "t32": tb.Time32Col(pos=2), "in": Inner(), "e": tb.EnumCol(e, "red", base="int16", pos=4), "t64": tb.Time64Col(pos=5)}
    small = tb.Filters(9, "zlib")
    with tb.open_file(f, "w") as h:
        for order in ("little", "big"):
            t = h.create_table("/", order, desc, byteorder=order, filters=small, expectedrows=n)
            rec = np.zeros(n, t.dtype)
            rec["b"], rec["bits"][:, 1], rec["t32"], rec["t64"] = np.arange(n) % 2, np.arange(n) % 3 == 0, np.arange(n) - 2**31, np.array(us) / 1e6
            rec["in"]["t"], rec["in"]["ok"], rec["in"]["two"], rec["e"] = rec["t64"], np.arange(n) % 2 == 0, np.arange(2 * n).reshape(n, 2), [1, 20] * 3 + [1]
            t.append(rec)
            stamp = "timestamp[us]"
            out["files"].setdefault(f, []).append({"path": "/" + order, "columns": [
                {"name": "b", "type": "bool", "values": [i % 2 == 1 for i in range(n)]},
                {"name": "bits", "type": "fixed_size_list<item: bool, nullable>[2]", "values": [[False, i % 3 == 0] for i in range(n)]},
                {"name": "t32", "type": "timestamp[s]", "values": [i - 2**31 for i in range(n)]},
                {"name": "in", "type": "struct<t: %s nullable, ok: bool nullable, two: fixed_size_list<item: timestamp[s], nullable>[2] nullable>" % stamp,
                 "values": [{"t": us[i], "ok": i % 2 == 0, "two": [2 * i, 2 * i + 1]} for i in range(n)]},
                {"name": "e", "type": "dictionary<values=utf8, indices=int16, ordered=false>", "values": ["red", "green"] * 3 + ["red"]},
                {"name": "t64", "type": stamp, "values": us}]})
        h.create_carray("/arrays", "a", obj=np.arange(3), filters=small, createparents=True)
        v = h.create_vlarray("/arrays", "v", tb.Int16Atom(), filters=small)
        v.append([1, 2])
        v.append([])
    with h5py.File(f, "a") as h:  # an index tree, as PyTables lays it out
        for path in ("_i_little", "_i_little/t32"):
            h.create_group(path).attrs["CLASS"] = np.bytes_("TINDEX" if path == "_i_little" else "INDEX")
        for name in ("bounds", "ranges"):
            h.create_dataset("_i_little/t32/" + name, data=np.arange(4))


def bad():
    f = "pandas_bad.h5"
    run = b"cos\nsystem\np0\n(Vecho out\np1\ntp2\nRp3\n."
    rec = np.zeros(3, [("index", "<i8"), ("values_block_0", "<f8", (2,)), ("c", "i1")])

    def store(h, path, kind, says, listed=False, table_attrs={}, **attrs):
        g = h.create_group(path)
        base = {"pandas_type": b"frame_table", "table_type": b"appendable_frame", "values_cols": b"(lp0\nVvalues_block_0\np1\naVc\np2\na.", "index_cols": b"(lp0\n(I0\nVindex\np1\ntp2\na.",
                "non_index_axes": b"(lp0\n(I1\n(lp1\nVx\np2\naVy\np3\naVc\np4\natp5\na.", "info": b"(d."}
        for k, v in (base | attrs).items():
            if v is not None:
                g.attrs[k] = v if isinstance(v, int) else np.bytes_(v)
        d = g.create_dataset("table", data=rec)
        for k, v in ({"index_kind": b"integer", "values_block_0_kind": b"(lVx\naVy\na.", "values_block_0_dtype": b"float64", "c_kind": b"(lVc\na.", "c_dtype": b"int8"} | table_attrs).items():
            d.attrs[k] = np.bytes_(v)
        out["bad"].append({"file": f, "path": path, "kind": kind, "says": says, "listed": listed})
        return g
    with h5py.File(f, "w") as h:
        store(h, "/runs", "unsupported", "os.system", listed=True, info=run)
        store(h, "/runs_in_names", "unsupported", "os.system", listed=True, non_index_axes=run)
        store(h, "/runs_in_encoding", "unsupported", "os.system", listed=True, encoding=run)
        store(h, "/runs_in_kind", "unsupported", "os.system", listed=True, table_attrs={"c_kind": run})
        store(h, "/runs_in_meta", "unsupported", "os.system", listed=True, table_attrs={"c_meta": run})
        store(h, "/runs_in_zone", "unsupported", "datetime.date", listed=True, info=b"(dVc\n(dVtz\ncdatetime\ndate\n(I1\nI1\nI1\ntRss.", table_attrs={"c_dtype": b"datetime64[ns]"})
        store(h, "/other_axis", "unsupported", "axes", listed=True, index_cols=b"(l(I1\nVindex\nta.")
        store(h, "/worm", "unsupported", "worm", listed=True, table_type=b"worm")
        store(h, "/panel", "unsupported", "wide_table", listed=True, pandas_type=b"wide_table")
        store(h, "/names_too_few", "corrupt", "1 names for the 2 columns", table_attrs={"values_block_0_kind": b"(lVx\na."})
        store(h, "/no_such_member", "corrupt", "not a member of the table", values_cols=b"(lVnone\na.")
        store(h, "/no_such_column", "corrupt", "the column z is missing", non_index_axes=b"(l(I1\n(lVz\nata.")
        store(h, "/no_values", "corrupt", "values_cols", values_cols=None)
        store(h, "/no_list", "corrupt", "not a list", values_cols=b"I7\n.")
        store(h, "/no_such_index", "corrupt", "no member i", listed=True, index_cols=b"(l(I0\nVi\nta.")
        store(h, "/no_such_level", "corrupt", "the level u", levels=b"(lVu\na.")
        store(h, "/levels_twice", "corrupt", "two levels", levels=b"(lVc\naVc\na.")
        g = store(h, "/ring", "corrupt", "categor", listed=True, table_attrs={"c_meta": b"category"})
        ring = g.create_group("meta").create_group("c")
        ring["meta"] = g
        g = store(h, "/no_table", "corrupt", "no table")
        del g["table"]

        def frame(path, kind, says, listed=False, labels=b"ab", nblocks=1, values=(3, 2), **attrs):
            g = h.create_group(path)
            for k, v in ({"pandas_type": b"frame", "axis0_variety": b"regular", "axis1_variety": b"regular", "block0_items_variety": b"regular"} | attrs).items():
                g.attrs[k] = v if isinstance(v, int) else np.bytes_(v)
            g.attrs["nblocks"] = nblocks
            for k in ("axis0", "block0_items"):
                g.create_dataset(k, data=np.frombuffer(labels, "S1")).attrs["kind"] = np.bytes_("string")
            g.create_dataset("axis1", data=np.arange(3)).attrs["kind"] = np.bytes_("integer")
            g.create_dataset("block0_values", data=np.zeros(values)).attrs["transposed"] = np.uint8(1)
            out["bad"].append({"file": f, "path": path, "kind": kind, "says": says, "listed": listed})
            return g
        frame("/blocks", "corrupt", "nblocks", nblocks=10**6)
        frame("/shape", "corrupt", "shape", listed=True, values=(3, 5))
        frame("/heights", "corrupt", "rows", listed=True, values=(4, 2))
        frame("/columns", "unsupported", "column by column", listed=True, values=(2, 3))
        frame("/names", "corrupt", "UTF-8", labels=b"a\xff")
        frame("/levels_of_labels", "corrupt", "nlevels", axis0_variety=b"multi", axis0_nlevels=65)
        g = frame("/codes", "corrupt", "the code 1", axis0_variety=b"multi", axis0_nlevels=1)
        g.create_dataset("axis0_level0", data=np.arange(1)).attrs["kind"] = np.bytes_("integer")
        g.create_dataset("axis0_label0", data=np.arange(2, dtype="i1"))
        g = frame("/codes_of_index", "corrupt", "index 3 into a dictionary of 3", listed=True, axis1_variety=b"multi", axis1_nlevels=1)
        g.move("axis1", "axis1_level0")
        g.create_dataset("axis1_label0", data=np.array([0, -1, 3], "i1"))
        g = frame("/pickled_names", "unsupported", "pickle", listed=True)
        del g["axis0"]
        g.create_dataset("axis0", (1,), h5py.vlen_dtype(np.uint8)).attrs["kind"] = np.bytes_("object")
        g = frame("/dates_too_late", "unsupported", "not a date", listed=True)
        g["axis1"].attrs["kind"] = np.bytes_("date")


def compress(name):
    """Compresses a file, without the times that some objects keep all the same (message 0x12, version 1)."""
    with open(name, "rb") as f:
        data = f.read()
    os.remove(name)
    for t in range(started, int(time.time()) + 1):
        data = data.replace(b"\1\0\0\0" + t.to_bytes(4, "little"), b"\1\0\0\0\0\0\0\0")
    with open(name + ".gz", "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0))


fixed()
table()
pytables()
bad()
for name in ("pandas_fixed.h5", "pandas_table.h5", "pytables.h5", "pandas_bad.h5"):
    compress(name)
with open("pandas.json", "w") as f:
    json.dump(out, f, ensure_ascii=False, separators=(",", ":"))
    f.write("\n")
