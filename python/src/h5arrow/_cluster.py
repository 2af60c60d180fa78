"""What the tasks of Spark, Ray and Dask have in common: a plan of parts, each of which opens its own file and reads its own rows."""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from . import _scan
from ._core import Filter, Table, open
from ._errors import ArgumentError
from ._files import open_files

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
    """What is read of each file. It can be pickled, without the table that :meth:`whole` keeps.

    Attributes
    ----------
    table : str
        The path of the table; "" is the only one.
    columns : list of str or None
        The columns, in this order; None for all.
    where : Filter or None
        Conditions on rows.
    union : str or None
        As for :func:`h5arrow.concat`.
    options : dict
        Those of :func:`h5arrow.open`.
    of_files : dict
        filename, file_attributes and manifest, as for :func:`h5arrow.open_files`. Those of a manifest are here, too.
    """

    table: str = ""
    columns: list[str] | None = None
    where: Filter | None = None
    union: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    of_files: dict[str, Any] = field(default_factory=dict)

    def _narrowed(self, table: Table) -> Table:
        return table if self.columns is None else table.select(self.columns)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_kept"}

    def whole(self, files: Sequence[str]) -> Table:
        """Return the table of all files. What does not fit it, such as names of columns, is an error here. The table of the last files is
        kept, as all of them are looked at to make it."""
        kept: tuple[list[str], Table] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] != list(files):
            kept = list(files), self._whole(files)
            object.__setattr__(self, "_kept", kept)
        return kept[1]

    def _whole(self, files: Sequence[str]) -> Table:
        if self.of_files.get("manifest") is None:
            whole = _scan.table(files, self.table, {**self.options, **self.of_files, "union": self.union})
        else:
            whole = open_files(filename=self.of_files.get("filename"), manifest=self.of_files["manifest"], **self.options)
        if self.where is not None:
            whole.filter(self.where)
        return self._narrowed(whole)

    def schema(self, files: Sequence[str]) -> pa.Schema:
        """Return the schema of files: that of the first one or, with union or a manifest, of all."""
        if self.union is None and not self.of_files:
            with open(files[0], **self.options) as f:
                return pa.schema(self._narrowed(f.table(self.table)))
        return pa.schema(self.whole(files))

    def parts(self, files: Sequence[str], schema: pa.Schema, split_bytes: int = 0) -> list[Part]:
        """Divide files at the borders of chunks. Some are open at a time; with a manifest, few are opened at all.

        Raises
        ------
        ArgumentError
            Without union, the schema of a file is another one.
        """
        if self.of_files:
            return parts_of(self.whole(files), split_bytes)

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

    @contextmanager
    def rows(self, part: Part, columns: Sequence[str] | None = None) -> Iterator[Table]:
        """Open the file of a part and give its rows, with those of the columns that the file has, or all. Threads and batches are as suits a
        task among others."""
        options = {"workers": 1, "batch_bytes": BATCH_BYTES, **self.options}
        added = {k: v for k, v in self.of_files.items() if k != "manifest" and v}
        with ExitStack() as stack:
            if added:
                table = open_files([part.file], self.table, union=self.union, **added, **options)
            else:
                table = stack.enter_context(open(part.file, **options)).table(self.table)
            known = table.column_names
            table = table.slice(part.start, part.stop)
            if self.where is not None:
                table = table._filter(self.where, absent=self.union is not None or bool(added))
            yield table if columns is None else table.select([c for c in columns if c in known] or known[:1])

    def batches(self, part: Part, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Read a part, with the columns and types of a schema: null where the file has no such column."""
        with self.rows(part, schema.names) as table:
            for batch in table.to_batches():
                yield conform(pa.record_batch(batch), schema)


def plan(paths: _scan.Paths, table: str, columns: Iterable[str] | None, where: Filter | None, union: str | None,
         options: dict[str, Any]) -> tuple[Scan, list[str]]:
    """Return what is read of each file, and the files: none where a manifest has them.

    options are those of :func:`h5arrow.open`, and filename, file_attributes and manifest.
    """
    columns = None if columns is None else list(columns)
    of_files = {k: options[k] for k in _scan.OF_FILES if options.get(k)}
    options = {k: v for k, v in options.items() if k not in _scan.OF_FILES}
    if "file_attributes" in of_files:
        of_files["file_attributes"] = list(of_files["file_attributes"])
    if "manifest" not in of_files:
        found = files(paths)
        if not found:
            raise ArgumentError("no files")
        return Scan(table, columns, where, union, options, of_files), found
    of_files["manifest"] = os.path.abspath(of_files["manifest"])
    each = open_files(paths, table, union=union, **of_files, **options)._describe()["each"]
    of_files["file_attributes"] = each["file_attributes"] or []
    return Scan(each["table"], columns, where, "by-name" if each["union"] else None, options, of_files), []


def parts_of(whole: Table, split_bytes: int = 0) -> list[Part]:
    """Divide a table of files at the borders of chunks."""
    return [Part(s.file, s.file_start, s.file_stop, s.bytes) for s in whole.splits(bytes=split_bytes)]


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
