"""Files, tables and batches."""
from __future__ import annotations

import ctypes
import dataclasses
import os
import threading
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence, Union

from . import _lib, _show
from ._errors import ArgumentError, Error, NotFoundError, from_failure

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

#: What ``Table.filter`` takes: a text, or conditions (column, operator, value).
Filter = Union[str, Sequence[Sequence[Any]]]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table, or a dataset as one.

    Attributes
    ----------
    name, path : str
        The column's name, and the path of the dataset that has its values.
    type : str or None
        The Arrow type; None if there is none.
    hdf5_type : str
    shape : tuple of int
        Of the dataset.
    storage : str
        ``contiguous``, ``chunked``, ``compact``, ``virtual``, ``external`` or ``none``.
    filters : tuple of str
    delivery : str
        How the values become Arrow's: ``mapped`` (not copied), ``decoded``, ``swapped``, ..., or ``refused``.
    reason : str
        Why it is not mapped.
    nulls : str
        Where missing values come from, "" if nowhere.
    notes : tuple of str
        What of its description makes no sense.
    """

    name: str
    path: str
    type: str | None
    hdf5_type: str
    shape: tuple[int, ...]
    storage: str
    filters: tuple[str, ...]
    delivery: str
    reason: str
    nulls: str
    notes: tuple[str, ...]

    @classmethod
    def _of(cls, d: dict[str, Any]) -> Column:
        nulls = d.get("nulls") or {}
        text = " ".join(x for x in (nulls.get("source"), nulls.get("path")) if x)
        return cls(d["name"], d["path"], d["type"], d.get("hdf5_type", ""), tuple(d["shape"] or ()), d.get("storage", ""),
                   tuple(d.get("filters", ())), d["delivery"], d.get("reason", ""),
                   text and "%s (%s)" % (text, nulls["delivery"]), tuple(d.get("notes", ())))


@dataclasses.dataclass(frozen=True)
class Field:
    """A column of a schema: its name and the name of its Arrow type."""

    name: str
    type: str


class Schema:
    """The Arrow schema of a table. ``pyarrow.schema(s)`` takes it by ``__arrow_c_schema__``."""

    def __init__(self, table: Table):
        self._table = table

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [f.name for f in self]

    @property
    def types(self) -> list[str]:
        """The names of the columns' types."""
        return [f.type for f in self]

    def __iter__(self) -> Iterator[Field]:
        return iter([Field(c.name, c.type or "") for c in self._table.columns])

    def __len__(self) -> int:
        return len(self._table.columns)

    def __getitem__(self, key: int | str) -> Field:
        fields = list(self)
        return fields[key] if isinstance(key, int) else fields[self.names.index(key)]

    def __repr__(self) -> str:
        return "\n".join("%s: %s" % (f.name, f.type) for f in self)

    def __arrow_c_schema__(self) -> Any:
        return self._table.__arrow_c_schema__()

    def to_pyarrow(self) -> pyarrow.Schema:
        """Return the schema as pyarrow's."""
        import pyarrow
        return pyarrow.schema(self)


@dataclasses.dataclass(frozen=True)
class Split:
    """A range of rows that can be read on its own.

    Attributes
    ----------
    table : Table
        The rows of the split.
    start, stop : int
        The rows in the table that was divided.
    file : str
        The file that has the rows.
    file_start, file_stop : int
        The rows of the table in that file.
    bytes : int
        About how many bytes of Arrow memory the rows take.
    stored_bytes : int
        The bytes of the file to read for them.
    """

    table: Table
    start: int
    stop: int
    file: str
    file_start: int
    file_stop: int
    bytes: int
    stored_bytes: int


class Batch:
    """A record batch. It may be taken several times by ``__arrow_c_array__``."""

    def __init__(self, handle: _lib.Handle):
        self._handle = handle

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        array, schema = _lib.capsules("batch", self._handle.id, ("array", "schema"))
        return schema, array

    def __arrow_c_schema__(self) -> Any:
        return self.__arrow_c_array__()[0]

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        get = ctypes.pythonapi.PyCapsule_GetPointer
        get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        _, array = self.__arrow_c_array__()
        return ctypes.c_int64.from_address(get(array, b"arrow_array")).value

    def __len__(self) -> int:
        return self.num_rows

    def __repr__(self) -> str:
        return "<h5arrow.Batch of %d rows>" % self.num_rows

    def to_pyarrow(self) -> pyarrow.RecordBatch:
        """Return the batch as pyarrow's, without a copy."""
        import pyarrow
        return pyarrow.record_batch(self)


class File:
    """An open file: what :func:`open` returns. Close it, or use it in a with statement."""

    def __init__(self, name: str, opening: dict[str, Any], reading: dict[str, Any]):
        self.name = name
        self._opening, self._reading = opening, reading
        self._handle = _lib.Handle("open", os.fsencode(name), _lib.options(**opening))
        self._known: dict[str, Any] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file. Its tables can't be used any more; arrays and streams that were taken stay valid."""
        self._handle.close()

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self._handle.id == 0

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _open(self) -> int:
        number = self._handle.id
        if number == 0:
            raise ArgumentError("%s is closed" % self.name, file=self.name)
        return number

    def _describe(self) -> dict[str, Any]:
        with self._lock:
            if self._known is None:
                self._known = _lib.answer("tables", self._open())
            return self._known

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self._describe()["size"]

    @property
    def index(self) -> str | None:
        """The index that filters skip rows with, None without one: the option of :func:`open`, or the file's name with .h5idx."""
        return self._describe().get("index")

    @property
    def problem(self) -> Error | None:
        """Why not all tables were found, None if they were."""
        problem = self._describe().get("problem")
        return problem and from_failure(problem)

    @property
    def tables(self) -> list[Table]:
        """The tables of the file."""
        return [self.table(t["path"]) for t in self._describe()["tables"]]

    @property
    def datasets(self) -> list[Column]:
        """All datasets of the file, each as it would be delivered alone, without a convention."""
        return [Column._of(d) for d in _lib.answer("datasets", self._open())]

    def table(self, path: str = "", *, skip_unsupported: bool = False) -> Table:
        """Return a table.

        Parameters
        ----------
        path : str
            The path of the table. The default is the only table of the file.
        skip_unsupported : bool
            Leave out columns that can't be read.

        Returns
        -------
        Table

        Raises
        ------
        NotFoundError
            If there is no object of that path. It is a KeyError.
        ArgumentError
            If the object is not a table, or the file has several. It is a ValueError.
        """
        handle = _lib.Handle("table", self._open(), _lib.options(path=path, skip_unsupported=skip_unsupported))
        return Table([self], handle, self._reading)

    def dataset(self, *paths: str) -> Table:
        """Return datasets of one length as a table, each a column, without a convention."""
        handle = _lib.Handle("table", self._open(), _lib.options(datasets=list(paths)))
        return Table([self], handle, self._reading)

    def __getitem__(self, path: str) -> Table:
        """Return the table at a path, or the dataset at it as a table of one column."""
        try:
            return self.table(path)
        except (NotFoundError, ArgumentError):
            if not self.closed and any(d.path == "/" + path.strip("/") for d in self.datasets):
                return self.dataset(path)
            raise

    def __iter__(self) -> Iterator[str]:
        return iter([t["path"] for t in self._describe()["tables"]])

    def __len__(self) -> int:
        return len(self._describe()["tables"])

    def __contains__(self, path: object) -> bool:
        return path in list(self)

    def check(self, deep: bool = False, *, workers: int = 0) -> list[Error]:
        """Look for defects.

        Parameters
        ----------
        deep : bool
            Decode all chunks, too.
        workers : int
            How many threads decode; 0 is one for each processor.

        Returns
        -------
        list of Error
            The defects and what is not supported; empty for a sound file.
        """
        return [from_failure(e) for e in _lib.answer("check", self._open(), _lib.options(deep=deep, workers=workers))]

    def __repr__(self) -> str:
        return _show.file_text(self)

    def _repr_html_(self) -> str:
        return _show.file_html(self)

    def __reduce__(self) -> Any:
        return File, (self.name, self._opening, self._reading)


class Table:
    """Columns and rows of one file or of several. It is immutable: what selects returns another one."""

    def __init__(self, files: list[File], handle: _lib.Handle, reading: dict[str, Any]):
        self._files, self._handle, self._reading = files, handle, reading
        self._known: dict[str, Any] | None = None

    def _open(self) -> int:
        for f in self._files:
            f._open()
        return self._handle.id

    def _describe(self) -> dict[str, Any]:
        if self._known is None:
            self._known = _lib.answer("describe", self._open())
        return self._known

    @property
    def path(self) -> str:
        """The path of the table in its file."""
        return self._describe()["path"]

    @property
    def convention(self) -> str:
        """The convention that recognized the table."""
        return self._describe()["convention"]

    @property
    def reason(self) -> str:
        """By what the table was recognized."""
        return self._describe()["reason"]

    @property
    def notes(self) -> list[str]:
        """What a reader of the table should know, such as what was left out."""
        return list(self._describe().get("notes", ()))

    @property
    def columns(self) -> list[Column]:
        """The columns: types, storage, how each is delivered and why."""
        return [Column._of(c) for c in self._describe()["columns"]]

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return [c["name"] for c in self._describe()["columns"]]

    @property
    def num_columns(self) -> int:
        """The number of columns."""
        return len(self._describe()["columns"])

    @property
    def num_rows(self) -> int:
        """The number of rows. For a filtered table, the columns of its filter are read."""
        known = self._describe()
        if known["rows"] is None:
            rows = ctypes.c_int64()
            _lib.call("count", self._open(), ctypes.byref(rows))
            known["rows"] = rows.value
        return known["rows"]

    def __len__(self) -> int:
        return self.num_rows

    @property
    def schema(self) -> Schema:
        """The Arrow schema."""
        return Schema(self)

    def _narrow(self, **how: Any) -> Table:
        return Table(self._files, _lib.Handle("narrow", self._open(), _lib.options(**how)), self._reading)

    def select(self, columns: Iterable[str]) -> Table:
        """Return the table with these columns, in this order."""
        return self._narrow(columns=[columns] if isinstance(columns, str) else list(columns))

    def slice(self, start: int = 0, stop: int | None = None) -> Table:
        """Return the rows from start up to, but not including, stop."""
        return self._narrow(rows=[start, -1 if stop is None else stop])

    def filter(self, where: Filter) -> Table:
        """Return the rows for which conditions hold. A table with several filters has the rows for which all hold.

        Parameters
        ----------
        where : str or sequence of sequences
            A text such as ``"fare > 10 and zone in ('Dock', 'Forum') and tip is not null"``, or conditions
            ``[("fare", ">", 10), ("zone", "in", ["Dock", "Forum"]), ("tip", "is not null")]``, all of which hold for a chosen row.
            Operators are ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``between``, ``in``, ``not in``, ``is null`` and ``is not
            null``; they mean what they do in SQL, and what ``--where`` of the command line does.

        Returns
        -------
        Table
            The columns of the conditions are read first, where an index of the file leaves rows to look at; the others only
            where rows were chosen.
        """
        return self._filter(where)

    def _filter(self, where: Filter, absent: bool = False) -> Table:
        """Return filter(where). With absent, columns that the table lacks are null."""
        return self._narrow(where=where if isinstance(where, str) else [[_lib.constant(x) for x in c] for c in where], absent=absent)

    def head(self, n: int = 10) -> Table:
        """Return the first rows."""
        return self._narrow(limit=n)

    def with_options(self, *, copy: bool | None = None, workers: int | None = None, max_memory: int | None = None,
                     batch_rows: int | None = None, batch_bytes: int | None = None) -> Table:
        """Return the table with other options of reading; see :func:`open`."""
        given = {"copy": copy, "workers": workers, "max_memory": max_memory, "batch_rows": batch_rows, "batch_bytes": batch_bytes}
        out = Table(self._files, self._handle, {**self._reading, **{k: v for k, v in given.items() if v is not None}})
        out._known = self._known
        return out

    def splits(self, n: int = 0, *, bytes: int = 0) -> list[Split]:
        """Divide the rows at the borders of chunks.

        Parameters
        ----------
        n : int
            The number of splits, at most.
        bytes : int
            About how many bytes of Arrow memory a split takes. The default is 128 MiB if n is not given.
        """
        found = _lib.answer("splits", self._open(), _lib.options(count=n, bytes=bytes))
        return [Split(self.slice(*s["rows"]), *s["rows"], s["file"], *s["file_rows"], s["bytes"], s["stored_bytes"]) for s in found]

    def to_batches(self) -> Iterator[Batch]:
        """Read the table batch by batch. Later batches are decoded meanwhile."""
        reader = _lib.Handle("reader", self._open(), _lib.options(**self._reading))
        while True:
            batch = _lib.Handle("next", reader.id)
            if batch.id == 0:
                return
            yield Batch(batch)

    def to_pyarrow(self) -> pyarrow.Table:
        """Return the table as pyarrow's. Mapped columns are not copied."""
        import pyarrow
        return pyarrow.Table.from_batches([b.to_pyarrow() for b in self.to_batches()], pyarrow.schema(self))

    def to_polars(self) -> polars.DataFrame:
        """Return the table as a DataFrame of Polars."""
        import polars
        frames = [polars.DataFrame(b) for b in self.to_batches()]
        return polars.concat(frames, rechunk=False) if frames else polars.DataFrame(self)

    def to_pandas(self, **options: Any) -> pandas.DataFrame:
        """Return the table as a DataFrame of pandas. The options are those of ``pyarrow.Table.to_pandas``."""
        return self.to_pyarrow().to_pandas(**options)

    def __arrow_c_schema__(self) -> Any:
        return _lib.capsules("schema", self._open(), ("schema",))[0]

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return _lib.capsules("stream", self._open(), ("stream",), _lib.options(**self._reading))[0]

    def __repr__(self) -> str:
        return _show.table_text(self)

    def _repr_html_(self) -> str:
        return _show.table_html(self)


def open(path: str | os.PathLike[str], *, strings: str | None = None, enum: str | None = None, nan_as_null: bool = False,
         tensor: bool = False, null_rows: bool = False, convention: str | None = None, flatten: bool = False, sorted: str | Iterable[str] = (),
         align: str | None = None, io: str | None = None, allow_external: Iterable[str | os.PathLike[str]] = (),
         index: str | os.PathLike[str] | None = None, copy: bool = False, workers: int = 0, max_memory: int = 0, batch_rows: int = 0,
         batch_bytes: int = 0, headers: Mapping[str, str] | None = None) -> File:
    """Open a file.

    Parameters
    ----------
    path : path-like
        Or an http or https URL of a server that sends ranges: the parts of the file that are needed are requested.
    strings : {"utf8", "binary", "latin1"}, optional
        How text is read. Text that is not UTF-8 is an error by default.
    enum : {"labels", "values"}, optional
        How enumerations are read. The default is labels: dictionaries.
    nan_as_null : bool
        NaN is null.
    tensor : bool
        Rows of several dimensions are arrow.fixed_shape_tensor.
    null_rows : bool
        A row of several items is null if one of its items is.
    convention : str, optional
        Look only for tables of this convention.
    flatten : bool
        Read the variables of netCDF files as tables with a row for each cell, and their coordinates as columns.
    sorted : str or iterable of str
        Columns that are sorted, in all tables that have them: values ascend or descend, and nulls and NaN are at one end or both. Conditions on
        them search rows instead of reading all. Values that are read and not in order are an ArgumentError.
    align : {"copy", "keep", "refuse"}, optional
        What is done with mapped values that are not aligned to their width. The default is copy.
    io : {"mmap", "read"}, optional
        Map the file, or read it without mapping.
    allow_external : iterable of path-like
        Follow links and external data to these folders, too. The file's own folder and what is below it is always allowed.
    index : path-like, optional
        The index that ``h5arrow index`` made of the file, which must fit; ``"none"`` for none. The default is the one beside the
        file, if there is one and it fits.
    copy : bool
        Copy mapped values, too: safe where the file may be cut short while it is used.
    workers : int
        How many threads decode. The default is one for each processor.
    max_memory : int
        Bytes of rows in flight. The default is about 64 MiB for each worker.
    batch_rows, batch_bytes : int
        The size of batches. The default is 64 MiB.
    headers : mapping, optional
        Names and values to send with requests for a URL, such as ``{"Authorization": "Bearer ..."}``.

    Returns
    -------
    File

    Raises
    ------
    FileMissingError
        A FileNotFoundError.
    CorruptError
        The file is not HDF5, or contradicts itself. It is a ValueError.
    """
    return File(os.fspath(path), *divided(
        strings=strings, enum=enum, nan_as_null=nan_as_null, tensor=tensor, null_rows=null_rows, convention=convention, flatten=flatten,
        sorted=sorted, align=align, io=io, allow_external=list(map(os.fspath, allow_external)), index=index, headers=dict(headers or {}), copy=copy,
        workers=workers, max_memory=max_memory, batch_rows=batch_rows, batch_bytes=batch_bytes))


def divided(**options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of opening among those of :func:`open`, and those of reading."""
    if "sorted" in options:
        options["sorted"] = [options["sorted"]] if isinstance(options["sorted"], str) else list(options["sorted"])
    reading = {k: options.pop(k) for k in ("copy", "workers", "max_memory", "batch_rows", "batch_bytes") if k in options}
    return options, reading


def concat(tables: Iterable[Table], *, union: str | None = None) -> Table:
    """Join tables, of any files, one after the other.

    Parameters
    ----------
    tables : iterable of Table
    union : {"by-name"}, optional
        By default all tables have one schema. With by-name their columns are matched by name: the result has each column that some
        table has, null where a table has none. Numbers of several types get the smallest type that has all values of all of them, and
        labels of dictionaries are merged. ``Table.notes`` says what was done.

    Returns
    -------
    Table

    Raises
    ------
    ArgumentError
        The schemas differ, or types have no other in common. It is a ValueError.
    """
    tables = list(tables)
    if not tables:
        raise ArgumentError("no tables to join")
    if union not in (None, "by-name"):
        raise ArgumentError("union %r; there is by-name" % (union,))
    numbers = (ctypes.c_uint64 * len(tables))(*(t._open() for t in tables))
    files = [f for t in tables for f in t._files]
    return Table(files, _lib.Handle("concat", numbers, len(tables), _lib.options(by_name=union is not None)), tables[0]._reading)
