"""The tables of HDF5 files as Apache Arrow, in this process and without copies where the file stores what Arrow wants.

>>> import h5arrow
>>> with h5arrow.open("data.h5") as f:
...     table = f["/table"].select(["x", "y"]).to_pyarrow()

Tables have the Arrow PyCapsule interface: ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``duckdb.sql("from t")`` and all else
that reads it work with no glue. The package itself needs none of these.

A mapped column lies in the file. If the file is cut short while the column is used, the process ends, as with
``pyarrow.memory_map``; ``copy=True`` avoids that.
"""
from __future__ import annotations

from typing import Any

from ._core import Batch, Column, Field, File, Schema, Split, Table, concat, open
from ._command import convert
from ._errors import (ArgumentError, CanceledError, CorruptError, Error, FileError, FileMissingError, ForkError, InternalError,
                      LimitError, MemoryLimitError, NotFoundError, PermissionDeniedError, UnsupportedError)
from ._files import open_files, write_manifest
from ._query import query
from ._write import write

__all__ = [
    "ArgumentError", "Batch", "CanceledError", "Column", "CorruptError", "Error", "Field", "File", "FileError", "FileMissingError",
    "ForkError", "InternalError", "LimitError", "MemoryLimitError", "NotFoundError", "PermissionDeniedError", "Schema", "Split",
    "Table", "UnsupportedError", "concat", "convert", "open", "open_files", "query", "write",
    "write_manifest",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version
        try:
            return version("h5arrow")
        except PackageNotFoundError:  # used from a checkout
            return "0+unknown"
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
