"""Other packages read tables by the capsules, with no glue; and the modules for some of them push down what they can."""
import os
import pathlib
import site

import datasets_of_tests as made
import duckdb
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import h5arrow
import h5arrow.dataset
import h5arrow.pandas
import h5arrow.polars
from conftest import SAMPLE, mapped, run


@pytest.fixture
def table():
    with h5arrow.open(SAMPLE) as f:
        yield f["/table"]


def test_capsules(table):
    t = table.to_pyarrow()
    assert pl.DataFrame(table).equals(pl.from_arrow(t)) and table.to_polars().height == 50000
    rides = table
    assert duckdb.sql("select count(*), count(tip), sum(meter) from t").fetchall() == \
        duckdb.sql("select count(*), count(tip), sum(meter) from rides").fetchall()
    pd.testing.assert_frame_equal(table.to_pandas(), t.to_pandas())
    assert pa.table(pl.Series(next(iter(table.select(["zone", "fare"]).to_batches())))).num_rows == 50000


def test_narwhals(table):
    nw = pytest.importorskip("narwhals")
    assert nw.from_arrow(table, backend="polars").shape == (50000, 11)


def test_datafusion(table):
    df = pytest.importorskip("datafusion")
    assert df.SessionContext().from_arrow(table, name="t").filter(df.col("fare") > df.lit(40.0)).count() == table.filter("fare > 40").num_rows


def test_datafusion_dataset(sorted_file):
    """DataFusion scans the splits, and pushes down columns and filters: the other column is damaged but for some rows."""
    df = pytest.importorskip("datafusion")
    context = df.SessionContext()
    context.register_dataset("d", h5arrow.dataset.dataset(sorted_file))
    got = context.sql("select y from d where x >= 520000 and x < 520005 order by y").to_pydict()
    assert got == {"y": list(range(520_000, 520_005))}
    assert context.sql("select count(*) as n, sum(x) as s from d").to_pydict() == {"n": [1_000_000], "s": [sum(range(1_000_000))]}


def test_datasets():
    """A Dataset of Hugging Face has the mapped values themselves."""
    from datasets import Dataset
    with h5arrow.open(SAMPLE) as f:
        t = f["/table"].select(["fare", "zone"]).to_pyarrow()
    hf = Dataset(t)
    address = hf.data.column("fare").chunk(0).buffers()[1].address
    assert any(a <= address < b for a, b in mapped(SAMPLE)) and hf.num_rows == 50000
    assert hf[49999] == t.slice(49999).to_pylist()[0]


def test_duckdb(tmp_path, sorted_file):
    from h5arrow.duckdb import register
    with duckdb.connect() as connection:
        assert register(connection, [SAMPLE, SAMPLE]) == ["/table", "table"]
        assert connection.sql('select count(*) from "table"').fetchall() == [(100000,)]
        assert register(connection, sorted_file, name="d") == ["d"]
        assert connection.sql("select y from d where x between 520000 and 520004 order by y").fetchall() == [(y,) for y in range(520_000, 520_005)]
        with h5py.File(tmp_path / "two.h5", "w") as f:
            for g in ("a", "b"):
                f[g + "/t/x"], f[g + "/t/y"] = np.arange(3), np.arange(3)
        assert register(connection, tmp_path / "two.h5") == ["/a/t", "/b/t"]
        with pytest.raises(ValueError, match="2 tables"):
            register(connection, tmp_path / "two.h5", name="t")
        assert register(connection, tmp_path / "two.h5", "/a/t") == ["/a/t", "t"]


def test_without_pyarrow(tmp_path):
    """In an environment that has everything but pyarrow."""
    for folder in map(pathlib.Path, site.getsitepackages()):
        for entry in folder.iterdir():
            if not entry.name.startswith("pyarrow") and not (tmp_path / entry.name).exists():
                (tmp_path / entry.name).symlink_to(entry)
    code = """
import sys
import h5arrow, polars as pl, duckdb
f = h5arrow.open(sys.argv[1])
t = f["/table"]
frame = pl.DataFrame(t)
print(frame.height, frame["tip"].null_count(), t.filter("fare > 40").num_rows, len(t.schema), len(list(t.to_batches())))
from h5arrow.polars import scan_h5
print(scan_h5(sys.argv[1]).filter(pl.col("fare") > 40).select(pl.len()).collect().item())
try: t.to_pyarrow()
except ImportError: print("no pyarrow")
"""
    n = h5arrow.open(SAMPLE)["/table"].filter("fare > 40").num_rows
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert run(code, SAMPLE, python=["-S"], PYTHONPATH=path).stdout.split("\n")[:3] == ["50000 5961 %d 11 1" % n, str(n), "no pyarrow"]


def scan():
    return h5arrow.polars.scan_h5(SAMPLE, "/table")


def test_scan(table):
    whole = pl.DataFrame(table)
    assert scan().collect().equals(whole) and scan().collect_schema() == whole.schema
    for query in (lambda f: f.select("zone", "fare"), lambda f: f.filter(pl.col("fare") > 40).select("meter", "zone"),
                  lambda f: f.filter((pl.col("fare") > 40) | pl.col("tip").is_null()), lambda f: f.head(7), lambda f: f.slice(10, 5),
                  lambda f: f.filter(pl.col("fare") > 1e9), lambda f: f.filter(pl.col("fare") > 3).head(11).select("vendor"),
                  lambda f: f.group_by("vendor").agg(pl.col("fare").mean()).sort("vendor"), lambda f: f.select(pl.len()),
                  lambda f: f.filter(pl.col("zone").str.starts_with("D") & (pl.col("meter") < 100)).select(pl.col("fare").sum())):
        want = query(whole.lazy()).collect()
        assert query(scan()).collect().equals(want)
        assert query(scan()).collect(engine="streaming").equals(want)


def test_scan_of_files(tmp_path, table):
    for k in range(3):
        with h5py.File(tmp_path / ("part%d.h5" % k), "w") as f:
            f["t/x"], f["t/y"] = np.arange(10) + 10 * k, np.arange(10.0)
    frame = h5arrow.polars.scan_h5(str(tmp_path / "part*.h5")).filter(pl.col("x") % 7 == 0).collect()
    assert frame["x"].to_list() == [0, 7, 14, 21, 28] and frame.columns == ["x", "y"]
    with pytest.raises(FileNotFoundError, match="no file matches"):
        h5arrow.polars.scan_h5(str(tmp_path / "*.h6"))


@pytest.fixture
def sorted_file(tmp_path):
    """Ten chunks of rows in order, in two columns of which the second is damaged but for its sixth chunk."""
    return made.sorted_file(tmp_path / "sorted.h5")


def test_pushdown(sorted_file):
    """Chunks in which the predicate holds nowhere are not decoded: these are damaged."""
    want = list(range(520_000, 520_005))
    lazy = h5arrow.polars.scan_h5(sorted_file)
    assert lazy.filter(pl.col("x").is_in(want)).collect()["y"].to_list() == want
    with pytest.raises(Exception, match="corrupt"):
        lazy.select("y").collect()
    d = h5arrow.dataset.dataset(sorted_file)
    assert d.to_table(columns=["y"], filter=pc.field("x").isin(want))["y"].to_pylist() == want
    assert duckdb.sql("select y from d where x >= 520000 and x < 520005 order by y").fetchall() == [(y,) for y in want]
    with h5arrow.open(sorted_file) as f:
        assert f.table().filter("x between 520000 and 520004").select(["y"]).to_pyarrow()["y"].to_pylist() == want
    assert duckdb.sql("select sum(x) from d").fetchall() == [(sum(range(1_000_000)),)]  # projection


def test_dataset(table):
    d, t = h5arrow.dataset.dataset(SAMPLE), table.to_pyarrow()
    assert d.schema == t.schema and d.count_rows() == 50000 and d.head(5) == t.slice(0, 5)
    expression = (pc.field("fare") > 40) & pc.field("tip").is_valid()
    want = t.filter(expression)
    assert d.to_table(filter=expression).combine_chunks() == want.combine_chunks() and d.count_rows(filter=expression) == want.num_rows
    assert d.to_table(columns=["zone"], filter=expression)["zone"].to_pylist() == want["zone"].to_pylist()
    double = d.to_table(columns={"double": pc.multiply(pc.field("fare"), 2), "zone": pc.field("zone")}, filter=expression)
    assert double.column_names == ["double", "zone"] and double["zone"].to_pylist() == want["zone"].to_pylist()
    assert sum(b.num_rows for b in d.to_batches(columns=["fare"])) == 50000
    sql = "select zone, count(*) as n, round(avg(fare), 3) as fare from {} where fare > 5 and tip is not null group by zone order by zone"
    assert duckdb.sql(sql.format("d")).fetchall() == duckdb.sql(sql.format("t")).fetchall()
    assert pl.scan_pyarrow_dataset(d).filter(pl.col("fare") > 40).collect().height == t.filter(pc.field("fare") > 40).num_rows
    parts = list(h5arrow.dataset.Dataset(table).get_fragments())
    assert len(parts) == 1 and parts[0].physical_schema == t.schema and parts[0].count_rows() == 50000
    assert parts[0].to_table(columns=["zone"], filter=expression)["zone"].to_pylist() == want["zone"].to_pylist()


def test_pandas(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]}, index=pd.Index([10, 20, 30], name="i"))
    pytest.importorskip("tables")
    frame.to_hdf(tmp_path / "p.h5", key="t", format="table")
    got = h5arrow.pandas.read_h5arrow(tmp_path / "p.h5", "/t")
    pd.testing.assert_frame_equal(got, pd.read_hdf(tmp_path / "p.h5", "t"), check_dtype=False)
    part = h5arrow.pandas.read_h5arrow(SAMPLE, columns=["zone", "fare"], where="fare > 40")
    assert list(part.columns) == ["zone", "fare"] and (part["fare"] > 40).all() and len(part) > 0


def test_union(tmp_path):
    """Files of several schemas become what pyarrow makes of their tables."""
    tables = [
        pa.table({"t": pa.array([1, 2, None], pa.int16()), "x": pa.array([0.5, None, 1.5], pa.float32()), "s": ["u", None, "w"]}),
        pa.table({"x": pa.array([7, 8], pa.int32()), "k": pa.array(["c", "b"]).dictionary_encode(), "t": pa.array([70000, 1], pa.uint32())}),
        pa.table({"b": pa.array([True]), "t": pa.array([2**40], pa.int64()), "l": pa.array([[1, None]], pa.list_(pa.int8()))}),
    ]
    names = [str(tmp_path / ("%d.h5" % i)) for i in range(len(tables))]
    for name, table in zip(names, tables):
        h5arrow.write(table, name)
    want = pa.concat_tables(tables, promote_options="permissive")
    t = h5arrow.concat([h5arrow.open(n).table() for n in names], union="by-name")
    got = t.to_pyarrow()
    assert got.schema.names == want.schema.names
    assert got.to_pydict() == want.to_pydict()
    assert [f.type for f in got.schema if f.name != "l"] == [f.type for f in want.schema if f.name != "l"]
    assert t.notes[0] == "column t: int16, converted to int64 in " + names[0] and len(t.notes) == 9
    assert pa.table(t.filter("t > 100")).to_pydict() == want.filter(pc.field("t") > 100).to_pydict()
    assert h5arrow.dataset.dataset(names, union="by-name").to_table(columns=["b", "t"]).to_pydict() == want.select(["b", "t"]).to_pydict()
    scan = h5arrow.polars.scan_h5(str(tmp_path / "*.h5"), union="by-name").filter(pl.col("x") > 1).select("t", "s").collect()
    assert scan.rows() == [(None, "w"), (70000, None), (1, None)]
    with pytest.raises(h5arrow.ArgumentError, match="have one schema"):
        h5arrow.concat([h5arrow.open(n).table() for n in names])
    with pytest.raises(h5arrow.ArgumentError, match="by-name"):
        h5arrow.concat([t], union="x")
    with pytest.raises(h5arrow.ArgumentError, match="column t differs"):
        h5arrow.write(pa.table({"t": ["text"]}), str(tmp_path / "text.h5"))
        h5arrow.concat([t, h5arrow.open(tmp_path / "text.h5").table()], union="by-name")
