"""HDF5 tables as DataFrames of Dask."""
from __future__ import annotations

from typing import Any, Iterable

import dask.dataframe as dd
import pandas as pd

from . import _scan
from ._core import Filter, open

__all__ = ["read_h5"]


class _Read:
    """Reads the rows of a split: what a task does. It opens its own file."""

    def __init__(self, table: str, columns: list[str] | None, where: Filter | None, options: dict[str, Any]):
        self.table, self.columns, self.where, self.options = table, columns, where, options

    def __call__(self, part: tuple[str, int, int]) -> Any:
        path, start, stop = part
        with open(path, **self.options) as f:
            t = f.table(self.table).slice(start, stop)
            if self.columns is not None:
                t = t.select(self.columns)
            if self.where is not None:
                t = t.filter(self.where)
            return t.to_pandas(ignore_metadata=True, types_mapper=pd.ArrowDtype)

    def __dask_tokenize__(self) -> Any:
        return self.table, self.columns, self.where, sorted(self.options.items())


def read_h5(paths: _scan.Paths, table: str = "", *, columns: Iterable[str] | None = None, where: Filter | None = None,
            split_bytes: int = 0, **options: Any) -> dd.DataFrame:
    """Read a table of HDF5 files, a partition for each split.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files or patterns of files whose tables have one schema.
    table : str
        The path of the table. The default is the only table of each file.
    columns : iterable of str, optional
        The columns, in this order.
    where : str or sequence of conditions, optional
        See :meth:`h5arrow.Table.filter`.
    split_bytes : int
        About how many bytes of Arrow memory a partition takes. The default is 128 MiB.
    **options
        Those of :func:`h5arrow.open`.

    Returns
    -------
    dask.dataframe.DataFrame
        Its columns have Arrow's types (``pandas.ArrowDtype``), which are those of all partitions, with nulls or without. Each
        partition counts its rows from 0.
    """
    columns = None if columns is None else list(columns)
    whole = _scan.table(paths, table, options)
    parts = [(s.file, s.file_start, s.file_stop) for s in (whole if columns is None else whole.select(columns)).splits(bytes=split_bytes)]
    read = _Read(table, columns, where, options)
    meta = read((parts[0][0], 0, 0))
    return dd.from_map(read, parts, meta=meta, label="h5arrow", enforce_metadata=False)
