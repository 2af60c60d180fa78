"""Errors."""
import pathlib
import pickle

import pytest

import h5arrow
from conftest import ROOT

BAD = ROOT / "build" / "cases" / "bad"


def test_missing():
    with pytest.raises(FileNotFoundError) as e:
        h5arrow.open("/nothing/here.h5")
    assert isinstance(e.value, h5arrow.Error) and e.value.filename == "/nothing/here.h5" and e.value.errno == 2 and e.value.kind == "i/o"


def test_not_hdf5(tmp_path):
    name = tmp_path / "x.h5"
    name.write_bytes(b"text" * 1000)
    with pytest.raises(ValueError) as e:
        h5arrow.open(name)
    assert e.value.kind == "corrupt" and e.value.file == str(name)


def test_no_object(sample):
    with h5arrow.open(sample) as f, pytest.raises(KeyError) as e:
        f["/nothing"]
    assert e.value.kind == "not found" and str(e.value) == sample + ": /nothing: no such object"


def test_damaged(sample, tmp_path):
    name = tmp_path / "cut.h5"
    whole = pathlib.Path(sample).read_bytes()
    name.write_bytes(whole[:len(whole) // 2])
    with pytest.raises((ValueError, OSError)) as e:
        with h5arrow.open(name) as f:
            f.table().to_pyarrow()
    assert isinstance(e.value, h5arrow.Error) and e.value.file == str(name)


def test_defects(tmp_path, sample):
    name = tmp_path / "damaged.h5"
    whole = bytearray(pathlib.Path(sample).read_bytes())
    with h5arrow.open(sample) as f:
        assert f.check() == []
    at = whole.rindex(b"TREE")
    whole[at:at + 4] = b"EERT"
    name.write_bytes(whole)
    with h5arrow.open(name) as f:
        defects = f.check()
    assert defects and all(isinstance(d, h5arrow.CorruptError) for d in defects) and any(d.offset for d in defects)


@pytest.mark.parametrize("n", range(0, 4096, 64))
def test_hostile(sample, tmp_path, n):
    """Whatever byte of the metadata is wrong, there is a result or an error of the package."""
    whole = bytearray(pathlib.Path(sample).read_bytes())
    whole[n] ^= 0xFF
    name = tmp_path / "hostile.h5"
    name.write_bytes(whole)
    try:
        with h5arrow.open(name) as f:
            for t in f.tables:
                t.to_pyarrow()
            f.datasets
    except h5arrow.Error as e:
        assert e.kind != "internal", e


def test_two_tables(tmp_path):
    h5py = pytest.importorskip("h5py")
    name = tmp_path / "two.h5"
    with h5py.File(name, "w") as f:
        f["a"] = __import__("numpy").zeros(3, [("x", "i4")])
        f["b"] = __import__("numpy").zeros(3, [("x", "i4")])
    with h5arrow.open(name) as f, pytest.raises(h5arrow.ArgumentError, match="/a, /b") as e:
        f.table()
    assert e.value.options == ["path"]


def test_pickle(sample):
    f = h5arrow.open(sample, nan_as_null=True)
    again = pickle.loads(pickle.dumps(f))
    assert again.name == f.name and again.table().num_rows == 50000
