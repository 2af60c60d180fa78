"""What the modules for Spark and Ray have in common, without them: parts of files, and what a task reads of one."""
import datetime
import os
import pickle

import h5py
import numpy as np
import pyarrow as pa
import pytest

import h5arrow
from datasets_of_tests import sorted_file
from h5arrow import _cluster
from servers import serving


@pytest.fixture
def many(tmp_path):
    """The pattern of three files with the numbers from 0 to 3,000."""
    for k in range(3):
        with h5py.File(tmp_path / ("%d.h5" % k), "w") as f:
            rows = np.arange(1000 * k, 1000 * (k + 1))
            f.create_dataset("t/n", data=rows, chunks=(100,), compression="gzip")
            f.create_dataset("t/name", data=["row %d" % (r % 7) for r in rows], dtype=h5py.string_dtype())
    return str(tmp_path / "*.h5")


def read(scan, paths, schema=None, split_bytes=0):
    """Plan, and read all parts as tasks do: each from a copy that was pickled."""
    files = _cluster.files(paths)
    stored = scan.schema(files)
    schema = schema or stored
    parts = scan.parts(files, stored, split_bytes)
    batches = [b for p in parts for s, p in [pickle.loads(pickle.dumps((scan, p)))] for b in s.batches(p, schema)]
    return pa.Table.from_batches(batches, schema), parts


def test_every_row_once(many, monkeypatch):
    got, parts = read(_cluster.Scan(), many, split_bytes=4000)
    assert got["n"].to_pylist() == list(range(3000))
    assert got["name"].to_pylist() == ["row %d" % (r % 7) for r in range(3000)]
    assert len(parts) > 6 and all(os.path.isabs(p.file) and p.bytes > 0 for p in parts)
    assert all(p.start % 100 == 0 for p in parts), "chunks are decoded once"
    monkeypatch.chdir(os.path.dirname(many))
    got, _ = read(_cluster.Scan(columns=["n"]), ["2.h5", "file://" + os.path.abspath("0.h5")])
    assert got.column_names == ["n"] and got["n"].to_pylist() == [*range(2000, 3000), *range(1000)]


def test_where(many, tmp_path):
    got, _ = read(_cluster.Scan(where="n >= 990 and n < 1010 and name = 'row 0'", columns=["n"]), many)
    assert got["n"].to_pylist() == [994, 1001, 1008]
    path = sorted_file(tmp_path / "sorted.h5")
    got, parts = read(_cluster.Scan(where="x >= 500000 and x < 600000"), path, split_bytes=1_600_000)
    assert len(parts) == 10 and got["y"].to_pylist() == list(range(500000, 600000))
    with pytest.raises(h5arrow.CorruptError, match="sorted.h5"):
        read(_cluster.Scan(), path)


def test_union(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["t/x"], f["t/y"] = np.arange(10, dtype="i4"), np.arange(10) / 2
    with h5py.File(tmp_path / "b.h5", "w") as f:
        f["t/x"], f["t/z"] = np.arange(10, 20, dtype="i8"), np.arange(10, dtype="u1")
    pattern = str(tmp_path / "*.h5")
    got, _ = read(_cluster.Scan(union="by-name"), pattern)
    assert got.schema.types == [pa.int64(), pa.float64(), pa.uint8()]
    assert got.to_pydict() == {"x": list(range(20)), "y": [k / 2 for k in range(10)] + [None] * 10, "z": [None] * 10 + list(range(10))}
    assert read(_cluster.Scan(union="by-name", columns=["z"]), pattern)[0]["z"].null_count == 10
    for where, want in {("z", "is null"): list(range(10)), ("z", ">", 6): [17, 18, 19], ("x", "<", 3): [0, 1, 2]}.items():
        assert read(_cluster.Scan(union="by-name", where=[where]), pattern)[0]["x"].to_pylist() == want
    with pytest.raises(h5arrow.ArgumentError, match="b.h5: column x: int64, not x: int32.*union by-name"):
        read(_cluster.Scan(), pattern)


def test_files_are_opened_once(many, monkeypatch):
    """Schema and parts of a plan come of one table, which does not go to the tasks."""
    made = []
    table = _cluster._scan.table
    monkeypatch.setattr(_cluster._scan, "table", lambda *a: made.append(a) or table(*a))
    scan, files = _cluster.plan(many, "", None, None, None, {"filename": True})
    schema = scan.schema(files)
    assert sum(p.stop - p.start for p in scan.parts(files, schema, 4000)) == 3000
    scan.parts(files, schema, 8000)
    assert len(made) == 1
    again = pickle.loads(pickle.dumps(scan))
    assert again == scan and again.schema(files[:1]) == schema
    assert len(made) == 2


def test_types(tmp_path):
    """Types that an engine lacks become others; what is rounded is rounded down."""
    table = pa.table({
        "ns": pa.array([0, 1999, None, -1], pa.timestamp("ns")), "u64": pa.array([0, 1, None, 2**64 - 1], pa.uint64()),
        "label": pa.array(["x", "y", None, "x"]).dictionary_encode(), "list": [[1], [2, 3], None, []],
        "dec": pa.array([1, 2, None, 3], pa.decimal128(5, 2)), "half": pa.array(np.array([1, 2, 3, 4], "f2"))})
    path = str(tmp_path / "types.h5")
    h5arrow.write(table, path, progress=False)
    assert read(_cluster.Scan(), path)[0].to_pydict() == table.to_pydict()
    schema = pa.schema({"half": pa.float32(), "ns": pa.timestamp("us"), "u64": pa.decimal128(20, 0), "label": pa.string(),
                        "list": pa.list_(pa.int64()), "absent": pa.int8(), "dec": pa.decimal128(5, 2)})
    got, _ = read(_cluster.Scan(), path, schema)
    day, us = datetime.datetime(1970, 1, 1), datetime.timedelta(microseconds=1)
    assert got["ns"].to_pylist() == [day, day + us, None, day - us]
    assert got["u64"].to_pylist() == [0, 1, None, 2**64 - 1]
    assert got["label"].to_pylist() == ["x", "y", None, "x"] and got["absent"].null_count == 4


def test_urls(many):
    with serving(os.path.dirname(many), key="open") as url:
        options = {"headers": {"X-Key": "open"}}
        got, _ = read(_cluster.Scan(options=options), [url + "/2.h5", url + "/0.h5?a=*"], split_bytes=4000)
        assert got["n"].to_pylist() == [*range(2000, 3000), *range(1000)]
        with h5arrow.open(url + "/1.h5", **options) as f:
            assert f.table().filter("n > 1990").to_pyarrow()["n"].to_pylist() == list(range(1991, 2000))
        with pytest.raises(OSError, match="403"):
            h5arrow.open(url + "/1.h5")
        with pytest.raises(OSError, match="404"):
            h5arrow.open(url + "/3.h5", **options)
    with pytest.raises(h5arrow.UnsupportedError, match="mounted"):
        h5arrow.open("s3://bucket/a.h5")
