"""Files, tables, batches."""
import datetime
import os
import shutil
import subprocess

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import h5arrow


@pytest.fixture
def table(sample):
    with h5arrow.open(sample) as f:
        yield f["/table"]


def test_file(sample):
    f = h5arrow.open(sample)
    assert list(f) == ["/table"] and len(f) == 1 and "/table" in f and "/x" not in f
    assert f.size == 2283854 and f.problem is None and not f.closed
    assert [t.path for t in f.tables] == ["/table"] and len(f.datasets) == 16
    assert f.table().path == "/table" and f["table"].num_rows == 50000
    assert f["/table/columns/fare/data"].column_names == ["data"]
    assert f.dataset("/table/columns/fare/data", "/table/columns/tip/data").num_columns == 2
    assert f.check() == f.check(deep=True) == []
    f.close()
    f.close()
    assert f.closed and "closed" in repr(f) and "closed" in f._repr_html_()
    with pytest.raises(ValueError, match="closed"):
        f.tables


def test_columns(table):
    tip = table.columns[4]
    assert (tip.name, tip.type, tip.delivery, tip.reason) == ("tip", "float", "mapped", "")
    assert tip.nulls == "mask /table/columns/tip/mask (packed)" and tip.shape == (50000,)
    meter = table.columns[9]
    assert (meter.storage, meter.filters, meter.delivery) == ("chunked", ("shuffle", "deflate"), "decoded")
    assert meter.reason == "the chunks are filtered"
    assert table.schema.names == table.column_names and table.schema["zone"].type == "utf8"
    assert pa.schema(table.schema) == table.schema.to_pyarrow() == table.to_pyarrow().schema
    assert table.convention == "vaex" and "columns" in table.reason and table.notes == []


def test_values(table, sample):
    t = table.to_pyarrow()
    t.validate(full=True)
    with h5py.File(sample) as f:
        for name in ("fare", "meter", "vendor", "passengers"):
            assert np.array_equal(t[name].to_numpy(), f["table/columns"][name]["data"][:]), name
        mask = f["table/columns/tip/mask"][:].astype(bool)
        assert np.array_equal(t["tip"].is_null().to_numpy(), mask)
    assert table.with_options(copy=True, workers=1, batch_rows=777).to_pyarrow().combine_chunks() == t.combine_chunks()


def test_narrow(table):
    t = table.to_pyarrow()
    assert table.select(["zone", "fare"]).to_pyarrow() == t.select(["zone", "fare"])
    assert table.select("zone").column_names == ["zone"]
    part = table.slice(100, 300).select(["fare"])
    assert len(part) == 200 and part.to_pyarrow().combine_chunks() == t.select(["fare"]).slice(100, 200).combine_chunks()
    assert table.slice(49990).num_rows == 10 and table.head(3).num_rows == 3 and table.head(10**9).num_rows == 50000
    assert table.slice(0, 0).to_pyarrow() == t.slice(0, 0)
    with pytest.raises(h5arrow.ArgumentError, match="no column nothing"):
        table.select(["nothing"])
    with pytest.raises(ValueError, match="rows 7 to 3"):
        table.slice(7, 3)


FILTERS = [
    ("fare > 40", pc.field("fare") > 40),
    ("fare = 5.4", pc.field("fare") == pa.scalar(5.4, pa.float32())),
    ("fare != 5.4 and tip is null", (pc.field("fare") != pa.scalar(5.4, pa.float32())) & pc.field("tip").is_null()),
    ("passengers between 2 and 3.5", pc.field("passengers").isin([2, 3])),
    ("passengers in (1, 2, 2.5, 1e30)", pc.field("passengers").isin([1, 2])),
    ("passengers < 1.5", pc.field("passengers") <= 1),
    ("passengers >= -1e300 and passengers <= 1000", pc.field("passengers").is_valid()),
    ("zone in ('Dock', 'Göteborg Plaza') and note is not null", pc.field("zone").isin(["Dock", "Göteborg Plaza"]) & pc.field("note").is_valid()),
    ("note >= 'm'", pc.field("note") >= "m"),
    ("shared = true and vendor <> 1", pc.field("shared") & (pc.field("vendor") != 1)),
    ("pickup < '2024-02-29 00:30:00'", pc.field("pickup") < pa.scalar(datetime.datetime(2024, 2, 29, 0, 30), pa.timestamp("ms"))),
    ("rating > 2 and meter > 100", (pc.field("rating") > 2) & (pc.field("meter") > 100)),
    ("fare > 1e9", pc.field("fare") > 1e9),
    ("vendor not in (0, 2) and zone not in (Dock)", (pc.field("vendor") == 1) & (pc.field("zone") != "Dock")),
    ([("vendor", "not in", [0, 2]), ("fare", "<", float("inf"))], pc.field("vendor") == 1),
    ([("pickup", "in", np.array(["2024-02-29T00:00:11", "2024-02-29T00:00:01.5"], "M8[ns]"))], pc.field("pickup").isin([])),
]


@pytest.mark.parametrize("text, expression", FILTERS, ids=[str(f[0])[:40] for f in FILTERS])
def test_filter(table, text, expression):
    want = table.to_pyarrow().filter(expression).combine_chunks()
    part = table.filter(text)
    assert part.num_rows == want.num_rows
    for names in (None, ["meter", "zone", "pickup"]):
        got = part if names is None else part.select(names)
        got = got.with_options(batch_rows=5000).to_pyarrow()
        got.validate(full=True)
        assert got.combine_chunks() == (want if names is None else want.select(names))
    assert part.head(7).to_pyarrow().num_rows == part.head(7).num_rows == min(7, want.num_rows)


def test_filter_conditions(table):
    want = table.filter("fare > 40 and zone in ('Dock', 'Forum') and tip is not null").to_pyarrow()
    got = table.filter([("fare", ">", np.float32(40)), ("zone", "in", {"Dock", "Forum"})]).filter([("tip", "is not null")])
    assert got.to_pyarrow() == want and want.num_rows > 0
    start = datetime.datetime(2024, 2, 29, 1)
    assert table.filter([("pickup", ">=", start)]).num_rows == table.filter("pickup >= '2024-02-29T01:00'").num_rows


@pytest.mark.parametrize("bad, why", [
    ("fare >", "where a value"), ("fare > 'x'", "not a number"), ("> 3", "name of a column"), ("fare > 3 or tip > 3", "where \"and\""),
    ("nothing = 1", "no column nothing"), ("fare ~ 3", "an operator"), ("zone = 'x", "has no end"), ([("fare", "like", 3)], "unknown operator"),
    ([("fare",)], "a condition is"), ([("fare", ">", None)], "not a number"), ("pickup > 'yesterday'", "not a time"), ([("shared", "=", 2)], "not true or false"),
    ([("fare", "between", 1)], "between with 1 constants"), ([("pickup", ">", np.datetime64("NaT"))], "not a time"),
])
def test_filter_errors(table, bad, why):
    with pytest.raises(h5arrow.ArgumentError, match=why):
        table.filter(bad).to_pyarrow()


def test_sorted(sample):
    """Columns that are said to be sorted are searched, and those that are not are errors."""
    where = "pickup between '2024-02-29 00:04:00' and '2024-02-29 00:08:00'"
    with h5arrow.open(sample) as f, h5arrow.open(sample, sorted=["pickup"]) as g:
        want = f["table"].filter(where).to_pyarrow()
        assert 0 < want.num_rows < 1000 and g["table"].filter(where).to_pyarrow().equals(want)
    with h5arrow.open(sample, sorted="fare") as f, pytest.raises(h5arrow.ArgumentError, match="column fare is not sorted: values ascend in row 1"):
        f["table"].filter("fare = 5").to_pyarrow()


def test_filter_with_index(sample, tmp_path):
    """With an index, rows are skipped: those of chunks that are damaged after the index was made are not noticed."""
    name = str(tmp_path / "s.h5")
    shutil.copy(sample, name)
    with h5arrow.open(name) as f:
        want = f["/table"].filter("meter > 100").to_pyarrow()
        assert f.index is None
    subprocess.run([h5arrow._command.path(), "index", name], check=True)
    with h5arrow.open(name) as f, h5arrow.open(name, index="none") as g:
        assert f.index == name + ".h5idx" and g.index is None
        assert f["/table"].filter("meter > 100").to_pyarrow() == g["/table"].filter("meter > 100").to_pyarrow() == want
    with pytest.raises(ValueError, match="not an index"):
        h5arrow.open(name, index=tmp_path)
    damaged_apart_from_index(name)
    with h5arrow.open(name) as f:
        assert f["/table"].filter("meter > 1e9").num_rows == 0
    with h5arrow.open(name, index="none") as f, pytest.raises(h5arrow.CorruptError):
        assert f["/table"].filter("meter > 1e9").num_rows


def damaged_apart_from_index(name):
    """Overwrite the chunks of a column, and give the file the time that it had."""
    before = os.stat(name)
    with h5py.File(name) as f:
        d = f["table/columns/meter/data"].id
        places = [d.get_chunk_info(i) for i in range(d.get_num_chunks())]
    with open(name, "r+b") as f:
        for p in places:
            f.seek(p.byte_offset)
            f.write(b"\xff" * p.size)
    os.utime(name, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_filter_of_durations(tmp_path):
    """Times that last are compared with those of Python and numpy."""
    name = str(tmp_path / "d.h5")
    with h5py.File(name, "w") as f:
        d = f.create_dataset("table/columns/d/data", data=np.arange(10) * 500)
        d.attrs["dtype"] = "timedelta64[ms]"
    with h5arrow.open(name) as f:
        for value in (datetime.timedelta(seconds=2), np.timedelta64(2000, "ms"), "2s"):
            assert f.table().filter([("d", "<", value)]).num_rows == 4


def test_filter_of_nested(tmp_path):
    name = str(tmp_path / "nested.h5")
    rng = np.random.default_rng(1)
    with h5py.File(name, "w") as f:
        rows = np.zeros(1000, [("i", "i4"), ("m", "f8", (2, 3)), ("s", "S5"), ("e", h5py.enum_dtype({"a": 0, "b": 1, "c": 2}, "i1")), ("h", "f2")])
        rows["i"], rows["m"], rows["e"] = np.arange(1000), rng.random((1000, 2, 3)), rng.integers(0, 3, 1000)
        rows["s"], rows["h"] = [b"s%d" % (i % 7) for i in range(1000)], np.arange(1000) % 5
        f["t"] = rows
        f.create_dataset("v", data=np.array([np.arange(i % 4) for i in range(1000)], object), dtype=h5py.vlen_dtype("i8"))
    with h5arrow.open(name) as f:
        for t, text, keep in ((f["/t"], "e in ('b', 'c') and h < 3", (rows["e"] > 0) & (rows["h"] < 3)), (f["/t"], "s = 's3'", rows["s"] == b"s3")):
            whole, part = t.to_pyarrow(), t.filter(text).to_pyarrow()
            part.validate(full=True)
            assert part.to_pylist() == [r for r, k in zip(whole.to_pylist(), keep) if k] and 0 < part.num_rows < 1000
        both = f.dataset("/v", "/t")
        assert both.filter("v is not null").num_rows == 1000
        with pytest.raises(h5arrow.UnsupportedError, match="can't be compared with constants"):
            both.filter("v > 3").to_pyarrow()


def test_slice_of_filter(table):
    with pytest.raises(ValueError, match="have no numbers"):
        table.filter("fare > 1").slice(1, 2)


def test_batches(table):
    batches = list(table.with_options(batch_rows=20032).to_batches())
    assert [len(b) for b in batches] == [20032, 20032, 9936]
    assert pa.record_batch(batches[0]) == batches[0].to_pyarrow()  # taken twice
    assert pa.schema(batches[0]) == table.to_pyarrow().schema
    assert pa.Table.from_batches([b.to_pyarrow() for b in batches]).combine_chunks() == table.to_pyarrow().combine_chunks()
    next(iter(table.to_batches()))  # given up


def test_splits(table):
    splits = table.splits(4)
    assert [(s.start, s.stop) for s in splits] == [(0, 16384), (16384, 32768), (32768, 49152), (49152, 50000)]
    assert sum(s.stored_bytes for s in splits) > 2_000_000 and splits[0].file.endswith("sample.h5")
    assert pa.concat_tables([s.table.to_pyarrow() for s in splits]).combine_chunks() == table.to_pyarrow().combine_chunks()
    assert len(table.splits(bytes=1 << 20)) == 3 and len(table.splits()) == 1


def test_concat(sample, tmp_path):
    with h5arrow.open(sample) as f, h5arrow.open(sample) as g:
        both = h5arrow.concat([f["/table"], g["/table"].slice(0, 10)])
        assert both.num_rows == 50010 and both.slice(49995, 50005).to_pyarrow().num_rows == 10
        assert both.filter("fare > 40").num_rows > 0
    with pytest.raises(ValueError, match="closed"):
        both.to_pyarrow()


def test_options(tmp_path):
    name = str(tmp_path / "o.h5")
    with h5py.File(name, "w") as f:
        f["x"] = [1.0, np.nan]
        f["s"] = np.array([b"\xe9", b"b"])
    with h5arrow.open(name, nan_as_null=True, strings="latin1") as f:
        assert f.dataset("/x").to_pyarrow()["x"].null_count == 1
        assert f.dataset("/s").to_pyarrow()["s"].to_pylist() == ["é", "b"]
    with h5arrow.open(name) as f, pytest.raises(h5arrow.CorruptError) as e:
        f.dataset("/s").to_pyarrow()
    assert e.value.kind == "corrupt" and e.value.object == "/s" and e.value.options == ["strings"] and e.value.file == name
    with pytest.raises(ValueError, match="option strings"):
        h5arrow.open(name, strings="ebcdic")


def test_flatten(tmp_path):
    name = str(tmp_path / "cube.nc")
    with h5py.File(name, "w") as f:
        f["lat"], f["lon"] = [10.0, 20.0], np.arange(3)
        f["t"] = np.arange(6).reshape(2, 3)
        for i, scale in enumerate(("lat", "lon")):
            f[scale].make_scale(scale)
            f["t"].dims[i].attach_scale(f[scale])
    want = {"lat": [10.0] * 3 + [20.0] * 3, "lon": [0, 1, 2] * 2, "t": list(range(6))}
    with h5arrow.open(name, flatten=True) as f:
        assert [t.path for t in f.tables] == ["/lat,lon"]
        assert f.tables[0].to_pyarrow().to_pydict() == want
        assert f.tables[0].filter("lat > 10").to_pyarrow()["t"].to_pylist() == [3, 4, 5]
    with h5arrow.open(name) as f:
        assert f["/lat,lon"].to_pyarrow().to_pydict() == want


def test_show(sample):
    with h5arrow.open(sample) as f:
        text, page = repr(f), f._repr_html_()
        assert text.startswith(sample + ": 2,283,854 bytes, 1 table\n/table: 11 columns, 50,000 rows (vaex)")
        assert "decoded: the chunks are filtered" in text and "<td>passengers</td>" in page
        assert repr(f["/table"].filter("fare > 1")).startswith("/table: 11 columns, filtered rows")
        t = f["/table"]
        assert repr(t.schema).startswith("pickup: timestamp[ms]\npassengers: int8")
    assert "closed" in repr(t)


def test_names_are_escaped(tmp_path):
    name = str(tmp_path / "n.h5")
    with h5py.File(name, "w") as f:
        f["<b>x\x1b[31m"] = [1]
    with h5arrow.open(name) as f:
        assert "<b>" not in f._repr_html_() and "\x1b" not in repr(f) + f._repr_html_()
