"""HDF5 tables as pyarrow datasets, which DuckDB and others scan with columns and filters pushed down."""
from __future__ import annotations

from typing import Any, Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from . import _scan
from ._core import Table

__all__ = ["Dataset", "Fragment", "dataset"]

_ROW = "__h5arrow_row"


def dataset(paths: _scan.Paths = (), table: str = "", **options: Any) -> Dataset:
    """Return a table of HDF5 files as a dataset.

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
    Dataset
    """
    return Dataset(_scan.table(paths, table, options))


class Dataset(pyarrow.dataset.Dataset):
    """A table as a ``pyarrow.dataset.Dataset``: ``duckdb.sql("select ... from d where ...")``, ``d.to_table(columns, filter)``.

    Only columns that a scan uses are read; those that its filter uses are read first, and the others only for ranges of rows in which
    the filter holds for a row. Its fragments are the table's splits.
    """

    def __init__(self, table: Table, read: Callable[[int], None] | None = None):
        """Wrap a table. read is called with the rows of each batch that is read."""
        self._table = table
        self._schema = pa.schema(table)
        self._read = read

    @property
    def schema(self) -> pa.Schema:
        """The schema of the table."""
        return self._schema

    @property
    def partition_expression(self) -> pc.Expression:
        """What holds for all rows: true."""
        return pc.scalar(True)

    def _keys(self, filter: pc.Expression) -> list[str]:
        """Return the columns that a filter uses, or more of them: those whose names its text has."""
        text = str(filter)
        names = [n for n in self._schema.names if n in text]
        try:
            pa.schema([self._schema.field(n) for n in names]).empty_table().filter(filter)
            return names
        except (pa.ArrowInvalid, KeyError):
            return self._schema.names

    def _batches(self, columns: list[str], filter: pc.Expression | None) -> Iterator[pa.RecordBatch]:
        for part in self._parts(columns, filter):
            for batch in part.to_batches():
                batch = pa.record_batch(batch)
                if self._read is not None:
                    self._read(batch.num_rows)
                yield batch

    def _parts(self, columns: list[str], filter: pc.Expression | None) -> Iterator[Table]:
        """Give the ranges of rows in which a filter may hold."""
        if filter is None:
            yield self._table.select(columns)
            return

        def span(keys: Table) -> tuple[int, int]:
            t = pa.table(keys)
            numbers = pc.subtract(pc.cumulative_sum(pa.nulls(t.num_rows, pa.int64()).fill_null(1)), 1)
            rows = t.append_column(_ROW, numbers).filter(filter)[_ROW]
            return (rows[0].as_py(), rows[-1].as_py() + 1) if len(rows) else (0, 0)

        yield from _scan.pruned(self._table, columns, self._keys(filter), span)

    def scanner(self, columns: Any = None, filter: pc.Expression | None = None, **options: Any) -> pyarrow.dataset.Scanner:
        """Return a scanner, which may be used once.

        Parameters
        ----------
        columns : list of str or dict of str to Expression, optional
        filter : Expression, optional
        **options
            Those of ``pyarrow.dataset.Scanner.from_batches``.
        """
        names = self._schema.names
        if isinstance(columns, dict):
            used = [n for n in names if any(n in str(e) for e in columns.values())]
        else:
            used = names if columns is None else list(columns)
        if filter is not None:
            used = used + [n for n in self._keys(filter) if n not in used]
        if not used:  # the rows are to be counted
            used = names[:1]
        schema = pa.schema([self._schema.field(n) for n in used], self._schema.metadata)
        for name in ("fragment_readahead", "fragment_scan_options", "cache_metadata"):
            options.pop(name, None)
        return pyarrow.dataset.Scanner.from_batches(self._batches(used, filter), schema=schema, columns=columns, filter=filter, **options)

    def filter(self, expression: pc.Expression) -> Any:
        """Not supported: give the filter to what scans."""
        raise NotImplementedError("give the filter to scanner, to_table or to_batches")

    def get_fragments(self, filter: pc.Expression | None = None) -> Iterator[Fragment]:
        """Return the table's splits.

        DataFusion scans them in parallel: ``context.register_dataset("rides", dataset)``.

        Parameters
        ----------
        filter : Expression, optional
            Not used: no split is left out, but each is scanned with the filter.
        """
        return iter([Fragment(s.table) for s in self._table.splits(bytes=_scan.SPLIT_BYTES)])

    def __reduce__(self) -> Any:
        raise TypeError("a dataset of an open file can't be pickled")


class Fragment:
    """Rows of a table, with those methods of a ``pyarrow.dataset.Fragment`` that read."""

    def __init__(self, table: Table):
        self._dataset = Dataset(table)

    @property
    def physical_schema(self) -> pa.Schema:
        """The schema of the rows."""
        return self._dataset.schema

    def scanner(self, schema: pa.Schema | None = None, **options: Any) -> pyarrow.dataset.Scanner:
        """Return a scanner, as :meth:`Dataset.scanner` does. The schema is that of the table."""
        return self._dataset.scanner(**options)

    def to_table(self, schema: pa.Schema | None = None, **options: Any) -> pa.Table:
        """Read the rows, with the options of :meth:`scanner`."""
        return self.scanner(schema, **options).to_table()

    def count_rows(self, **options: Any) -> int:
        """Count the rows, with the options of :meth:`scanner`."""
        return self.scanner(**options).count_rows()
