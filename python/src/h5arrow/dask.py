"""HDF5 tables as DataFrames of Dask."""
from __future__ import annotations

import dataclasses
from typing import Any, Iterable

import dask.base
import dask.dataframe as dd
import pandas as pd
import pyarrow as pa

from . import _cluster, _scan
from ._core import Filter

__all__ = ["read_h5"]


class _Read:
    """Reads the rows of a split: what a task does. It opens its own file."""

    def __init__(self, scan: _cluster.Scan, schema: pa.Schema):
        self.scan, self.schema = scan, schema

    def frame(self, batches: Iterable[pa.RecordBatch]) -> Any:
        """Return batches of the schema as a DataFrame."""
        return pa.Table.from_batches(batches, self.schema).to_pandas(ignore_metadata=True, types_mapper=pd.ArrowDtype)

    def __call__(self, part: _cluster.Part) -> Any:
        return self.frame(self.scan.batches(part, self.schema))

    def __dask_tokenize__(self) -> Any:
        return dask.base.normalize_token(dataclasses.astuple(self.scan)), self.schema.to_string()


def read_h5(paths: _scan.Paths = (), table: str = "", *, columns: Iterable[str] | None = None, where: Filter | None = None,
            split_bytes: int = 0, union: str | None = None, **options: Any) -> dd.DataFrame:
    """Read a table of HDF5 files, a partition for each split.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files or patterns of files whose tables have one schema, or others with ``union="by-name"``: see :func:`h5arrow.concat`. The same
        paths or URLs have to be those of the files where the tasks run.
    table : str
        The path of the table. The default is the only table of each file.
    columns : iterable of str, optional
        The columns, in this order.
    where : str or sequence of conditions, optional
        See :meth:`h5arrow.Table.filter`.
    split_bytes : int
        About how many bytes of Arrow memory a partition takes. The default is 128 MiB.
    union : {"by-name"}, optional
        See :func:`h5arrow.concat`.
    **options
        Those of :func:`h5arrow.open`, and ``filename``, ``file_attributes`` and ``manifest`` of :func:`h5arrow.open_files`. A task decodes with
        one thread unless ``workers`` says otherwise.

    Returns
    -------
    dask.dataframe.DataFrame
        Its columns have Arrow's types (``pandas.ArrowDtype``), which are those of all partitions, with nulls or without. Each
        partition counts its rows from 0.
    """
    scan, files = _cluster.plan(paths, table, columns, where, union, options)
    whole = scan.whole(files)
    read = _Read(scan, pa.schema(whole))
    parts, meta = _cluster.parts_of(whole, split_bytes), read.frame([])
    if not parts:
        return dd.from_pandas(meta, npartitions=1)
    return dd.from_map(read, parts, meta=meta, label="h5arrow", enforce_metadata=False)
