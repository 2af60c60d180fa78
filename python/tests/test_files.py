"""Many files as one table: open_files, manifests, and the scans that use them."""
import os

import duckdb
import h5py
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import h5arrow
from conftest import run
from h5arrow import _scan
from h5arrow.dataset import dataset
from h5arrow.pandas import read_h5arrow
from h5arrow.polars import scan_h5

ROWS = 20


def write(path, i, **more):
    with h5py.File(path, "w") as f:
        f.attrs["run"] = i
        g = f.create_group("events")
        g.attrs["site"] = ("north", "south")[i % 2]
        g["x"] = np.arange(i * ROWS, (i + 1) * ROWS, dtype="i4")
        g["y"] = np.sqrt(np.arange(ROWS)) + i
        for name, values in more.items():
            g[name] = values


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """30 files, and what h5py reads in them, with their names and attributes."""
    d = tmp_path_factory.mktemp("runs")
    parts = []
    for i in range(30):
        name = str(d / ("r%02d.h5" % i))
        write(name, i)
        with h5py.File(name) as f:
            g = f["events"]
            parts.append(pa.table({"x": g["x"][:], "y": g["y"][:], "filename": [name] * ROWS, "site": [g.attrs["site"]] * ROWS,
                                   "run": [int(f.attrs["run"])] * ROWS}))
    return d, pa.concat_tables(parts)


@pytest.fixture(params=["names", "manifest"])
def how(request, folder, tmp_path):
    """The options of a scan: with the names, and with a manifest."""
    d, _ = folder
    if request.param == "names":
        return {"paths": str(d / "*.h5"), "filename": True, "file_attributes": ["site", "run"]}
    out = tmp_path / "all.files"
    h5arrow.write_manifest(str(d / "*.h5"), out, "/events", file_attributes=["site", "run"])
    return {"manifest": out, "filename": True}


def test_values(folder, how):
    _, want = folder
    t = h5arrow.open_files(**how)
    got = t.to_pyarrow()
    assert got.cast(want.schema).equals(want) and t.num_rows == want.num_rows == len(t)
    assert [c.num_rows for c in map(pa.record_batch, t.to_batches())] == [30 * ROWS]  # small files are joined
    assert t.slice(15, 45).to_pyarrow()["x"].to_pylist() == list(range(15, 45)) and t.head(3).num_rows == 3
    some = t.filter("run in (7, 9) and site = south and y > 9").select(["x", "filename"])
    rows = want.filter((pa.compute.field("run").isin([7, 9])) & (pa.compute.field("y") > 9)).select(["x", "filename"])
    assert some.to_pyarrow().cast(rows.schema).equals(rows) and some.num_rows == rows.num_rows
    splits = t.splits(7)
    assert pa.concat_tables([s.table.to_pyarrow() for s in splits]).equals(pa.concat_tables([got])) and splits[3].file.endswith("r03.h5")


def test_engines(folder, how):
    _, want = folder
    d = dataset(**how)
    sql = "select site, count(*), sum(x), max(y), min(run) from {} where run > 4 and x % 3 = 0 group by site order by site"
    assert duckdb.sql(sql.format("d")).fetchall() == duckdb.sql(sql.format("want")).fetchall()
    q = (pl.col("y") > 12) & (pl.col("site") == "north")
    got = scan_h5(**how).filter(q).select("x", "run", "filename").collect()
    assert got.equals(pl.DataFrame(want).filter(q).select("x", "run", "filename"))
    assert scan_h5(**how).filter(q).head(5).collect().height == 5 and scan_h5(**how).select(pl.len()).collect().item() == 30 * ROWS
    frame = read_h5arrow(**how, columns=["run", "x"], where="site = north and x < 50")
    assert frame["x"].tolist() == list(range(20)) + list(range(40, 50)) and set(frame["run"]) == {0, 2}


def test_union_and_labels(tmp_path):
    """Columns of some files, and categories that differ, whether files stay open or not."""
    for i in range(3):
        write(tmp_path / ("a%d.h5" % i), i, **({"z": np.arange(ROWS, dtype="i8")} if i == 1 else {}))
    options = {"union": "by-name"}
    kept = _scan.table(str(tmp_path / "*.h5"), "", options)
    t = h5arrow.open_files(str(tmp_path / "*.h5"), **options)
    assert t.to_pyarrow().equals(kept.to_pyarrow()) and t.notes == kept.notes and t.filter("z is null").num_rows == 2 * ROWS
    with pytest.raises(h5arrow.ArgumentError, match="3 columns, not 2.*union"):
        h5arrow.open_files(str(tmp_path / "*.h5")).to_pyarrow()
    enum = h5py.enum_dtype
    for i, labels in enumerate(({"red": 0, "green": 1}, {"blue": 0, "red": 1})):
        with h5py.File(tmp_path / ("c%d.h5" % i), "w") as f:
            f.create_dataset("t/c", data=np.array([0, 1, 1], "i1"), dtype=enum(labels, "i1"))
    t = h5arrow.open_files(str(tmp_path / "c*.h5"))
    assert t.to_pyarrow()["c"].to_pylist() == ["red", "green", "green", "blue", "red", "red"]
    assert pl.DataFrame(t)["c"].to_list() == t.to_pyarrow()["c"].to_pylist()


def test_manifest_errors(folder, tmp_path):
    d, _ = folder
    names = [str(tmp_path / ("r%d.h5" % i)) for i in range(3)]
    for i, name in enumerate(names):
        write(name, i)
    out = tmp_path / "m"
    h5arrow.write_manifest(names, out)
    with pytest.raises(h5arrow.ArgumentError):
        h5arrow.write_manifest(names, out)
    h5arrow.write_manifest(names, out, force=True)
    with pytest.raises(h5arrow.ArgumentError, match="excludes"):
        h5arrow.open_files(names, manifest=out)
    with h5py.File(names[1], "w") as f:
        f["events/x"] = np.arange(3)
    with pytest.raises(OSError, match="r1.h5.*has changed"):
        h5arrow.open_files(manifest=out).to_pyarrow()
    with pytest.raises(h5arrow.CorruptError, match="not a manifest"):
        h5arrow.open_files(manifest=names[0])
    with pytest.raises(FileNotFoundError):
        h5arrow.open_files(manifest=tmp_path / "nothing")


def test_flat_memory(tmp_path):
    """10,000 files take no more memory, and no more descriptors, than 1,000. They are links to 20."""
    for i in range(20):
        write(tmp_path / ("f%d" % i), i)
    for k in range(10_000):
        os.link(tmp_path / ("f%d" % (k % 20)), tmp_path / ("l%05d.h5" % k))
    code = """
import os, sys, pyarrow as pa, h5arrow
def anonymous(): return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon"))
for pattern in ("/l00*.h5", "/l*.h5"):
    rows = peak = files = 0
    for batch in h5arrow.open_files(sys.argv[1] + pattern, filename=True).to_batches():
        rows += pa.record_batch(batch).num_rows
        peak, files = max(peak, anonymous()), max(files, len(os.listdir("/proc/self/fd")))
    print(rows, peak >> 10, files)
"""
    out = [list(map(int, line.split())) for line in run(code, str(tmp_path), timeout=300).stdout.splitlines()]
    assert [o[0] for o in out] == [1000 * ROWS, 10_000 * ROWS]
    assert out[1][1] < out[0][1] + 24 and out[1][2] < 64, out
