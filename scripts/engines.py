#!/usr/bin/env python3
"""Opens the outputs of the interoperability cases with engines, and compares all columns with what pyarrow reads.

    engines.py CASEDIR... --h5arrow BIN [--only PARTS] [--jobs N] [--engines pandas,polars,duckdb,datafusion]

Each case is converted to .arrow and .parquet. An engine has to open the file, and to have the rows, columns and values that
pyarrow has, which interop.py compares with the values in memory. A column that an engine is known not to take (KNOWN) is left
out when it reads that file, and counted; the run fails if an entry of KNOWN is met by no file. pandas has one missing value for null
and NaN, and floats for integers with nulls: its columns are compared as such. Status 1 if anything else is wrong.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

sys.dont_write_bytecode = True


def beyond(column):
    """Whether a time or duration in seconds or milliseconds does not fit in 64 bits of microseconds."""
    factor = 10**6 if column.type.unit == "s" else 1000
    ends = pc.min_max(column.cast(pa.int64())).as_py()
    return any(x is not None and abs(x) * factor >= 2**63 for x in ends.values())


def nan_label(column):
    return any(math.isnan(x) for chunk in column.chunks for x in chunk.dictionary.to_pylist())


# (engine, forms, pattern of the type, condition on the column, what is known)
KNOWN = [
    ("duckdb", ".arrow", r"halffloat", None, "DuckDB reads half floats from Parquet, not from Arrow data"),
    ("duckdb", ".arrow .parquet", r"^(timestamp|duration)\[m?s\]$", beyond, "DuckDB makes microseconds of them"),
    ("pandas", ".arrow", r"^dictionary<values=(double|float)", nan_label, "categories of pandas can't be NaN"),
]


def plain(x):
    """A value as the engines have it in common."""
    if isinstance(x, float):
        return "nan" if math.isnan(x) else x
    if isinstance(x, dict):
        return tuple(plain(v) for v in x.values())
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, (bytes, bytearray, memoryview)):
        return bytes(x)
    return x


def storage(t):
    """The type as which a column's values are compared: whole numbers for times, the values of dictionaries."""
    if isinstance(t, pa.BaseExtensionType):
        return storage(t.storage_type)
    if pa.types.is_dictionary(t):
        return storage(t.value_type)
    return t


def stored(column, t):
    """A chunked array as a list of Python's values, cast to the type that pyarrow reads."""
    if isinstance(column, pa.ChunkedArray) and isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type)
    want = storage(t)
    if column.type != want:
        column = column.cast(want)
    if pa.types.is_temporal(want) and not pa.types.is_interval(want):
        width = pa.int32() if pa.types.is_date32(want) or pa.types.is_time32(want) else pa.int64()
        column = column.cast(width)
    return column.to_pylist()


def values(column, t):
    """A chunked array as a list of the values that all engines have."""
    return [plain(x) for x in stored(column, t)]


def micros(column):
    """Durations as microseconds, cut toward 0, as DuckDB has them."""
    factor, over = {"s": (10**6, 1), "ms": (1000, 1), "us": (1, 1), "ns": (1, 1000)}[column.type.unit]
    return [None if x is None else int(math.copysign(abs(x) * factor // over, x)) if over > 1 else x * factor for x in column.cast(pa.int64()).to_pylist()]


class Frame:
    """A frame of pandas as the table that it was read from: the levels of the index are columns at their places."""

    def __init__(self, frame, schema):
        levels = [name for name in (schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)]
        rest = iter(range(frame.shape[1]))
        self.columns = [frame.index.get_level_values(levels.index(n)).to_series() if n in levels else frame.iloc[:, next(rest)] for n in schema.names]
        self.num_columns, self.schema = len(self.columns) + len(list(rest)), pa.schema([(str(i), pa.null()) for i in range(len(self.columns))])

    def column(self, i):
        return self.columns[i]


def with_pandas(path, form, names):
    import pandas as pd

    frame = pd.read_feather(path, names) if form == ".arrow" else pd.read_parquet(path, columns=names)
    schema = pa.ipc.open_file(path).schema if form == ".arrow" else pa.parquet.read_schema(path)
    if names is not None:
        schema = pa.schema([schema.field(n) for n in names], schema.metadata)
    return len(frame), Frame(frame, schema)


def missing(x):
    """A value as pandas has it: NaN and NaT are missing, arrays are lists, times whole numbers of their unit."""
    if isinstance(x, dict):
        return tuple(missing(v) for v in x.values())
    if isinstance(x, np.ndarray) and x.dtype.kind in "mM":
        x = [None if np.isnat(v) else int(v.astype("i8")) for v in x]
    if isinstance(x, (list, tuple, np.ndarray)):
        return [missing(v) for v in x]
    if isinstance(x, np.generic):
        x = x.item()
    if type(x).__name__ in ("NaTType", "NAType") or isinstance(x, float) and math.isnan(x):
        return None
    return x


def pandas_values(series, t):
    """A column of pandas as a list."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        labels = pandas_values(pd.Series(series.cat.categories), storage(t))
        return [None if code < 0 else labels[code] for code in series.cat.codes]
    if isinstance(series.dtype, pd.PeriodDtype):
        return [None if p is pd.NaT else p.ordinal for p in series]
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    a = series.to_numpy()
    if a.dtype.kind not in "mM":
        if pa.types.is_temporal(storage(t)):  # dates and times of a day are Python's
            return pa.array(list(a), storage(t), from_pandas=True).cast(pa.int32() if storage(t).bit_width == 32 else pa.int64()).to_pylist()
        return [missing(x) for x in a]
    if np.datetime_data(a.dtype) != (storage(t).unit, 1):
        raise ValueError("the unit is %s" % a.dtype)
    return [None if v == np.iinfo("i8").min else v for v in a.view("i8").tolist()]


def pandas_same(series, want):
    """Whether a column of pandas has the values of a chunked array."""
    t, expect = want.type, [missing(x) for x in stored(want, want.type)]
    if series.dtype.kind == "f" and pa.types.is_integer(storage(t)):
        expect = [None if x is None else float(x) for x in expect]  # it has nulls
    return pandas_values(series, t) == expect


def with_polars(path, form, names):
    import polars as pl

    frame = pl.read_ipc(path, columns=names) if form == ".arrow" else pl.read_parquet(path, columns=names)
    return frame.height, frame.to_arrow()


def with_duckdb(path, form, names):
    import duckdb

    def quoted(name):
        return '"%s"' % name.replace('"', '""')

    db = duckdb.connect()
    if form == ".arrow":
        table = pa.ipc.open_file(pa.memory_map(path)).read_all()
        table = table if names is None else table.select(names)
        # Intervals go back to Arrow as nanoseconds, which wrap after 292 years.
        terms = ["epoch_us({0}) as {0}".format(quoted(f.name)) if pa.types.is_duration(f.type) else quoted(f.name) for f in table.schema]
        rows = db.from_arrow(table)
        rows = rows.project(", ".join(terms)) if any(pa.types.is_duration(f.type) for f in table.schema) else rows
    else:
        rows = db.read_parquet(path)
        rows = rows if names is None else rows.project(", ".join(map(quoted, names)))
    table = rows.to_arrow_table()
    return table.num_rows, table


def with_datafusion(path, form, names):
    from datafusion import SessionConfig, SessionContext

    ctx = SessionContext(SessionConfig().with_target_partitions(1))  # rows in their order
    if form == ".arrow":
        frame = ctx.from_arrow(pa.ipc.open_file(pa.memory_map(path)).read_all())
    else:
        frame = ctx.read_parquet(path)
    batches = frame.collect()
    table = pa.Table.from_batches(batches, batches[0].schema if batches else frame.schema())
    return table.num_rows, table


ENGINES = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb, "datafusion": with_datafusion}


def known(engine, form, column):
    """The entries of KNOWN for a column."""
    return [k for k in KNOWN if k[0] == engine and form in k[1] and re.search(k[2], str(column.type)) and (k[3] is None or k[3](column))]


def check(engine, path, form, reference):
    """-> what is wrong, and the entries of KNOWN that were met."""
    met = {f.name: known(engine, form, reference.column(i)) for i, f in enumerate(reference.schema)}
    names, entries = None, [k for list in met.values() for k in list]
    if entries:
        names = [n for n in reference.column_names if not met[n]]
        reference = reference.select(names)
        if not names:
            return [], entries
    try:
        rows, table = ENGINES[engine](path, form, names)
    except BaseException as e:  # Polars raises what is not an Exception
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return ["not opened: %s: %s" % (type(e).__name__, " ".join(str(e).split())[:200])], entries
    wrong = []
    if rows != reference.num_rows and reference.num_columns:
        wrong.append("%d rows, not %d" % (rows, reference.num_rows))
    if table is None or wrong:
        return wrong, entries
    if table.num_columns != reference.num_columns:
        return ["%d columns, not %d" % (table.num_columns, reference.num_columns)], entries
    for i, field in enumerate(reference.schema):
        try:
            got, want = table.column(i), reference.column(i)
            if engine == "pandas":
                same = pandas_same(got, want)
            elif engine == "duckdb" and form == ".arrow" and pa.types.is_duration(field.type):
                same = got.to_pylist() == micros(want)
            else:
                same = values(got, field.type) == values(want, field.type)
            if not same:
                wrong.append("column %s, %s: other values" % (field.name, field.type))
        except Exception as e:
            wrong.append("column %s, %s as %s: %s" % (field.name, field.type, table.schema.field(i).type, " ".join(str(e).split())[:150]))
    return wrong, entries


def run(case, a, form, folder):
    """Converts a case. -> {engine: (what is wrong, the entries that were met)}, None where h5arrow has no such output."""
    out = os.path.join(tempfile.mkdtemp(dir=folder), "out" + form)
    command = [a.h5arrow, "convert", case["file"], out]
    if "table" in case["select"]:
        command += ["--table", case["select"]["table"]]
    for d in case["select"].get("datasets", []):
        command += ["--dataset", d]
    done = subprocess.run(command + case.get("args", []), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode == 4 and form == ".parquet":
        return None  # a type that Parquet does not have
    if done.returncode:
        return {"h5arrow": (["status %d: %s" % (done.returncode, done.stderr.strip()[:200])], [])}
    try:
        reference = pa.ipc.open_file(out).read_all() if form == ".arrow" else pa.parquet.read_table(out)
        return {engine: check(engine, out, form, reference) for engine in a.engines}
    finally:
        os.unlink(out)


def cases_of(folder):
    with open(os.path.join(folder, "cases.json"), encoding="utf-8") as f:
        return [dict(c, file=os.path.abspath(os.path.join(folder, c["file"]))) for c in json.load(f)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("casedir", nargs="+")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--only", default="", help="parts of names of cases, separated by commas")
    p.add_argument("--engines", default=",".join(ENGINES))
    p.add_argument("--jobs", type=int, default=2)
    a = p.parse_args()
    a.h5arrow, a.engines = os.path.abspath(a.h5arrow), a.engines.split(",")
    cases = [c for d in a.casedir for c in cases_of(d) if not c["error"] and any(x in c["name"] for x in a.only.split(","))]
    counts, failed, met = collections.Counter(), 0, collections.Counter()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for form in ".arrow", ".parquet":
            for case, result in zip(cases, pool.map(lambda c: run(c, a, form, folder), cases)):
                if result is None:
                    counts["no Parquet"] += 1
                    continue
                for engine, (wrong, entries) in result.items():
                    met.update(entries)
                    if wrong:
                        failed += 1
                        print("FAIL %s %s %s: %s" % (engine, form, case["name"], "; ".join(wrong[:3])))
                    else:
                        counts["%s %s" % (engine, form)] += 1
    unmet = [k for k in KNOWN if k not in met and k[0] in a.engines] if not a.only else []
    for k in unmet:
        print("KNOWN, but no file has such a column: %s %s %s" % k[:3])
    for k, n in met.items():
        print("%s %s: %d columns are left out: %s" % (k[0], k[1], n, k[4]))
    print(", ".join("%s: %d" % x for x in sorted(counts.items())) + ", failed: %d" % failed)
    sys.exit(1 if failed or unmet else 0)


if __name__ == "__main__":
    main()
