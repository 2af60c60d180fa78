"""write, read again by h5py and by this package; query."""
import signal
import subprocess
import sys
import time

import duckdb
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import h5arrow
from conftest import ROOT, run


def data():
    return pa.table({
        "i": pa.array([1, None, 3], pa.int32()), "f": pa.array([0.5, float("nan"), None]), "s": ["a", None, "\u00fc"], "b": [True, False, None],
        "t": pa.array([0, 1, None], pa.timestamp("us", "UTC")), "d": pa.array(["x", "y", "x"]).dictionary_encode(),
        "l": [[1, 2], None, []], "st": [{"a": 1, "b": "z"}, None, {"a": 2, "b": None}],
    }, metadata={"k": "v"})


def back(path, table="/table"):
    with h5arrow.open(path) as f:
        t = f[table].to_pyarrow()
        t.validate(full=True)
        return t


@pytest.mark.parametrize("options", [{}, {"layout": "plain"}, {"compression": "zstd:5", "shuffle": True}, {"chunk_rows": 2, "nulls": "mask"},
                                     {"page_size": 4096, "table": "/a/b"}])
def test_round_trip(tmp_path, options):
    out, t = tmp_path / "t.h5", data()
    if options.get("layout") == "plain":
        t = t.select(["i", "f", "s", "b", "t"])
    done = h5arrow.write(t, out, **options)
    assert done["rows"] == 3 and done["bytes_out"] == out.stat().st_size and [c["name"] for c in done["columns"]] == t.column_names
    got = back(out, options.get("table", "/table"))
    assert got.to_pydict().__repr__() == t.to_pydict().__repr__() and got.schema.names == t.schema.names
    with h5py.File(out) as f:
        if not options:
            assert f["table/columns/i/data"][:][[0, 2]].tolist() == [1, 3] and f["table/columns/i/null_bitmap"][0] == 0b101
            assert bytes(f["table/columns/s/data"][:]).decode() == "a\u00fc"
        if options.get("layout") == "plain":
            assert f["table/i"][0] == 1 and f["table/i_mask"][:].tolist() == [0, 1, 0]


def test_sources(tmp_path, sample):
    """What has a stream is written, whatever it comes from."""
    rows = pa.table({"x": np.arange(1000), "s": [str(i % 7) for i in range(1000)]})
    reader = pa.RecordBatchReader.from_batches(rows.schema, iter(rows.to_batches(max_chunksize=64)))
    for k, source in enumerate((rows, reader, pl.from_arrow(rows), rows.to_pandas(), duckdb.sql("from rows"), {"x": rows["x"], "s": rows["s"]},
                                rows.combine_chunks().to_batches()[0])):
        out = tmp_path / ("%d.h5" % k)
        assert h5arrow.write(source, out)["rows"] == 1000, type(source)
        got = back(out)
        assert got["x"].to_pylist() == list(range(1000)) and got["s"].to_pylist() == rows["s"].to_pylist(), type(source)
    with h5arrow.open(sample) as f:
        part = f["/table"].filter("fare > 40").select(["fare", "zone"])
        assert h5arrow.write(part, tmp_path / "part.h5")["rows"] == part.num_rows
        assert back(tmp_path / "part.h5")["zone"].to_pylist() == part.to_pyarrow()["zone"].to_pylist()
        h5arrow.write(f["/table"], tmp_path / "all.h5", compression="lz4")
        assert back(tmp_path / "all.h5").combine_chunks().to_pydict() == f["/table"].to_pyarrow().combine_chunks().to_pydict()


def test_errors(tmp_path):
    out = tmp_path / "t.h5"
    h5arrow.write({"x": [1]}, out)
    before = out.read_bytes()
    with pytest.raises(ValueError, match="exists already; overwrite it with force"):
        h5arrow.write({"x": [2]}, out)
    for bad, kind, why in (({"layout": "pandas"}, ValueError, "option layout"), ({"nulls": "?"}, ValueError, "option nulls"),
                           ({"compression": "brotli"}, ValueError, "brotli"), ({"chunk_rows": -1}, ValueError, "-1 rows"),
                           ({"table": "/"}, ValueError, "table")):
        with pytest.raises(kind, match=why):
            h5arrow.write({"x": [1]}, out, force=True, **bad)
    with pytest.raises(FileNotFoundError):
        h5arrow.write({"x": [1]}, tmp_path / "nothing" / "t.h5")
    with pytest.raises(NotImplementedError):
        h5arrow.write(pa.table({"m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8()))}), out, force=True)
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        h5arrow.write(3, out)

    def broken():
        yield pa.record_batch({"x": [1]})
        raise RuntimeError("no more rows")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), broken())
    with pytest.raises(OSError, match="no more rows"):
        h5arrow.write(reader, out, force=True)
    assert out.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == ["t.h5"]
    assert h5arrow.write({"x": [2, 3]}, out, force=True)["rows"] == 2


def test_progress(tmp_path, capsys):
    """A function sees the rows grow; True draws a bar; a terminal or a notebook is needed otherwise."""
    seen = []

    def slow():
        for _ in range(4):
            time.sleep(0.15)
            yield pa.record_batch({"x": np.arange(70000)})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), slow())
    h5arrow.write(reader, tmp_path / "a.h5", progress=lambda rows, total: seen.append((rows, total)))
    assert seen and seen == sorted(seen, key=lambda s: s[0]) and {t for _, t in seen} == {None} and 0 < seen[-1][0] <= 280000
    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), slow())
    h5arrow.write(reader, tmp_path / "b.h5", progress=True)
    assert "rows/s" in capsys.readouterr().err
    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), slow())
    h5arrow.write(reader, tmp_path / "c.h5")
    assert capsys.readouterr().err == ""


def test_interrupt(tmp_path):
    """Ctrl-C ends the writing, and nothing of the file is left."""
    code = """
import sys, time, pyarrow as pa, numpy as np, h5arrow
def endless():
    while True:
        time.sleep(0.01)
        yield pa.record_batch({"x": np.arange(1000)})
reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), endless())
print("ready", flush=True)
try: h5arrow.write(reader, sys.argv[1])
except KeyboardInterrupt: print("interrupted")
"""
    p = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "x.h5")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert p.stdout.readline() == "ready\n", p.stderr.read()
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert (p.returncode, out) == (0, "interrupted\n"), err
    assert list(tmp_path.iterdir()) == []


def test_end_of_process(tmp_path):
    """A process that ends while a thread writes ends the job first: it runs Python's code in a thread of its own."""
    code = """
import sys, threading, time, pyarrow as pa, numpy as np, h5arrow
started = threading.Event()
def endless():
    while True:
        started.set()
        time.sleep(0.01)
        yield pa.record_batch({"x": np.arange(1000)})
reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), endless())
threading.Thread(target=h5arrow.write, args=(reader, sys.argv[1]), daemon=True).start()
started.wait()
"""
    run(code, str(tmp_path / "x.h5"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left(tmp_path):
    """Handles, mappings and memory of the library return to where they were."""
    code = """
import sys, time, pyarrow as pa, h5arrow
from h5arrow import _lib
t = pa.table({"x": list(range(100000)), "s": ["a"] * 100000})
h5arrow.write(t, sys.argv[1])
before = _lib.stats()
for i in range(20): h5arrow.write(t, sys.argv[1], force=True)
for i in range(100):
    after = _lib.stats()
    if after == before: break
    time.sleep(0.05)
print(before == after, before, after)
"""
    assert run(code, str(tmp_path / "x.h5")).stdout.startswith("True")


def test_query_progress(sample, capsys):
    sql, seen = 'select sum(fare) as fare from "table" where zone is not null', []
    want = h5arrow.query(sample, sql, progress=False)
    assert capsys.readouterr() == ("", "")
    assert h5arrow.query([sample] * 3, 'select count(*) as n from "table" where fare > -1', batch_rows=1000, progress=lambda *a: seen.append(a)).to_pylist()
    assert seen[-1] == (150000, None) and [r for r, _ in seen] == sorted(r for r, _ in seen)
    assert h5arrow.query(sample, sql, progress=True).equals(want)
    assert "50,000 rows" in capsys.readouterr().err

    def fail(rows, total):
        raise KeyError("no more")
    with pytest.raises(KeyError, match="no more"):
        h5arrow.query(sample, sql, progress=fail)
    with pytest.raises(ValueError, match="nothing"):
        h5arrow.query(sample, "select * from nothing", progress=print)
    assert h5arrow.query(sample, "select 1 as x", progress=True).to_pylist() == [{"x": 1}]


def test_query(tmp_path, sample):
    sql = 'select zone, count(*) as n, round(avg(fare), 3) as fare from "table" where fare > 5 and tip is not null group by zone order by zone'
    with h5arrow.open(sample) as f:
        rides = f["/table"].to_pyarrow()
    want = duckdb.sql(sql.replace('"table"', "rides")).fetchall()
    got = h5arrow.query(sample, sql)
    assert [tuple(r.values()) for r in got.to_pylist()] == want
    assert h5arrow.query([sample, sample], 'select count(*) as n from "/table"').to_pylist() == [{"n": 100000}]
    with pytest.raises(ValueError, match="nothing"):
        h5arrow.query(sample, "select * from nothing")
    with pytest.raises(ValueError, match="engine"):
        h5arrow.query(sample, sql, engine="sqlite")
    with pytest.raises(ValueError, match="no table"):
        with h5py.File(tmp_path / "e.h5", "w"):
            pass
        h5arrow.query(tmp_path / "e.h5", "select 1")
    try:
        got = h5arrow.query(sample, sql, engine="command")
    except h5arrow.UnsupportedError as e:  # the wheel has no engine
        assert "install the package duckdb" in str(e)
    else:
        assert [tuple(r.values()) for r in got.to_pylist()] == want
