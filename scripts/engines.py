#!/usr/bin/env python3
"""Opens the outputs of the interoperability cases with engines, and compares all columns with what pyarrow reads.

    engines.py CASEDIR --h5arrow BIN [--only PARTS] [--jobs N] [--engines pandas,polars,duckdb,datafusion]

Each case is converted to .arrow and .parquet. An engine has to open the file, and to have the rows, columns and values that
pyarrow has, which interop.py compares with the values in memory. What an engine is known not to take is in KNOWN, by type: it
is left out of the comparison, or the file is refused, and the run fails if an entry is met by no file. Status 1 if anything
else is wrong.
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

import pyarrow as pa
import pyarrow.parquet

sys.dont_write_bytecode = True

# (engine, form, pattern of the type, what the engine does). A file with such a column may fail, and such columns are not compared.
KNOWN = []


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


def values(column, t):
    """A chunked array as a list, cast to the type that pyarrow reads."""
    if isinstance(column, pa.ChunkedArray) and isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type)
    want = storage(t)
    if column.type != want:
        column = column.cast(want)
    if pa.types.is_temporal(want) and not pa.types.is_interval(want):
        width = pa.int32() if pa.types.is_date32(want) or pa.types.is_time32(want) else pa.int64()
        column = column.cast(width)
    return [plain(x) for x in column.to_pylist()]


def with_pandas(path, form):
    import pandas as pd

    frame = pd.read_feather(path) if form == ".arrow" else pd.read_parquet(path)
    return len(frame), None  # opened: frames have no types to compare with


def with_polars(path, form):
    import polars as pl

    frame = pl.read_ipc(path) if form == ".arrow" else pl.read_parquet(path)
    return frame.height, frame.to_arrow()


def with_duckdb(path, form):
    import duckdb

    db = duckdb.connect()
    if form == ".arrow":
        rows = db.from_arrow(pa.ipc.open_file(pa.memory_map(path)).read_all())
    else:
        rows = db.read_parquet(path)
    table = rows.to_arrow_table()
    return table.num_rows, table


def with_datafusion(path, form):
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


def known(engine, form, t):
    """The entries of KNOWN for a type."""
    return [k for k in KNOWN if k[0] == engine and form in k[1] and re.search(k[2], str(t))]


def check(engine, path, form, reference):
    """-> what is wrong, and the entries of KNOWN that were met."""
    met = [k for f in reference.schema for k in known(engine, form, f.type)]
    try:
        rows, table = ENGINES[engine](path, form)
    except BaseException as e:  # Polars raises what is not an Exception
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return ([] if met else ["not opened: %s: %s" % (type(e).__name__, str(e).strip().splitlines()[0][:200] if str(e).strip() else "")]), met
    wrong = []
    if rows != reference.num_rows and reference.num_columns:
        wrong.append("%d rows, not %d" % (rows, reference.num_rows))
    if table is None or wrong:
        return wrong, met
    if table.num_columns != reference.num_columns:
        return ["%d columns, not %d" % (table.num_columns, reference.num_columns)], met
    for i, field in enumerate(reference.schema):
        if known(engine, form, field.type):
            continue
        try:
            if values(table.column(i), field.type) != values(reference.column(i), field.type):
                wrong.append("column %s, %s: other values" % (field.name, field.type))
        except Exception as e:
            wrong.append("column %s, %s as %s: %s" % (field.name, field.type, table.schema.field(i).type, str(e).splitlines()[0][:150]))
    return wrong, met


def run(case, a, form, folder):
    """Converts a case. -> {engine: (what is wrong, the entries that were met)}, None where h5arrow has no such output."""
    root = os.path.abspath(a.casedir)
    out = os.path.join(folder, re.sub(r"\W", "_", case["name"]) + form)
    command = [a.h5arrow, "convert", os.path.join(root, case["file"]), out]
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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("casedir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--only", default="", help="parts of names of cases, separated by commas")
    p.add_argument("--engines", default=",".join(ENGINES))
    p.add_argument("--jobs", type=int, default=2)
    a = p.parse_args()
    a.h5arrow, a.engines = os.path.abspath(a.h5arrow), a.engines.split(",")
    with open(os.path.join(a.casedir, "cases.json"), encoding="utf-8") as f:
        cases = [c for c in json.load(f) if not c["error"] and any(x in c["name"] for x in a.only.split(","))]
    counts, failed, met = collections.Counter(), 0, set()
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
    print(", ".join("%s: %d" % x for x in sorted(counts.items())) + ", failed: %d" % failed)
    sys.exit(1 if failed or unmet else 0)


if __name__ == "__main__":
    main()
