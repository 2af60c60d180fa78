"""HDF5 tables as DataFrames of pandas."""
from __future__ import annotations

from typing import Any, Iterable

import pandas as pd

from . import _scan
from ._core import Filter

__all__ = ["read_h5arrow"]


def read_h5arrow(paths: _scan.Paths = (), table: str = "", *, columns: Iterable[str] | None = None, where: Filter | None = None,
                 to_pandas: dict[str, Any] | None = None, **options: Any) -> pd.DataFrame:
    """Read a table of HDF5 files.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files or patterns of files whose tables have one schema, or others with ``union="by-name"``: see :func:`h5arrow.concat`.
    table : str
        The path of the table. The default is the only table of each file.
    columns : iterable of str, optional
        The columns, in this order.
    where : str or sequence of conditions, optional
        See :meth:`h5arrow.Table.filter`.
    to_pandas : dict, optional
        Options of ``pyarrow.Table.to_pandas``.
    **options
        Those of :func:`h5arrow.open`, and of :func:`h5arrow.open_files`.

    Returns
    -------
    pandas.DataFrame
        With the index that the metadata of a table by pandas name.
    """
    t = _scan.table(paths, table, options)
    if columns is not None:
        t = t.select(columns)
    if where is not None:
        t = t.filter(where)
    return t.to_pandas(**(to_pandas or {}))
