"""Each module for an engine takes each option of open and open_files: what it reads is what pyarrow joins of the files' tables."""
import functools
import importlib.util
import json
import pickle

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import h5arrow
from servers import serving

ROWS = 50


def write(path, i, **columns):
    """Write a table t with columns, and the attributes site of its group and run of the file, which file 2 lacks."""
    with h5py.File(path, "w") as f:
        if i != 2:
            f.attrs["run"] = i
        g = f.create_group("t")
        g.attrs["site"] = ("north", "south")[i % 2]
        for name, values in columns.items():
            g.create_dataset(name, data=values, chunks=(10,), **({"dtype": h5py.string_dtype()} if isinstance(values, list) else {}))


def table(path):
    """Return the table that h5py reads, with the name and the attributes of the file."""
    with h5py.File(path) as f:
        g = f["t"]
        columns = {n: d.asstr()[:].tolist() if d.dtype == object else d[:] for n, d in g.items()}
        return pa.table({**columns, "filename": [str(path)] * ROWS, "site": [g.attrs["site"]] * ROWS,
                         "run": pa.array([int(f.attrs["run"]) if "run" in f.attrs else None] * ROWS, pa.int64())})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of one schema (one-*.h5), files of several (mixed-*.h5), and one whose x is not in order (wild.h5)."""
    d = tmp_path_factory.mktemp("options")
    for i in range(2):
        write(d / ("one-%d.h5" % i), i, x=np.arange(i * ROWS, (i + 1) * ROWS), y=np.where(np.arange(ROWS) % 5 == 0, np.nan, np.arange(ROWS) / 2))
        write(d / ("mixed-%d.h5" % i), i, x=np.arange(i * ROWS, (i + 1) * ROWS, dtype="i2"), s=["s%d" % (k % 3) for k in range(ROWS)])
    write(d / "mixed-2.h5", 2, x=np.arange(ROWS, dtype="i8") << 40, z=np.arange(ROWS, dtype="u1"))
    write(d / "wild.h5", 0, x=np.arange(ROWS)[::-1] % 7)
    h5arrow.write_manifest(str(d / "one-*.h5"), d / "one.files", "/t")
    h5arrow.write_manifest(str(d / "mixed-*.h5"), d / "mixed.files", union="by-name", file_attributes=["site", "run"])
    return d


def of_scan(scan):
    def read(paths=(), **options):
        where = options.pop("where", None)
        whole = scan(paths, **options)
        return whole if where is None else whole.filter(text_as_expression(where))
    return read


def text_as_expression(text):
    """Return a condition of this module as an expression of pyarrow."""
    column, op, value = text.split(" ", 2)
    if text.endswith(" is null"):
        return pc.field(column).is_null()
    value = json.loads(value.replace("'", '"'))
    return {"=": pc.field(column) == value, ">": pc.field(column) > value}[op]


def by_dataset(paths, **options):
    from h5arrow.dataset import dataset
    return dataset(paths, **options).to_table()


def by_duckdb(paths, **options):
    import duckdb
    from h5arrow.duckdb import register
    with duckdb.connect() as connection:
        name = register(connection, paths, **options)[0]
        return pa.table(connection.sql('select * from "%s"' % name))


def by_query(paths, **options):
    return h5arrow.query(paths, "select * from t", engine="duckdb", **options)


def by_polars(paths, **options):
    from h5arrow.polars import scan_h5
    return scan_h5(paths, **options).collect().to_arrow()


def by_pandas(paths=(), **options):
    from h5arrow.pandas import read_h5arrow
    import pandas as pd
    frame = read_h5arrow(paths, to_pandas={"types_mapper": pd.ArrowDtype}, **options)
    return pa.Table.from_pandas(frame, preserve_index=False)


def by_dask(paths=(), **options):
    from h5arrow.dask import read_h5
    frame = read_h5(paths, split_bytes=200, **options)
    assert frame.npartitions > 2
    got = frame.compute(scheduler="synchronous")
    assert [str(t) for t in frame.dtypes] == [str(t) for t in got.dtypes]
    return pa.Table.from_pandas(got, preserve_index=False)


def by_tasks(paths=(), **options):
    """What Spark and Ray do, without them."""
    from h5arrow import _cluster
    given = [options.pop(k, None) for k in ("columns", "where", "union")]
    scan, files = _cluster.plan(paths, options.pop("table", ""), *given, options)
    schema = scan.schema(files)
    parts = scan.parts(files, schema, 200)
    assert len(parts) > 2
    scan, parts = pickle.loads(pickle.dumps((scan, parts)))
    return pa.Table.from_batches([b for p in parts for b in scan.batches(p, schema)], schema)


def by_ray(paths=(), **options):
    from h5arrow.ray import H5Datasource
    source = H5Datasource(paths, split_bytes=200, **options)
    return pa.concat_tables([b for task in source.get_read_tasks(5) for b in task()])


def by_spark(paths=(), **options):
    from pyspark.sql.pandas.types import to_arrow_schema
    from h5arrow.spark import H5DataSource
    if "headers" in options:
        options["header"] = ", ".join("%s: %s" % h for h in options.pop("headers").items())
    texts = {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in options.items()}
    if texts.get("filename") == "True":
        texts["filename"] = "filename"
    if paths:
        texts["paths"] = json.dumps([paths] if isinstance(paths, str) else paths)
    source = H5DataSource({**texts, "split_bytes": "200"})
    reader = source.reader(source.schema())
    return pa.Table.from_batches([b for p in reader.partitions() for b in reader.read(p)], to_arrow_schema(source.schema(), timezone="UTC"))


SCANS = {"dataset": by_dataset, "duckdb": by_duckdb, "query": by_query, "polars": by_polars}
TAKE_WHERE = {"pandas": by_pandas, "dask": by_dask, "tasks": by_tasks, "ray": by_ray, "spark": by_spark}
NEEDS = {"duckdb": "duckdb", "query": "duckdb", "polars": "polars", "dask": "dask", "ray": "ray", "spark": "pyspark"}
ENGINES = {name: f for name, f in {**{name: of_scan(f) for name, f in SCANS.items()}, **TAKE_WHERE}.items()
           if name not in NEEDS or importlib.util.find_spec(NEEDS[name])}  # Ray and Spark are there for the tests of clusters only

CASES = {  # options, and the conditions that are tried with them
    "one": ({}, ["x > 60"]),
    "one filename": ({"filename": True}, ["x > 60", "filename = 'no'"]),
    "one file_attributes": ({"file_attributes": ["run", "site"]}, ["run = 1", "site = 'north'"]),
    "one file": ({"manifest": "one.files", "filename": "file"}, ["x > 60"]),
    "one sorted": ({"sorted": "x"}, ["x > 60"]),
    "one sorted list": ({"sorted": ["x"], "union": "by-name"}, ["x > 60"]),
    "one workers": ({"workers": 2, "batch_rows": 7, "filename": True}, ["x > 60"]),
    "mixed": ({"union": "by-name"}, ["z > 40", "z is null", "x > 70", "s = 's1'"]),
    "mixed filename": ({"union": "by-name", "filename": "file"}, ["z is null", "s = 's1'"]),
    "mixed file_attributes": ({"union": "by-name", "filename": True, "file_attributes": ["site", "run"]}, ["run > 0", "run is null", "z > 40"]),
    "mixed manifest": ({"manifest": "mixed.files"}, ["run > 0", "run is null", "z > 40", "site = 'south'"]),
}


@functools.cache
def expected(folder, case):
    kind, options = case.split(" ")[0], CASES[case][0]
    tables = [table(p) for p in sorted(folder.glob(kind + "-*.h5"))]
    whole = pa.concat_tables(tables, promote_options="permissive")
    names = [n for n in whole.column_names if n not in ("filename", "site", "run")]
    attributes = options.get("file_attributes", ["site", "run"] if options.get("manifest") == "mixed.files" else [])
    out = whole.select(names + (["filename"] if options.get("filename") else []) + attributes)
    return out.rename_columns([options["filename"] if n == "filename" and options["filename"] is not True else n for n in out.column_names])


def given(folder, case):
    """Return the parameters of a case."""
    options = dict(CASES[case][0])
    if "manifest" in options:
        options["manifest"] = str(folder / options["manifest"])
        return options
    return {"paths": str(folder / (case.split(" ")[0] + "-*.h5")), **options}


def values(t):
    """Return the values of a table, as those of engines differ in their types; NaN is a text."""
    return {n: [str(v) if v != v else v for v in c.to_pylist()] for n, c in zip(t.column_names, t.columns)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_options(folder, engine, case):
    read, want = ENGINES[engine], expected(folder, case)
    assert values(read(**given(folder, case))) == values(want)
    for where in CASES[case][1]:
        assert values(read(**given(folder, case), where=where)) == values(want.filter(text_as_expression(where))), where
    with pytest.raises(Exception, match="frobnicate"):
        read(**given(folder, case), frobnicate="1")


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_read(folder, engine):
    """Options of opening and of reading come to where files are opened and read."""
    read, one = ENGINES[engine], str(folder / "one-*.h5")
    for more in ({}, {"filename": True}, {"union": "by-name"}, {"file_attributes": ["run"], "union": "by-name"}):
        assert read(one, nan_as_null=True, **more)["y"].null_count == 2 * ROWS // 5
        for bad in ({"workers": -1}, {"union": "x"}, {"sorted": "nothing of this name", "strings": "x"}):
            with pytest.raises(Exception, match="negative|-1|by-name|strings"):
                read(one, **{**more, **bad})
    with pytest.raises(Exception, match="excludes"):
        read(one, manifest=str(folder / "one.files"))
    if engine in TAKE_WHERE:
        for more in ({}, {"filename": True}):
            with pytest.raises(Exception, match="wild.h5.*x.*order|wild.h5.*sorted"):
                read([str(folder / "wild.h5")] * 2, sorted="x", where="x > 3", **more)
            with pytest.raises(Exception, match="no column nothing"):
                read(str(folder / "mixed-*.h5"), union="by-name", where="nothing > 3", **more)


@pytest.mark.parametrize("engine", ENGINES)
def test_headers(folder, engine):
    """Headers are sent, and what is secret in a URL is in no column and no error."""
    read = ENGINES[engine]
    with serving(folder, key="open") as url:
        names = [url + "/one-1.h5?sig=hidden", url + "/one-0.h5?sig=hidden"]
        for more in ({}, {"filename": True}, {"union": "by-name"}):
            got = read(names, headers={"X-Key": "open"}, **more)
            assert got["x"].to_pylist() == [*range(ROWS, 2 * ROWS), *range(ROWS)]
            if "filename" in more:
                assert got["filename"].unique().to_pylist() == [url + "/one-1.h5", url + "/one-0.h5"]
            with pytest.raises(Exception, match="403") as refused:
                read(names, **more)
            if engine not in ("ray", "spark"):  # these add their own tracebacks
                assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_files(engine):
    with pytest.raises(Exception, match="no files|no tables|needs files"):
        ENGINES[engine]([])
