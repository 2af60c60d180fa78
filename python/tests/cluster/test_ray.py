"""Ray Data with two workers: the values are those of the files, every row comes once, filters and killed workers."""
import os
import signal

import h5py
import numpy as np
import pyarrow as pa
import pytest
import ray
from ray.data.expressions import col

import h5arrow
from conftest import SAMPLE
from datasets_of_tests import sorted_file
from h5arrow.ray import H5Datasource, read_h5
from servers import serving


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(address="local", num_cpus=2, object_store_memory=300 << 20, include_dashboard=False, logging_level="warning", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def table(dataset):
    return pa.concat_tables(ray.get(dataset.to_arrow_refs()), promote_options="permissive")


def test_sample():
    want = h5arrow.open(SAMPLE).table().to_pyarrow()
    got = table(read_h5(SAMPLE, "/table", split_bytes=500_000))
    assert got.schema.equals(want.schema) and got.sort_by("pickup").equals(want.sort_by("pickup"))


def test_every_row_once(many):
    dataset = read_h5(many, split_bytes=16384)
    assert dataset.count() == 25000 and len(dataset.input_files()) == 5
    got = dataset.select_columns(["n", "name"]).take_all()
    assert sorted(r["n"] for r in got) == list(range(25000)) and all(r["name"] == "row %d" % (r["n"] % 7) for r in got)
    assert dataset.sum("n") == 312487500
    files = [many.replace("*", str(k)) for k in (3, 1)]
    assert sorted(r["n"] for r in read_h5(files, columns=["n"]).take_all()) == [*range(5000, 10000), *range(15000, 20000)]
    assert len(read_h5(many).limit(7).take_all()) == 7
    assert len(H5Datasource(many, split_bytes=16384).get_read_tasks(3)) == 3


def test_types(types):
    path, want = types
    got = table(read_h5(path))
    assert got.column_names == want.column_names
    for name in set(want.column_names) - {"f"}:
        assert got[name].to_pylist() == want[name].to_pylist(), name


@pytest.mark.parametrize("expression", [
    col("f") > 2, ~(col("f") <= 2), col("i") != 1, col("i").is_null(), col("i").is_not_null(), col("s") >= "b",
    (col("i") == 1) | (col("s") == "d"), (col("i") > 1) & (col("f") > 2), col("i").is_in([1, 4]), col("b") == True])  # noqa: E712
def test_filters(types, expression):
    """A filter that is pushed down means what it does in Ray."""
    path, want = types
    want = table(ray.data.from_arrow(want.select(["f", "i", "s", "b"])).filter(expr=expression)) if expression is not None else want
    got = table(read_h5(path).filter(expr=expression).select_columns(["i"]))
    assert sorted(map(str, got["i"].to_pylist())) == sorted(map(str, want["i"].to_pylist()))


def test_filters_are_pushed(tmp_path):
    """Chunks in which no row can match are not decoded: others are damaged."""
    path = sorted_file(tmp_path / "sorted.h5")
    part = read_h5(path, split_bytes=1_600_000).filter(expr=(col("x") >= 500000) & (col("x") < 600000))
    assert part.sum("y") == sum(range(500000, 600000))
    assert read_h5(path, where="x >= 500000 and x < 600000").sum("y") == sum(range(500000, 600000))
    assert read_h5(path).select_columns(["x"]).sum("x") == sum(range(1_000_000)) == read_h5(path, columns=["x"]).sum("x")
    with pytest.raises(Exception, match="y"):
        read_h5(path).sum("y")


def test_where():
    want = h5arrow.open(SAMPLE).table().filter("fare > 40 and tip is not null").num_rows
    assert read_h5(SAMPLE, where="fare > 40 and tip is not null", columns=["zone"]).count() == want
    assert read_h5(SAMPLE, where="fare > 4000").count() == 0
    assert read_h5(SAMPLE, where="tip is not null").filter(expr=col("fare") > 40).count() == want


def test_urls(many):
    """Each task opens its URL. The server wants a key."""
    with serving(os.path.dirname(many), key="open") as url:
        got = read_h5([url + "/3.h5", url + "/1.h5"], headers={"X-Key": "open"}, split_bytes=16384)
        assert sorted(r["n"] for r in got.take_all()) == [*range(5000, 10000), *range(15000, 20000)]
        with pytest.raises(OSError, match="403"):
            read_h5(url + "/3.h5")


def test_union(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["t/x"], f["t/y"] = np.arange(10, dtype="i4"), np.arange(10) / 2
    with h5py.File(tmp_path / "b.h5", "w") as f:
        f["t/x"], f["t/z"] = np.arange(10, 20, dtype="i8"), np.arange(10, dtype="u1")
    got = read_h5(str(tmp_path / "*.h5"), union="by-name")
    assert sorted(r["x"] for r in got.take_all()) == list(range(20))
    assert sorted(r["x"] for r in got.filter(expr=col("z") > 6).take_all()) == [17, 18, 19]
    assert read_h5(str(tmp_path / "*.h5"), union="by-name", where=[("z", "is null")]).count() == 10
    with pytest.raises(h5arrow.ArgumentError, match="union by-name"):
        read_h5(str(tmp_path / "*.h5"))


def test_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_h5("nothing.h5")
    with pytest.raises(h5arrow.UnsupportedError, match="mounted"):
        read_h5("s3://bucket/a.h5")
    with pytest.raises(KeyError):
        read_h5(SAMPLE, "/none")
    with pytest.raises(h5arrow.ArgumentError, match="nope"):
        read_h5(SAMPLE, columns=["nope"])


def test_maps_run_where_rows_are_read(tmp_path):
    """A table of one split is read by several tasks, which also run what is mapped; no rows are copied into the object store for it."""
    path, rows = str(tmp_path / "some.h5"), 4 << 20
    with h5py.File(path, "w") as f:
        f.create_dataset("t/x", data=np.arange(rows), chunks=(1 << 17,))
    source = H5Datasource(path)
    assert [source.tasks(n) for n in (0, 1, 2)] == [1, 4, 4] and H5Datasource(path, split_bytes=16 << 20).tasks(64) == 2
    assert [[(p.start, p.stop, p.bytes) for p in t.read_fn.parts] for t in source.get_read_tasks(2)] == [
        [(0, rows // 2, 4 * rows)], [(rows // 2, rows, 4 * rows)]]

    sums = read_h5(path).map_batches(lambda b: {"sum": [b["x"].sum()]}, batch_size=None).materialize()
    assert sum(r["sum"] for r in sums.take_all()) == rows * (rows - 1) // 2
    assert sums.num_blocks() == 4 and "ReadH5Arrow->MapBatches" in sums.stats(), sums.stats()
    assert read_h5(path, ray_options={"override_num_blocks": 2}).materialize().num_blocks() == 2


class Killing(H5Datasource):
    """Kills the process of each task once, after some rows."""

    marks = ""

    def get_read_tasks(self, parallelism, per_task_row_limit=None, data_context=None):
        tasks = super().get_read_tasks(parallelism, per_task_row_limit, data_context)
        for k, task in enumerate(tasks):
            task._read_fn = Kill(task.read_fn, os.path.join(self.marks, str(k)))
        return tasks


class Kill:
    def __init__(self, read, mark):
        self.read, self.mark = read, mark

    def __call__(self):
        for block in self.read():
            yield block
            if not os.path.exists(self.mark):
                open(self.mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)


def test_killed_worker(many, tmp_path):
    """Tasks of killed workers are run again, and no row is there twice."""
    source = Killing(many, columns=["n"], batch_rows=100)
    source.marks = str(tmp_path)
    rows = ray.data.read_datasource(source, override_num_blocks=5).take_all()
    assert sorted(r["n"] for r in rows) == list(range(25000))
    assert len(os.listdir(tmp_path)) == 5


def test_memory(tmp_path):
    """A worker holds some batches and a block, not its split."""
    path = str(tmp_path / "large.h5")
    with h5py.File(path, "w") as f:
        f.create_dataset("t/x", shape=(50_000_000,), dtype="f8", chunks=(100_000,), compression="gzip", fillvalue=1.5)
        f["t/x"][:100_000] = 1.5  # the other chunks are not there, and become their fill value

    def peak(batch):
        anonymous = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
        return pa.table({"sum": [float(np.sum(batch["x"]))], "megabytes": [anonymous >> 10]})

    got = read_h5(path, split_bytes=200 << 20, ray_options={"override_num_blocks": 2}).map_batches(peak, batch_size=1_000_000).take_all()
    assert sum(r["sum"] for r in got) == 75_000_000
    assert max(r["megabytes"] for r in got) < 700, max(r["megabytes"] for r in got)
