"""What the tasks of Spark and Ray have in common: a plan of parts, each of which opens its own file and reads its own rows."""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from . import _scan
from ._core import Filter, Table, open
from ._errors import ArgumentError

#: Bytes of a batch: what a task holds at once is a few of them.
BATCH_BYTES = 8 << 20


@dataclass(frozen=True)
class Part:
    """Rows of one file: what a task reads.

    Attributes
    ----------
    file : str
        The absolute path, as tasks run in other folders, or the URL.
    start, stop : int
        The rows of the file's table.
    bytes : int
        About how many bytes of Arrow memory they take.
    """

    file: str
    start: int
    stop: int
    bytes: int


@dataclass(frozen=True)
class Scan:
    """What is read of each file. It can be pickled.

    Attributes
    ----------
    table : str
        The path of the table; "" is the only one.
    columns : list of str or None
        The columns, in this order; None for all.
    where : list of Filter
        Conditions that all hold.
    union : str or None
        As for :func:`h5arrow.concat`.
    options : dict
        Those of :func:`h5arrow.open`.
    """

    table: str = ""
    columns: list[str] | None = None
    where: list[Filter] = field(default_factory=list)
    union: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def _narrowed(self, table: Table) -> Table:
        return table if self.columns is None else table.select(self.columns)

    def schema(self, files: Sequence[str]) -> pa.Schema:
        """Return the schema of files: that of the first one or, with union, of all."""
        if self.union is None:
            with open(files[0], **self.options) as f:
                return pa.schema(self._narrowed(f.table(self.table)))
        return pa.schema(self._narrowed(_scan.table(files, self.table, {**self.options, "union": self.union})))

    def parts(self, files: Sequence[str], schema: pa.Schema, split_bytes: int = 0) -> list[Part]:
        """Divide files at the borders of chunks. Some are open at a time.

        Raises
        ------
        ArgumentError
            Without union, the schema of a file is another one.
        """
        def divide(path: str) -> list[Part]:
            with open(path, **self.options) as f:
                table = f.table(self.table)
                if self.union is None:
                    self._compare(pa.schema(self._narrowed(table)), schema, path, files[0])
                table = table.select([n for n in schema.names if n in table.column_names])
                if not table.column_names:
                    table = f.table(self.table)
                return [Part(path, s.start, s.stop, s.bytes) for s in table.splits(bytes=split_bytes)]

        with ThreadPoolExecutor(_scan.OPENED_AHEAD) as pool:
            return [p for parts in pool.map(divide, files) for p in parts]

    @staticmethod
    def _compare(got: pa.Schema, want: pa.Schema, path: str, first: str) -> None:
        if got.equals(want):
            return
        differing = next(((g, w) for g, w in zip(got, want) if not g.equals(w)), None)
        what = "%d columns, not %d" % (len(got), len(want)) if differing is None else "column %s: %s, not %s: %s" % (
            differing[0].name, differing[0].type, differing[1].name, differing[1].type)
        raise ArgumentError("%s: %s as in %s; union by-name matches columns by name" % (path, what, first), file=path)

    def open_part(self, part: Part) -> Any:
        """Open the file of a part, with the threads and batches that suit a task among others."""
        return open(part.file, **{"workers": 1, "batch_bytes": BATCH_BYTES, **self.options})

    def rows(self, opened: Any, part: Part, columns: Sequence[str]) -> Table | None:
        """Return the rows of a part with those of the columns that the file has; None if no row can match."""
        table = opened.table(self.table).slice(part.start, part.stop)
        known = set(table.column_names)
        for where in self.where:
            if self.union is not None and not isinstance(where, str):
                absent = [c for c in where if c[0] not in known]
                if any(c[1] != "is null" for c in absent):
                    return None
                where = [c for c in where if c[0] in known]
            if where:
                table = table.filter(where)
        return table.select([c for c in columns if c in known] or table.column_names[:1])

    def batches(self, part: Part, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Read a part, with the columns and types of a schema: null where the file has no such column."""
        with self.open_part(part) as f:
            table = self.rows(f, part, schema.names)
            for batch in table.to_batches() if table is not None else ():
                yield conform(pa.record_batch(batch), schema)


def files(paths: _scan.Paths) -> list[str]:
    """Return the absolute paths of files and patterns, and URLs as they are; file: URLs are paths."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    local = ["/" + p[len("file://"):].lstrip("/") if p.startswith("file://") else p for p in map(os.fspath, paths)]
    return [p if "://" in p else os.path.abspath(p) for p in _scan.expand(local)]


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns and types of a schema."""
    known = set(batch.schema.names)
    arrays = [_cast(batch.column(f.name), f.type) if f.name in known else pa.nulls(batch.num_rows, f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(array: pa.Array, to: pa.DataType) -> pa.Array:
    if array.type.equals(to):
        return array
    if isinstance(array, pa.ExtensionArray):
        return _cast(array.storage, to)
    if pa.types.is_timestamp(array.type) and array.type.unit == "ns" and pa.types.is_timestamp(to) and to.unit == "us":
        array = pc.floor_temporal(array, unit="microsecond")
    return pc.cast(array, to, safe=not pa.types.is_duration(to))
