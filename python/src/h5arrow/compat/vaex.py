"""The functions of ``vaex.hdf5.utils``: arrays of files and datasets, mapped where that can be, lazy columns where it can't.

The signatures are those that vaex documents. Where vaex 4.19 returns wrong values, the right ones are returned here: masks of chunked data
are kept, bitmaps of nulls are bitmaps, big-endian times keep their byte order, and UTF-32 text has as many rows as were written.
"""
from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable

import numpy as np

from .. import _core

__all__ = ["ColumnFile", "ColumnMaskedNumpy", "ColumnNumpyLike", "h5mmap", "mmap_array"]


class _Lazy:
    """A column whose rows are read when they are asked for."""

    dtype: np.dtype
    shape: tuple[int, ...]

    def _read(self, start: int, stop: int) -> np.ndarray:
        raise NotImplementedError

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all values in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __getitem__(self, key: Any) -> Any:
        rest: tuple[Any, ...] = ()
        if isinstance(key, tuple):
            key, rest = (key[0], key[1:]) if key else (slice(None), ())
        n = len(self)
        if isinstance(key, slice):
            start, stop, step = key.indices(n)
            rows = range(start, stop, step)
            if len(rows) == 0:
                out = self._read(0, 0)
            else:
                low, high = min(rows[0], rows[-1]), max(rows[0], rows[-1]) + 1
                out = self._read(low, high)[::abs(step)][::1 if step > 0 else -1]  # both ends are rows
            return out[(slice(None), *rest)] if rest else out
        if isinstance(key, (int, np.integer)):
            row = int(key) + (n if key < 0 else 0)
            if not 0 <= row < n:
                raise IndexError("row %d of %d" % (key, n))
            return self._read(row, row + 1)[(0, *rest)]
        rows = np.asarray(key)
        if rows.dtype == bool:
            if rows.shape != (n,):
                raise IndexError("a mask of shape %s for %d rows" % (rows.shape, n))
            rows = np.flatnonzero(rows)
        rows = np.where(rows < 0, rows + n, rows).astype(np.int64)
        if rows.size == 0:
            out = self._read(0, 0)
        elif rows.min() < 0 or rows.max() >= n:
            raise IndexError("rows outside 0 to %d" % n)
        else:
            low = int(rows.min())
            out = self._read(low, int(rows.max()) + 1)[rows - low]
        return out[(slice(None), *rest)] if rest else out

    def to_numpy(self) -> np.ndarray:
        """Read all rows."""
        return self._read(0, len(self))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.to_numpy(), dtype=dtype)

    def __repr__(self) -> str:
        return "<%s of %d rows of %s>" % (type(self).__name__, len(self), self.dtype)


class ColumnFile(_Lazy):
    """An array in a file that can't be mapped. The file has ``seek`` and ``read``, which one thread uses at a time."""

    def __init__(self, file: Any, byte_offset: int, length: int, dtype: Any):
        self.file, self.byte_offset, self.dtype, self.shape = file, byte_offset, np.dtype(dtype), (length,)
        self._lock = threading.Lock()

    def _read(self, start: int, stop: int) -> np.ndarray:
        want = (stop - start) * self.dtype.itemsize
        if want == 0:
            return np.empty(0, self.dtype)
        parts, have = [], 0
        with self._lock:
            self.file.seek(self.byte_offset + start * self.dtype.itemsize)
            while have < want:
                part = self.file.read(want - have)
                if not part:
                    raise OSError("the file ends %d bytes before the array does" % (want - have))
                parts.append(part)
                have += len(part)
        return np.frombuffer(b"".join(parts), self.dtype)


class ColumnNumpyLike(_Lazy):
    """A dataset that can't be mapped. Chunks are decoded by all processors where h5arrow reads the file."""

    def __init__(self, dataset: Any, dtype: np.dtype, shape: tuple[int, ...], view: Callable[[np.ndarray], np.ndarray], path: str | None):
        self.dataset, self.dtype, self.shape = dataset, dtype, shape
        self._view, self._path = view, path
        self._lock = threading.Lock()
        self._table: _core.Table | None = None

    def _read(self, start: int, stop: int) -> np.ndarray:
        if self._path is not None:
            with self._lock:
                if self._table is None:
                    self._table = _core.open(self._path).dataset(self.dataset.name)
            return _numpy(self._table.slice(start, stop), self.dtype, self.shape[1:])
        rows = self.dataset.shape[0] // self.shape[0] if self.shape[0] else 1  # of the dataset, in a row of text
        return self._view(self.dataset[start * rows:stop * rows])


class ColumnMaskedNumpy(_Lazy):
    """A column with a mask: rows are masked arrays."""

    def __init__(self, data: Any, mask: Any):
        self.data, self.mask, self.dtype, self.shape = data, mask, data.dtype, data.shape

    def _read(self, start: int, stop: int) -> np.ndarray:
        return np.ma.array(self.data[start:stop], mask=self.mask[start:stop])


class _Mask(_Lazy):
    """Bytes of which those that are not 0 are missing, or a bitmap whose bits are 1 for what is there."""

    def __init__(self, stored: Any, shape: tuple[int, ...], bitmap: bool):
        self.stored, self.shape, self.bitmap, self.dtype = stored, shape, bitmap, np.dtype(bool)

    def _read(self, start: int, stop: int) -> np.ndarray:
        if not self.bitmap:
            return np.asarray(self.stored[start:stop]) != 0
        bits = np.unpackbits(np.asarray(self.stored[start // 8:(stop + 7) // 8], np.uint8), bitorder="little")
        return bits[start % 8:start % 8 + stop - start] == 0


class _Array(ctypes.Structure):
    """struct ArrowArray."""


_Array._fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
                   ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
                   ("children", ctypes.POINTER(ctypes.POINTER(_Array))), ("dictionary", ctypes.c_void_p), ("release", ctypes.c_void_p),
                   ("private_data", ctypes.c_void_p)]


def _bits(address: int, start: int, n: int) -> np.ndarray:
    raw = np.frombuffer((ctypes.c_uint8 * ((start + n + 7) // 8)).from_address(address), np.uint8)
    return np.unpackbits(raw, bitorder="little")[start:start + n].astype(bool)


def _values(array: _Array, rows: int, dtype: np.dtype, inner: tuple[int, ...]) -> np.ndarray:
    """Copy the values of an array of numbers, or of fixed-size lists of them."""
    start, n = array.offset, rows
    for size in inner:
        array = array.children[0].contents
        start, n = start * size + array.offset, n * size
    if n == 0:
        return np.empty((rows, *inner), dtype)
    if dtype == bool:
        out = _bits(array.buffers[1], start, n)
    else:
        raw = (ctypes.c_char * (n * dtype.itemsize)).from_address(array.buffers[1] + start * dtype.itemsize)
        out = np.frombuffer(raw, dtype).copy()
    if dtype.kind in "mM" and array.null_count and array.buffers[0]:
        out[~_bits(array.buffers[0], start, n)] = np.array("NaT", dtype)
    return out.reshape(rows, *inner)


def _numpy(table: _core.Table, dtype: np.dtype, inner: tuple[int, ...]) -> np.ndarray:
    """Read a table of one dataset."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    parts = []
    for batch in table.to_batches():
        _, capsule = batch.__arrow_c_array__()
        whole = _Array.from_address(get(capsule, b"arrow_array"))
        parts.append(_values(whole.children[0].contents, whole.length, dtype, inner))
        del whole, capsule
    if not parts:
        return np.empty((0, *inner), dtype)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def mmap_array(mmap: Any, file: Any, offset: int | None, dtype: Any, shape: Any) -> Any:
    """Return an array in the bytes of a file.

    Parameters
    ----------
    mmap : mmap.mmap or None
        The mapping of the file; None where there is none.
    file : file-like
        Used without a mapping: it has ``seek`` and ``read``.
    offset : int or None
        The byte where the array starts; None for an empty array.
    dtype : dtype-like
    shape : int or tuple of int

    Returns
    -------
    numpy.ndarray or ColumnFile

    Raises
    ------
    RuntimeError
        If the array has several dimensions and there is no mapping.
    ValueError
        If the array is not inside the mapping.
    """
    dtype = np.dtype(dtype)
    shape = (int(shape),) if np.isscalar(shape) else tuple(int(n) for n in shape)
    length = int(np.prod(shape, dtype=object)) if shape else 1
    if any(n < 0 for n in shape) or (offset or 0) < 0 or offset is None and length > 0:
        raise ValueError("an array of shape %s at byte %s" % (shape, offset))
    if dtype.hasobject:
        raise ValueError("values of type %s are not in the bytes of a file" % dtype)
    if mmap is None:
        if len(shape) > 1:
            raise RuntimeError("not supported, high d arrays from non local files")
        return ColumnFile(file, offset or 0, length, dtype)
    if length == 0 or dtype.itemsize == 0:
        return np.empty(shape, dtype)
    if offset > len(mmap) or length * dtype.itemsize > len(mmap) - offset:
        raise ValueError("an array of %d bytes at byte %d of a mapping of %d" % (length * dtype.itemsize, offset, len(mmap)))
    return np.frombuffer(mmap, dtype, length, offset).reshape(shape)


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _attribute(data: Any, name: str) -> Any:
    value = data.attrs.get(name)
    return value.decode() if isinstance(value, bytes) else value


def _target(data: Any) -> tuple[np.dtype, tuple[int, ...], Callable[[np.ndarray], np.ndarray]]:
    """Return the type and the shape of a dataset's values as its attributes say, and what makes them of the stored values."""
    stored, shape, name = data.dtype, tuple(data.shape), _attribute(data, "dtype")
    if not isinstance(name, str) or name == "str" or "units" in data.attrs and not name.startswith(("datetime64", "timedelta64", "utf32")):
        return stored, shape, _same
    if name == "utf32":
        return _text(data, stored, shape)
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise ValueError("%s: the attribute dtype is %r" % (data.name, name)) from None
    if dtype.hasobject or dtype.itemsize != stored.itemsize or dtype.kind in "mM" and stored.kind != "i":
        raise ValueError("%s: the attribute dtype is %r, but %s is stored" % (data.name, name, stored))
    if dtype.byteorder != "|" and stored.byteorder in "<>":
        dtype = dtype.newbyteorder(stored.byteorder)

    return dtype, shape, lambda values: np.ascontiguousarray(values).view(dtype)


def _text(data: Any, stored: np.dtype, shape: tuple[int, ...]) -> Any:
    length = _attribute(data, "dlength")
    if length is None or int(length) < 1 or stored.kind != "u" or stored.itemsize not in (1, 4):
        raise ValueError("%s: UTF-32 text of %s with dlength %s" % (data.name, stored, length))
    row = int(length) * 4 // stored.itemsize  # stored values in a row
    if len(shape) == 2 and shape[1] == row:
        rows = shape[0]
    elif len(shape) == 1 and shape[0] % row == 0:
        rows = shape[0] // row
    else:
        raise ValueError("%s: UTF-32 text of %d characters in shape %s" % (data.name, int(length), shape))
    dtype = np.dtype("U%d" % int(length)).newbyteorder(stored.byteorder if stored.itemsize == 4 and stored.byteorder in "<>" else "<")
    return dtype, (rows,), lambda values: np.ascontiguousarray(values).reshape(-1, row).view(dtype).reshape(-1)


def _local(file: Any, data: Any) -> str | None:
    """Return the path of the file of a dataset, None where it may not be one."""
    for name in (data.file.filename, getattr(file, "name", None)):
        name = os.fsdecode(name) if isinstance(name, bytes) else name
        if isinstance(name, str) and os.path.isfile(name):
            return name
    return None


def _column(mmap: Any, file: Any, data: Any) -> Any:
    """Return a dataset as an array or a lazy column."""
    dtype, shape, view = _target(data)
    offset = data.id.get_offset()
    if shape == ():
        return view(np.asarray(data[()], data.dtype).reshape(1)).reshape(()) if dtype != data.dtype else np.asarray(data[()])
    empty = 0 in shape
    if not dtype.hasobject and (offset is not None or empty):
        if mmap is not None or len(shape) == 1:
            return mmap_array(mmap, file, offset, dtype, shape)
        raise RuntimeError("not supported, high d arrays from non local files")
    path = None
    native = dtype.newbyteorder("=")
    if (native.kind in "biuf" and native.itemsize in (1, 2, 4, 8) or native.kind in "mM") and data.dtype.metadata is None:
        path = _local(file, data)
    return ColumnNumpyLike(data, native if path else dtype, shape, view, path)


def _mask(mmap: Any, file: Any, data: Any, shape: tuple[int, ...], mask: Any) -> Any:
    """Return the mask of values of a shape as an array or a lazy column."""
    stored = _column(mmap, file, mask)
    last = mask.name.rsplit("/", 1)[-1] if mask.name else ""
    flat = len(stored.shape) == 1 and stored.dtype == np.uint8
    if flat and stored.shape[0] == (shape[0] + 7) // 8 and len(shape) == 1 and (stored.shape != shape or "bitmap" in last):
        out = _Mask(stored, shape, True)
    elif stored.shape == shape:
        if isinstance(stored, np.ndarray) and stored.dtype == bool:
            return stored
        out = _Mask(stored, shape, False)
    else:
        raise ValueError("%s: a mask of shape %s for values of shape %s" % (mask.name, stored.shape, shape))
    return out.to_numpy() if isinstance(stored, np.ndarray) else out


def h5mmap(mmap: Any, file: Any, data: Any, mask: Any = None) -> Any:
    """Return a dataset as an array that is mapped, or as a lazy column.

    Parameters
    ----------
    mmap : mmap.mmap or None
        The mapping of the file; None where there is none.
    file : file-like
        The file, with ``seek`` and ``read``.
    data : h5py.Dataset
        Its attributes ``dtype`` and ``dlength`` say what its values are.
    mask : h5py.Dataset, optional
        A mask of the data's shape, of which what is not 0 is missing; or a bitmap of nulls as Arrow has it.

    Returns
    -------
    numpy.ndarray
        Contiguous data.
    numpy.ma.MaskedArray
        Contiguous data with a mask.
    ColumnFile, ColumnNumpyLike
        Contiguous data without a mapping; other data.
    ColumnMaskedNumpy
        The same with a mask.
    """
    values = _column(mmap, file, data)
    if mask is None:
        return values
    missing = _mask(mmap, file, data, values.shape, mask)
    if isinstance(values, np.ndarray) and isinstance(missing, np.ndarray):
        return np.ma.array(values, mask=missing)
    return ColumnMaskedNumpy(values, missing)
