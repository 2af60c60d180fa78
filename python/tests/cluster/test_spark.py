"""Spark with two executors, each a process: the values are those of the files, every row comes once, filters and killed workers."""
import datetime
import math
import os
import signal

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession, functions as F

import h5arrow
import h5arrow.spark
from conftest import SAMPLE
from datasets_of_tests import sorted_file
from servers import serving


@pytest.fixture(scope="module")
def spark():
    session = (SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
               .config("spark.driver.host", "127.0.0.1").config("spark.sql.session.timeZone", "UTC")
               .config("spark.sql.shuffle.partitions", "2").config("spark.sql.python.filterPushdown.enabled", "true").getOrCreate())
    h5arrow.spark.register(session)
    yield session
    session.stop()


def load(spark, path, **options):
    return spark.read.format("h5arrow").options(**options).load(path)


def test_sample(spark):
    rides = load(spark, SAMPLE, table="/table", split_bytes=500_000)
    assert rides.rdd.getNumPartitions() > 3
    want = h5arrow.open(SAMPLE).table().to_pyarrow()
    got = rides.toArrow()
    assert got.num_rows == 50000 and got.column_names == want.column_names
    for name in want.column_names:
        column = want[name].cast(got[name].type)
        assert got[name].combine_chunks().equals(column.combine_chunks()), name


def test_every_row_once(spark, many):
    table = load(spark, many, split_bytes=16384)
    assert table.rdd.getNumPartitions() >= 10
    assert sorted(r.n for r in table.select("n").collect()) == list(range(25000))
    assert table.agg(F.count("half"), F.count(F.when(F.isnan("half"), 1)), F.sum("n")).collect()[0] == (25000, 2500, 312487500)
    assert table.groupBy("name").count().count() == 7
    files = [many.replace("*", str(k)) for k in (3, 1)]
    assert sorted(r.n for r in load(spark, files).collect()) == [*range(5000, 10000), *range(15000, 20000)]


def test_both_executors_work(spark, many):
    executors = load(spark, many, split_bytes=16384).select("n").mapInPandas(
        lambda frames: (f.assign(n=os.getppid()).head(1) for f in frames), "n long").distinct().count()
    assert executors == 2


def test_types(spark, types):
    path, table = types
    got = load(spark, path)
    assert {f.name: f.dataType.simpleString() for f in got.schema} == {
        "f": "double", "i": "bigint", "s": "string", "b": "boolean", "t": "timestamp_ntz", "tz": "timestamp", "ms": "timestamp_ntz",
        "ns": "timestamp_ntz", "d": "date", "du": "interval day to second", "u8": "smallint", "u16": "int", "u32": "bigint",
        "u64": "decimal(20,0)", "dec": "decimal(5,2)", "bin": "binary", "list": "array<bigint>", "struct": "struct<a:bigint>",
        "label": "string", "half": "float", "pair": "array<int>"}
    rows = [r.asDict(recursive=True) for r in got.collect()]
    for name in set(table.column_names) - {"f", "ns", "tz"}:
        want = table[name].to_pylist()
        assert [r[name] for r in rows] == want, name
    day = datetime.datetime(1970, 1, 1)
    us = datetime.timedelta(microseconds=1)
    assert [r["ns"] for r in rows] == [day, day + us, None, day - us]
    assert [r["tz"] for r in got.selectExpr("unix_micros(tz) as tz").collect()] == [0, 1000000, None, 3]
    assert math.isnan(rows[1]["f"]) and rows[3]["f"] == 50


def test_chunks_are_skipped(spark, tmp_path):
    """Chunks in which no row can match where are not decoded, nor columns that are not chosen: others are damaged."""
    path = sorted_file(tmp_path / "sorted.h5")
    total = lambda table, column: table.agg(F.sum(column)).collect()[0][0]  # noqa: E731
    chosen, want = "x >= 500000 and x < 600000", sum(range(500000, 600000))
    assert total(load(spark, path, where=chosen), "y") == want
    with pytest.raises(Exception, match="sorted.h5"):
        total(load(spark, path).where(chosen), "y")
    assert total(load(spark, path, columns="x"), "x") == sum(range(1_000_000))
    only = spark.read.schema("x long").format("h5arrow").load(path)
    assert only.count() == 1_000_000


def test_several_queries(spark, many):
    """Queries of one DataFrame, and in one query, don't disturb each other: Spark mixes up filters that a data source takes."""
    table = load(spark, many, columns="n")
    assert [table.where("n < 10").count(), table.count(), table.where("n >= 24000").count(), table.count()] == [10, 25000, 1000, 25000]
    assert table.where("n < 10").union(table.where("n >= 24000")).union(table).count() == 26010


def test_where(spark):
    got = load(spark, SAMPLE, where="fare > 40 and tip is not null", columns="zone, fare")
    assert got.columns == ["zone", "fare"]
    assert got.count() == h5arrow.open(SAMPLE).table().filter("fare > 40 and tip is not null").num_rows


def test_urls(spark, many):
    """Each task opens its URL. The server wants a key."""
    with serving(os.path.dirname(many), key="open") as url:
        got = load(spark, [url + "/3.h5", url + "/1.h5"], header="X-Key: open", split_bytes=16384)
        assert sorted(r.n for r in got.collect()) == [*range(5000, 10000), *range(15000, 20000)]
        with pytest.raises(Exception, match="403"):
            load(spark, url + "/3.h5").collect()


def test_union(spark, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["t/x"], f["t/y"] = np.arange(10, dtype="i4"), np.arange(10) / 2
    with h5py.File(tmp_path / "b.h5", "w") as f:
        f["t/x"], f["t/z"] = np.arange(10, 20, dtype="i8"), np.arange(10, dtype="u1")
    got = load(spark, str(tmp_path / "*.h5"), union="by-name")
    assert got.schema.simpleString() == "struct<x:bigint,y:double,z:smallint>"
    assert sorted(r.x for r in got.collect()) == list(range(20))
    assert got.where("z is null").count() == 10 and got.where("z > 6").select("x").collect() == [(17,), (18,), (19,)]
    with pytest.raises(Exception, match="b.h5"):
        load(spark, str(tmp_path / "*.h5")).collect()


@pytest.mark.parametrize("path,options,message", [
    ("nothing.h5", {}, "nothing.h5"), ("s3://bucket/a.h5", {}, "mounted"), (SAMPLE, {"table": "/none"}, "/none"),
    (SAMPLE, {"tables": "/table"}, "no option tables"), (SAMPLE, {"workers": "many"}, "not a number"), (SAMPLE, {"copy": "yes"}, "true or false"),
    (SAMPLE, {"columns": "fare,nope"}, "nope"), (SAMPLE, {"where": "fare >"}, "fare >")])
def test_errors(spark, path, options, message):
    with pytest.raises(Exception, match=message):
        load(spark, path, **options).collect()


class KillingReader(h5arrow.spark.Reader):
    """Kills its process once for each file, after some rows."""

    marks = ""

    def read(self, partition):
        for batch in super().read(partition):
            yield batch
            mark = os.path.join(self.marks, os.path.basename(partition.value.file))
            if not os.path.exists(mark):
                open(mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)


class KillingSource(h5arrow.spark.H5DataSource):
    @classmethod
    def name(cls):
        return "killing"

    def reader(self, schema):
        reader = super().reader(schema)
        reader.__class__ = KillingReader
        reader.marks = os.path.dirname(reader._files[0]) + "-marks"
        return reader


def test_parquet_encodings(spark, tmp_path):
    """Spark reads each encoding that Parquet files are written with."""
    rng, n = np.random.default_rng(1), 100_000
    rows = np.arange(n)
    stored = pa.table({
        "grows": np.cumsum(rng.integers(0, 5, n)), "i32": rows.astype("i4"), "i8": (rows % 100).astype("i1"), "u32": rows.astype("u4"),
        "f64": rng.normal(size=n), "f32": rng.normal(size=n).astype("f4"), "few": np.round(rng.normal(size=n), 1),
        "nulls": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.2), "us": pa.array(rows * 1_000_003, pa.timestamp("us")),
        "ms": pa.array(rows * 1003, pa.timestamp("ms", "UTC")), "day": pa.array(rows % 20000, pa.int32()).cast(pa.date32()),
        "yes": pa.array(rng.random(n) < 0.3, mask=rng.random(n) < 0.1), "word": ["word %d" % (k % 40) for k in rows],
        "own": ["own %d" % (k * 7919 % n) for k in rows]})
    h5arrow.write(stored, tmp_path / "a.h5")
    for options, encodings in ({}, {"DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "RLE_DICTIONARY", "PLAIN"}), ({"parquet_compat": "1.0"}, {"PLAIN"}):
        h5arrow.convert(tmp_path / "a.h5", tmp_path / "a.parquet", force=True, **options)
        group = pq.read_metadata(tmp_path / "a.parquet").row_group(0)
        assert encodings <= {e for k in range(group.num_columns) for e in group.column(k).encodings}
        got = spark.read.parquet(str(tmp_path / "a.parquet")).toArrow()
        assert got.column_names == stored.column_names
        for name in stored.column_names:
            assert got[name].combine_chunks().equals(stored[name].cast(got[name].type).combine_chunks()), name


def test_killed_worker(spark, many):
    """Tasks of killed workers are run again, and no row is there twice."""
    marks = os.path.dirname(many) + "-marks"
    os.makedirs(marks)
    spark.dataSource.register(KillingSource)
    rows = spark.read.format("killing").options(batch_rows=100).load(many).select("n").collect()
    assert sorted(r.n for r in rows) == list(range(25000))
    assert len(os.listdir(marks)) == 5


def test_memory(spark, tmp_path):
    """A worker holds some batches, not its split."""
    path = str(tmp_path / "large.h5")
    with h5py.File(path, "w") as f:
        f.create_dataset("t/x", shape=(50_000_000,), dtype="f8", chunks=(100_000,), compression="gzip", fillvalue=1.5)
        f["t/x"][:100_000] = 1.5  # the other chunks are not there, and become their fill value
    table = load(spark, path, split_bytes=200 << 20)
    assert table.rdd.getNumPartitions() == 2

    def peak(batches):
        rows = sum(b.num_rows for b in batches)
        with open("/proc/self/status") as f:
            yield pa_batch(rows, int(next(line for line in f if line.startswith("VmHWM")).split()[1]) >> 10)

    def pa_batch(rows, megabytes):
        import pyarrow
        return pyarrow.record_batch({"rows": [rows], "megabytes": [megabytes]})

    assert table.agg(F.sum("x")).collect()[0][0] == 75_000_000
    got = table.mapInArrow(peak, "rows long, megabytes long").collect()
    assert sum(r.rows for r in got) == 50_000_000
    assert max(r.megabytes for r in got) < 400, got
