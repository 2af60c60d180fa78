"""HDF5 tables as LazyFrames of Polars."""
from __future__ import annotations

from typing import Any, Iterator

import polars as pl
from polars.io.plugins import register_io_source

from . import _scan
from ._core import Table

__all__ = ["scan_h5"]

_ROW = "__h5arrow_row"


def _span(predicate: pl.Expr) -> Any:
    def span(keys: Table) -> tuple[int, int]:
        rows = pl.DataFrame(keys).with_row_index(_ROW).filter(predicate).get_column(_ROW)
        return (rows[0], rows[-1] + 1) if len(rows) else (0, 0)
    return span


def scan_h5(paths: _scan.Paths = (), table: str = "", **options: Any) -> pl.LazyFrame:
    """Scan a table of HDF5 files lazily.

    Only columns that the query uses are read. Where it has a predicate, the columns of the predicate are read first, and the others
    only for ranges of rows in which it holds for a row. A slice or limit at the start stops the reading.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files or patterns of files whose tables have one schema, or others with ``union="by-name"``: see :func:`h5arrow.concat`.
    table : str
        The path of the table. The default is the only table of each file.
    **options
        Those of :func:`h5arrow.open`; and ``union``, ``filename``, ``file_attributes`` and ``manifest`` of :func:`h5arrow.open_files`, which
        reads where one of the last three is given, or where there are more than 256 files.

    Returns
    -------
    polars.LazyFrame
    """
    manifest = options.get("manifest") is not None
    files = [] if manifest and not paths else _scan.expand(paths)

    def schema() -> pl.Schema:
        few = files if options.get("union") or manifest or len(files) > _scan.MAX_OPEN else files[:1]
        return pl.DataFrame(_scan.table(few, table, options).head(0)).schema

    def source(with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None) -> Iterator[pl.DataFrame]:
        whole = _scan.table(files, table, options)
        columns = whole.column_names if with_columns is None else with_columns
        chosen = whole.select(columns)
        if predicate is None:
            for batch in (chosen if n_rows is None else chosen.head(n_rows)).to_batches():
                yield pl.DataFrame(batch)
            return
        keys = [c for c in predicate.meta.root_names() if c in columns]
        left = n_rows
        for part in _scan.pruned(whole, columns, list(dict.fromkeys(keys)), _span(predicate)):
            for batch in part.to_batches():
                frame = pl.DataFrame(batch).filter(predicate)
                if left is not None:
                    frame = frame.head(left)
                    left -= len(frame)
                yield frame
                if left == 0:
                    return

    return register_io_source(source, schema=schema, is_pure=True)
