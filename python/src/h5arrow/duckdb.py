"""HDF5 tables as views of DuckDB."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _query, _scan

if TYPE_CHECKING:
    import duckdb

__all__ = ["register"]


def register(connection: duckdb.DuckDBPyConnection, paths: _scan.Paths = (), table: str | None = None, *, name: str | None = None,
             **options: Any) -> list[str]:
    """Make the tables of HDF5 files views of a connection, until it is closed.

    Statements read only the columns that they use; conditions that DuckDB gives to scans are tested on their columns first, and the
    others are read only for ranges of rows in which they hold for a row.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    paths : path-like or iterable of path-like
        Files or patterns of files; files of one schema, or of several with ``union="by-name"``, are one table for each path.
    table : str, optional
        The path of the table. The default is all tables.
    name : str, optional
        The name of the view of one table. The defaults are the table's path and, unless two tables have it, the path's last part.
    **options
        Those of :func:`h5arrow.open`, and ``union``, ``filename``, ``file_attributes`` and ``manifest`` of :func:`h5arrow.open_files`, which reads
        where one of the last three is given, or where there are more than 256 files.

    Returns
    -------
    list of str
        The names of the views.
    """
    views = _query.views(_scan.expand(paths), table, options)
    if name is not None:
        found = {id(v): v for v in views.values()}
        if len(found) != 1:
            raise _query.ArgumentError("name %r for %d tables; choose one with table" % (name, len(found)))
        views = {name: view for view in found.values()}
    for view, dataset in views.items():
        connection.register(view, dataset)
    return list(views)
