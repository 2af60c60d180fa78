"""mmap_array and h5mmap: values are those of h5py, also where those of vaex.hdf5.utils 0.15 are not."""
import io
import mmap

import h5py
import numpy as np
import pytest

from h5arrow.compat import vaex
from h5arrow.compat.vaex import ColumnFile, ColumnMaskedNumpy, ColumnNumpyLike, h5mmap, mmap_array


@pytest.fixture
def write(tmp_path):
    """Write a file by a function, and open it: mapping, file, h5py's file."""
    opened = []

    def make(fill, **options):
        name = tmp_path / ("%d.h5" % len(opened))
        with h5py.File(name, "w", **options) as f:
            fill(f)
        file = open(name, "rb")
        opened.append(file)
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), file, h5py.File(name, "r")

    yield make
    for file in opened:
        file.close()


def inside(array, mapping):
    whole = np.frombuffer(mapping, np.uint8)
    start = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return 0 <= start < len(whole)


def test_mmap_array(tmp_path):
    values = np.arange(12, dtype=">i4")
    name = tmp_path / "raw"
    name.write_bytes(b"abc" + values.tobytes())
    with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
        a = mmap_array(m, file, 3, ">i4", (3, 4))
        assert np.array_equal(a, values.reshape(3, 4)) and inside(a, m) and a.dtype == ">i4"
        del a
        assert mmap_array(m, file, None, "f8", (0,)).shape == (0,) and mmap_array(m, file, 51, "i4", (0, 3)).shape == (0, 3)
        for offset, shape in ((4, (12,)), (52, (1,)), (-1, (1,)), (None, (1,)), (3, (-1,)), (0, (2**62, 8))):
            with pytest.raises(ValueError):
                mmap_array(m, file, offset, "i4", shape)
        with pytest.raises(RuntimeError, match="high d"):
            mmap_array(None, file, 3, "i4", (3, 4))
        c = mmap_array(None, file, 3, ">i4", 12)
        assert isinstance(c, ColumnFile) and len(c) == 12 and c.shape == (12,) and np.array_equal(c.to_numpy(), values)
        check_rows(c, values)
        assert len(mmap_array(None, file, None, "i4", (0,))[:3]) == 0
        with pytest.raises(OSError, match="ends"):
            mmap_array(None, file, 3, "i4", (100,))[:]


def check_rows(column, want):
    """Indexing is numpy's."""
    for key in (slice(None), slice(2, 9), slice(None, None, 3), slice(None, None, -1), slice(9, 1, -3), slice(5, 5), slice(-4, 100), 0, -1,
                np.array([3, 1, -1, 1]), [], np.arange(len(want)) % 3 == 0):
        got, expected = column[key], want[key] if not isinstance(key, list) else want[:0]
        assert np.array_equal(np.ma.getdata(got), np.ma.getdata(expected)) or np.ma.is_masked(expected), key
        assert np.array_equal(np.ma.getmaskarray(got), np.ma.getmaskarray(expected)), key
    for key in (len(want), -len(want) - 1, np.array([len(want)])):
        with pytest.raises(IndexError):
            column[key]


def test_contiguous(write):
    data = np.arange(20, dtype="f8")
    m, file, f = write(lambda f: (f.create_dataset("x", data=data), f.create_dataset("mask", data=data % 3 == 0),
                                  f.create_dataset("bytes", data=(data % 3 == 0) * np.uint8(7)), f.create_dataset("m", data=data.reshape(4, 5))),
                       userblock_size=512)
    x = h5mmap(m, file, f["x"])
    assert np.array_equal(x, data) and inside(x, m) and np.array_equal(h5mmap(m, file, f["m"]), data.reshape(4, 5))
    for mask in ("mask", "bytes"):
        got = h5mmap(m, file, f["x"], f[mask])
        assert isinstance(got, np.ma.MaskedArray) and np.array_equal(got.mask, data % 3 == 0) and inside(got.data, m)
        far = h5mmap(None, io.BytesIO(m[:]), f["x"], f[mask])
        assert isinstance(far, ColumnMaskedNumpy)
        check_rows(far, np.ma.array(data, mask=data % 3 == 0))
    with pytest.raises(ValueError, match="mask of shape"):
        h5mmap(m, file, f["x"], f["m"])
    with pytest.raises(RuntimeError, match="high d"):
        h5mmap(None, file, f["m"])


def test_chunked_keeps_the_mask(write):
    data = np.arange(1000, dtype=">i4")
    bits = np.packbits(data % 5 != 0, bitorder="little")
    m, file, f = write(lambda f: (f.create_dataset("x", data=data, chunks=(64,), compression="gzip"),
                                  f.create_dataset("mask", data=data % 5 == 0, chunks=(100,)), f.create_dataset("null_bitmap", data=bits)))
    x = h5mmap(m, file, f["x"])
    assert isinstance(x, ColumnNumpyLike) and x.dtype == "i4" and x._path is not None
    check_rows(x, data)
    for mask in ("mask", "null_bitmap"):
        got = h5mmap(m, file, f["x"], f[mask])
        assert isinstance(got, ColumnMaskedNumpy)
        check_rows(got, np.ma.array(data, mask=data % 5 == 0))
    assert np.asarray(x).sum() == data.sum() and x.nbytes == 4000 and "1000 rows" in repr(x)


def test_bitmap(write):
    data = np.arange(20, dtype="i8")
    m, file, f = write(lambda f: (f.create_dataset("x", data=data),
                                  f.create_dataset("null_bitmap", data=np.packbits(data % 3 != 0, bitorder="little"))))
    got = h5mmap(m, file, f["x"], f["null_bitmap"])
    assert np.array_equal(got.mask, data % 3 == 0) and inside(got.data, m)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("chunks", [None, (3,)])
def test_times(write, order, chunks):
    times = np.array(["2024-02-29T12:00", "NaT", "1969-12-31"], "datetime64[ns]")

    def fill(f):
        f.create_dataset("t", data=times.view("i8").astype(order + "i8"), chunks=chunks).attrs["dtype"] = "datetime64[ns]"
        f.create_dataset("d", data=times.view("i8").astype(order + "i8"), chunks=chunks).attrs["dtype"] = np.bytes_("timedelta64[ns]")
        f.create_dataset("bad", data=np.arange(3, dtype="i4"), chunks=chunks).attrs["dtype"] = "datetime64[ns]"

    m, file, f = write(fill)
    assert np.array_equal(np.asarray(h5mmap(m, file, f["t"])), times, equal_nan=True)
    d = np.asarray(h5mmap(m, file, f["d"]))
    assert np.array_equal(d, times.view("m8[ns]"), equal_nan=True)
    with pytest.raises(ValueError, match="attribute dtype"):
        h5mmap(m, file, f["bad"])


def test_utf32(write):
    text = np.array(["abc", "Ünïcödé", "", "x" * 10])
    raw = text.astype("<U10").view("u1")

    def fill(f):
        for name, data, chunks in (("flat", raw, None), ("rows", raw.reshape(4, 40), None), ("chunked", raw, (40,)), ("wide", raw.view("<u4"), None)):
            d = f.create_dataset(name, data=data, chunks=chunks)
            d.attrs["dtype"], d.attrs["dlength"] = "utf32", 10
        d = f.create_dataset("odd", data=raw[:-1])
        d.attrs["dtype"], d.attrs["dlength"] = "utf32", 10

    m, file, f = write(fill)
    for name in ("flat", "rows", "chunked", "wide"):
        got = h5mmap(m, file, f[name])
        assert got.shape == (4,) and np.array_equal(np.asarray(got), text), name
    assert h5mmap(m, file, f["chunked"])[1] == "Ünïcödé"
    with pytest.raises(ValueError, match="UTF-32"):
        h5mmap(m, file, f["odd"])


def test_the_rest(write):
    def fill(f):
        f["scalar"], f["empty"], f["complex"] = 3.5, np.zeros(0), np.array([1 + 2j])
        f.create_dataset("text", data=["a", "bc"], dtype=h5py.string_dtype())
        f.create_dataset("flags", data=np.arange(50) % 3 == 0, chunks=(7,))
        f.create_dataset("m", data=np.arange(24.0).reshape(8, 3), chunks=(5, 2), compression="gzip")
        f.create_dataset("none", shape=(5,), dtype="i4", fillvalue=7)
        f.create_dataset("str", data=np.frombuffer(b"abcd", "S1")).attrs["dtype"] = "str"
        f["units"] = np.arange(3)
        f["units"].attrs.update({"dtype": "float32", "units": "days"})

    m, file, f = write(fill)
    assert h5mmap(m, file, f["scalar"]) == 3.5 and h5mmap(m, file, f["empty"]).shape == (0,)
    assert h5mmap(m, file, f["complex"])[0] == 1 + 2j and h5mmap(m, file, f["str"]).tolist() == [b"a", b"b", b"c", b"d"]
    assert list(h5mmap(m, file, f["text"])[:]) == [b"a", b"bc"]
    assert np.array_equal(np.asarray(h5mmap(m, file, f["flags"])), np.arange(50) % 3 == 0)
    matrix = h5mmap(m, file, f["m"])
    assert matrix.ndim == 2 and np.array_equal(matrix[2:7, 1], np.arange(24.0).reshape(8, 3)[2:7, 1]) and matrix[3, 2] == 11
    assert h5mmap(m, file, f["none"])[:].tolist() == [7] * 5
    assert h5mmap(m, file, f["units"]).dtype == "i8"
    assert set(vaex.__all__) >= {"h5mmap", "mmap_array"}
