"""All interoperability cases through the package equal the values that were in memory; and each engine reads them.

make cases writes the cases to build/cases.
"""
import json
import os
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import h5arrow
from conftest import ROOT

sys.path.insert(0, str(ROOT / "testdata" / "interop"))
import compare  # noqa: E402

CASES = os.environ.get("H5ARROW_CASES") or str(ROOT / "build" / "cases")
KINDS = {"usage": (h5arrow.ArgumentError, h5arrow.NotFoundError), "corrupt": h5arrow.CorruptError, "unsupported": (h5arrow.UnsupportedError, h5arrow.LimitError)}


def cases():
    try:
        with open(os.path.join(CASES, "cases.json"), encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        if os.environ.get("H5ARROW_REQUIRE_ALL") == "1":
            raise
        return []


def bounds(text):
    a, colon, b = text.partition(":")
    if not colon:
        raise h5arrow.ArgumentError("rows %s" % text)
    return int(a or 0), int(b) if b else None


def table(case):
    """The table of a case, with the options of the command as the package has them."""
    options, narrow = {}, lambda t: t
    args = case.get("args", [])
    for flag, value in zip(args[::2], args[1::2]):
        if flag == "--rows":
            narrow = lambda t, v=value: t.slice(*bounds(v))
        elif flag == "--columns":
            narrow = lambda t, v=value: t.select(v.split(","))
        elif flag == "--strings":
            options["strings"] = value
        elif flag == "--batch-rows":
            options["batch_rows"] = int(value)
        elif flag != "--compression":
            raise AssertionError(flag)
    f = h5arrow.open(os.path.join(CASES, case["file"]), **options)
    chosen = case["select"]
    return narrow(f.dataset(*chosen["datasets"]) if "datasets" in chosen else f.table(chosen.get("table", "")))


def of_the_command(case):
    """Whether a case is about the command line alone."""
    args = case.get("args", [])
    return case["error"] == "usage" and (len(case["select"]) > 1 or len(args) % 2 == 1 or args[:2] in (["--batch-rows", "0"], ["--compression", "brotli"], ["--workers", "-1"]))


KNOWN = {line.split("\t")[0] for line in (ROOT / "testdata" / "interop-failures.txt").read_text().splitlines()}
ALL = [c for c in cases() if not of_the_command(c) and c["name"] not in KNOWN]


@pytest.mark.skipif(not ALL, reason="build/cases: make cases writes them")
def test_all(tmp_path):
    assert len(ALL) > 700
    wrong = []
    for case in ALL:
        out = str(tmp_path / "out.arrows")
        try:
            t = pa.table(table(case))
            with pa.ipc.new_stream(out, t.schema) as w:
                w.write_table(t)
        except h5arrow.Error as e:
            want = KINDS.get(case["error"], ())
            if not isinstance(e, want):
                wrong.append("%s: %r" % (case["name"], e))
            continue
        except OSError as e:  # of pyarrow, from the stream
            if not case["error"]:
                wrong.append("%s: %r" % (case["name"], e))
            continue
        if case["error"]:
            wrong.append("%s: no error of kind %s" % (case["name"], case["error"]))
            continue
        wrong += ["%s: %s" % (case["name"], line) for line in compare.compare(os.path.join(CASES, case["expected"]), out)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not ALL, reason="build/cases: make cases writes them")
def test_engines():
    """Polars and DuckDB take the capsules themselves; what a type that they lack is refused with is an exception."""
    import duckdb
    refused, tried = set(), 0
    for case in ALL[::7]:
        if case["error"]:
            continue
        t = table(case)
        arrow = pa.table(t)
        tried += 1
        try:
            frame = pl.DataFrame(t)
            assert frame.height == arrow.num_rows and frame.equals(pl.from_arrow(arrow), null_equal=True) or frame.height == 0
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
            refused.add("polars: %s" % str(e)[:60])
        try:
            assert duckdb.sql("select count(*) from t").fetchall() == [(arrow.num_rows,)]
        except duckdb.Error as e:
            refused.add("duckdb: %s" % str(e)[:60])
        try:
            assert len(t.to_pandas()) == arrow.num_rows
        except (pa.ArrowException, ValueError, TypeError, pd.errors.OutOfBoundsDatetime) as e:
            refused.add("pandas: %s" % str(e)[:60])
    assert tried > 70 and len(refused) <= 8, refused
