"""Tables of Arrow data as HDF5 files."""
from __future__ import annotations

import ctypes
import os
from typing import Any

from . import _lib
from ._core import Table
from ._progress import Bar, Progress

#: How long a call waits before it shows progress and looks for signals.
_STEP = 100


def _stream(data: Any) -> Any:
    """Return a capsule of a stream of what has one, or of one batch."""
    if hasattr(data, "__arrow_c_stream__"):
        return data.__arrow_c_stream__()
    import_ = "an object with __arrow_c_stream__ is needed: a table of pyarrow, Polars, pandas, DuckDB or h5arrow"
    if not isinstance(data, dict) and not hasattr(data, "__arrow_c_array__"):
        raise TypeError("h5arrow.write: %s, not %s" % (import_, type(data).__name__))
    try:
        import pyarrow
    except ImportError:
        raise TypeError("h5arrow.write: %s; dicts and batches need pyarrow" % import_) from None
    table = pyarrow.table(data) if isinstance(data, dict) else pyarrow.Table.from_batches([pyarrow.record_batch(data)])
    return table.__arrow_c_stream__()


def _rows(data: Any) -> int | None:
    """Return the number of rows if it is known without reading them."""
    if isinstance(data, Table):
        return data._describe()["rows"]
    for name in ("num_rows", "height"):  # of pyarrow, Polars
        n = getattr(data, name, None)
        if isinstance(n, int):
            return n
    if type(data).__module__.partition(".")[0] == "pandas":
        return len(data)
    return None


def write(data: Any, out: str | os.PathLike[str], *, table: str = "/table", layout: str = "vaex", nulls: str = "auto",
          compression: str = "none", shuffle: bool = False, chunk_rows: int = 0, page_size: int = 0, force: bool = False,
          progress: Progress = None) -> dict[str, Any]:
    """Write a table as an HDF5 file. It is what ``h5arrow import`` does.

    Parameters
    ----------
    data : object
        What has the Arrow PyCapsule interface: a table or reader of pyarrow, a DataFrame of Polars or pandas, a relation of DuckDB, a
        :class:`Table`; with pyarrow also a dict of arrays. Streams are read batch by batch.
    out : path-like
        The file. It appears when it is complete, and not at all after an error.
    table : str
        The path of the table's group.
    layout : {"vaex", "plain"}
        vaex stores columns as Arrow has them, which are mapped when they are read; plain a dataset for each column.
    nulls : {"auto", "bitmap", "mask", "sentinel"}
        How nulls are stored: auto is a bitmap, in the layout plain a mask.
    compression : str
        Of chunks: none, gzip[:LEVEL], zstd[:LEVEL], lz4, lzf or blosc2[:LEVEL].
    shuffle : bool
        Sort the bytes of values before they are compressed.
    chunk_rows : int
        Rows of a chunk. The default is contiguous storage, or 65,536 with a compression.
    page_size : int
        Divide the file into pages of this size, for readers far away.
    force : bool
        Replace a file that exists.
    progress : bool or function, optional
        Show a bar. The default is to show one in notebooks, and where stderr is a terminal. A function is called about ten times a second
        with the rows written and those of all, which is None if it is not known.

    Returns
    -------
    dict
        What was written: rows, bytes_out, seconds, columns (name, path, type, storage, aligned, nulls), and dropped, the keys of
        metadata that HDF5 can't store.

    Raises
    ------
    ArgumentError
        The file exists, or an option is not possible. It is a ValueError.
    UnsupportedError
        HDF5 has no form for a type or value, or the layout has none. It is a NotImplementedError.
    FileError
        The file can't be written, or the stream has an error. It is an OSError.
    """
    rows = _rows(data)
    capsule = _stream(data)
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    how = _lib.options(table=table, layout=layout, nulls=nulls, compression=compression, shuffle=shuffle, chunk_rows=chunk_rows,
                       page_size=page_size, force=force, rows=rows)
    job = _lib.Handle("write", get(capsule, b"arrow_array_stream"), os.fsencode(out), how)
    try:
        with Bar(progress, rows) as bar:
            while True:
                done, answer = _lib.wait(job, _STEP)
                if answer is not None:
                    return answer
                bar.show(done)
    except BaseException:
        _lib.give_up(job)
        raise
    finally:
        job.close()
