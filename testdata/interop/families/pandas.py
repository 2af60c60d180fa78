"""Stores of pandas, in the table and the fixed format. Any pandas from 2 on can write them: those of 2 and 3 differ."""
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
from caselib import arrow, dictionary, floats, ints, text, words


def make(F):
    warnings.simplefilter("ignore")
    pandas_table(F)
    pandas_fixed(F)


def series_truth(s):
    """What is expected of a column: times have the unit of their type, missing text is None in pandas 2, NaN in pandas 3."""
    if isinstance(s.dtype, pd.CategoricalDtype):
        codes, cats = s.cat.codes.to_numpy(), s.cat.categories
        vals = text(cats) if pd.api.types.is_string_dtype(cats.dtype) else arrow(cats.to_numpy())
        return dictionary(np.where(codes < 0, 0, codes), vals, pa.from_numpy_dtype(codes.dtype), mask=codes < 0, ordered=s.cat.ordered)
    if isinstance(s.dtype, pd.DatetimeTZDtype):
        t = pa.timestamp(s.dtype.unit, str(s.dtype.tz))
        return pa.array(s.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().view("i8"), t, mask=s.isna().to_numpy())
    if s.dtype.kind in "mM":
        unit = np.datetime_data(s.dtype)[0]
        t = pa.timestamp(unit) if s.dtype.kind == "M" else pa.duration(unit)
        return pa.array(s.to_numpy().view("i8"), t, mask=s.isna().to_numpy())
    if pd.api.types.is_string_dtype(s.dtype):
        return text(None if pd.isna(v) else v for v in s)
    return arrow(s.to_numpy())


def frame_truth(df):
    """The index first, as reset_index() names it, then the columns; NaN stays NaN, NaT and missing text are null."""
    df = df.reset_index()
    return {str(c): series_truth(df[c]) for c in df.columns}


def frames(F):
    n, r = F.rows, F.rng("pandas")
    num = pd.DataFrame({"i8": ints(r, "i1", n), "f": floats(r, "f8", n), "i64": ints(r, "i8", n), "u1": ints(r, "u1", n), "g": floats(r, "f8", n),
                        "f4": floats(r, "f4", n), "i4": ints(r, "i4", n), "u4": ints(r, "u4", n), "flag": r.random(n) < 0.5, "flag2": r.random(n) < 0.5, "u8": ints(r, "u8", n)})
    t = pd.Series(pd.to_datetime(r.integers(0, 2 * 10**18, n)))
    td = pd.Series(pd.to_timedelta(r.integers(-10**15, 10**15, n)))
    t[::7], td[::5] = pd.NaT, pd.NaT
    times = pd.DataFrame({"t": t, "x": np.arange(n) * 0.5, "td": td, "t2": t[::-1].to_numpy()})
    w = [x.strip() for x in words(r, n)]
    s = pd.Series([None if i % 6 == 4 else x for i, x in enumerate(w)], dtype=object)
    strings = pd.DataFrame({"s": s, "x": np.arange(n), "longer": [x + "…" * 9 for x in w], "few": [["a", "bb", ""][i % 3] for i in range(n)]})
    return num, times, strings


def pandas_table(F):
    num, times, strings = frames(F)
    n = F.rows

    def put(name, df, notes="", **kw):
        fn = "pandas_table_%s.h5" % name
        df.to_hdf(F.path(fn), key="df", format="table", mode="w", **kw)
        F.case("pandas_table_" + name, fn, frame_truth(df if isinstance(df, pd.DataFrame) else df.to_frame()), table="/df", notes=notes)
    put("numeric", num, "blocks of equal type, columns in the frame's order; bool is a bitfield")
    put("times", times, "NaT is null")
    put("strings", strings, "text equal to nan_rep is null")
    put("nan_rep", strings.assign(s=["nan" if i % 4 == 0 else v for i, v in enumerate(strings.s)]), "nan_rep is '<none>': the text nan is text", nan_rep="<none>")
    put("data_columns", pd.concat([num, times], axis=1), "every column a member of its own", data_columns=True, index=False)
    put("data_columns_some", pd.concat([num, strings], axis=1), data_columns=["u1", "s", "flag"])
    cat = pd.DataFrame({"c": pd.Categorical([["x", "größe", None, "z"][i % 4] for i in range(n)]), "x": np.arange(n),
                        "o": pd.Categorical([["lo", "mid", None, "hi"][i % 4] for i in range(n)], categories=["lo", "mid", "hi"], ordered=True),
                        "num": pd.Categorical([[10, 20, 30][i % 3] for i in range(n)])})
    put("categorical", cat, "code -1 is null; the labels are in /df/meta")
    put("datetime_index", times[["x", "td"]].set_index(pd.date_range("2001-02-03", periods=n, freq="h", name="when")), "a named index of datetimes")
    put("string_index", num[["f", "i4"]].set_index(pd.Index(["k%05d" % i for i in range(n)])))
    put("multiindex", num[["f", "i4", "flag"]].set_index(pd.MultiIndex.from_arrays([["g%d" % (i % 7) for i in range(n)], np.arange(n) // 7], names=["group", "item"])),
        "levels first, in their order")
    put("tz", pd.DataFrame({"a": pd.date_range("2020-03-01", periods=n, freq="h", tz="Europe/Paris"), "b": pd.date_range("2020-03-01", periods=n, freq="s", tz="UTC")}),
        "instants in UTC, the zone is the type's")
    put("series", num.f.rename("val"), "a Series: index and one column")
    put("blosc", num, complib="blosc:lz4", complevel=5)
    put("zlib", num, complib="zlib", complevel=5)
    put("one_row", num[:1])
    fn = "pandas_table_append.h5"
    with pd.HDFStore(F.path(fn), "w") as st:
        for a in range(0, n, 100):
            st.append("deep/key", num[a:a + 100])
        st.put("other", num[["f"]], format="table")
    F.case("pandas_table_append", fn, frame_truth(num), table="/deep/key", notes="many appends; a second table in the file")
    F.case("pandas_two_tables_none_chosen", fn, error="usage")


def pandas_fixed(F):
    num, times, strings = frames(F)
    n = F.rows

    def put(name, df, notes="", **kw):
        fn = "pandas_fixed_%s.h5" % name
        df.to_hdf(F.path(fn), key="df", format="fixed", mode="w", **kw)
        F.case("pandas_fixed_" + name, fn, frame_truth(df if isinstance(df, pd.DataFrame) else df.to_frame()), table="/df", notes=notes)
    put("numeric", num, "blocks (N, k); columns in the order of axis0")
    put("times", times, "NaT is null; value_type says what a block is")
    put("one_block", num[["f", "g"]])
    put("one_column", num[["i64"]], "the only shape that maps without a copy")
    put("datetime_index", num[["f", "i4"]].set_index(pd.date_range("2001-02-03", periods=n, freq="D", name="when")))
    put("string_index", num[["f"]].set_index(pd.Index(["k%05d" % i for i in range(n)], name="key")))
    put("multiindex", num[["f", "flag"]].set_index(pd.MultiIndex.from_arrays([["g%d" % (i % 7) for i in range(n)], np.arange(n) // 7], names=["group", None])),
        "an unnamed level is level_1, as reset_index() calls it")
    put("int_column_names", pd.DataFrame(np.arange(3 * n).reshape(n, 3) * 0.5), "names are text: 0, 1, 2")
    put("tz", pd.DataFrame({"a": pd.date_range("2020-03-01", periods=n, freq="h", tz="Europe/Paris")}))
    put("series", num.f.rename("val"))
    put("zlib", num, complib="zlib", complevel=5)
    put("no_rows", num[:0][["f", "i4"]].reset_index(drop=True), "an empty array is stored as one element with a shape attribute")
    fn = "pandas_fixed_objects.h5"
    strings.to_hdf(F.path(fn), key="df", format="fixed", mode="w")
    F.case("pandas_fixed_objects", fn, frame_truth(strings), table="/df", notes="a block of text is a pickle: decoded, never executed")
    F.case("pandas_fixed_objects_avoided", fn, {"x": arrow(strings.x.to_numpy())}, table="/df", args=["--columns", "x"])
