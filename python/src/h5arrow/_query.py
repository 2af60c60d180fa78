"""SQL over tables: by the duckdb package, or by the command where it has an engine."""
from __future__ import annotations

import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable

from . import _command, _scan
from ._core import Table, open
from ._errors import ArgumentError, UnsupportedError
from ._progress import Bar, Progress

if TYPE_CHECKING:
    import pyarrow


def _tables(files: list[str], table: str | None, options: dict[str, Any]) -> dict[str, Table]:
    """Return the tables of all files, or those of one path, by their paths."""
    if options.get("manifest") is not None or table is not None:
        whole = _scan.table(files, table or "", options)
        return {whole.path: whole}
    each = {k: v for k, v in options.items() if k not in (*_scan.OF_FILES, "union")}
    if not _scan.closed(files, options):
        tables: dict[str, list[Table]] = {}
        for name in files:
            for t in open(name, **each).tables:
                tables.setdefault(t.path, []).append(t)
        return {path: _scan.joined(parts, options.get("union")) for path, parts in tables.items()}

    def paths(name: str) -> list[str]:
        with open(name, **each) as f:
            return [t.path for t in f.tables]

    having: dict[str, list[str]] = {}
    with ThreadPoolExecutor(_scan.OPENED_AHEAD) as pool:
        for name, found in zip(files, pool.map(paths, files)):
            for path in found:
                having.setdefault(path, []).append(name)
    return {path: _scan.table(names, path, options) for path, names in having.items()}


def views(files: list[str], table: str | None, options: dict[str, Any], read: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Return the tables of all files, or those of one path, as datasets, by the names that statements use. read is called with the rows of
    each batch that is read."""
    from .dataset import Dataset
    if not files and options.get("manifest") is None:
        raise ArgumentError("no files")
    found: dict[str, Any] = {path: Dataset(t, read) for path, t in _tables(files, table, options).items()}
    if not found:
        raise ArgumentError("%s: no table was found" % files[0], file=files[0])
    short: dict[str, list[str]] = {}
    for path in list(found):
        last = path.rpartition("/")[2] or os.path.splitext(os.path.basename(os.fspath((files or [options["manifest"]])[0])))[0]
        short.setdefault(last, []).append(path)
    found.update({name: found[paths[0]] for name, paths in short.items() if len(paths) == 1 and name not in found})
    return found


def query(paths: _scan.Paths, sql: str, *, engine: str | None = None, progress: Progress = None, **options: Any) -> pyarrow.Table:
    """Run an SQL statement over the tables of files. It needs pyarrow.

    Each table is a view, named by its path (``"/runs/events"``) and by the path's last part (``events``) unless another table has that
    name. Several files of one schema are one table for each path. Only the columns that the statement uses are read, and conditions skip
    rows.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files or patterns of files; none with ``manifest=``.
    sql : str
        A statement of DuckDB.
    engine : {"duckdb", "command"}, optional
        duckdb is the package duckdb, in this process. command is the program of this package, which has an engine only where the wheel
        was built with one (``H5ARROW_WHEEL_TAGS``). The default is duckdb where it is installed, else command.
    progress : bool or function, optional
        As for :func:`h5arrow.write`, with the rows that were read; how many there are in all is not known. There is none by command.
    **options
        Those of :func:`h5arrow.duckdb.register` or, for command, of ``h5arrow query`` with underscores.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    ArgumentError
        The statement is wrong. It is a ValueError.
    UnsupportedError
        There is no engine. It is a NotImplementedError.
    """
    if engine not in (None, "duckdb", "command"):
        raise ArgumentError("engine %r; there are duckdb and command" % engine)
    files = _scan.expand(paths)
    if engine != "command":
        try:
            import duckdb
        except ImportError:
            if engine == "duckdb":
                raise
        else:
            with Bar(progress, None) as bar:
                reading = _Reading(bar)
                named = views(files, None, options, reading.read if bar.shown else None)
                try:
                    result = _by_duckdb(duckdb, named, sql)
                except Exception:
                    if reading.failed is not None:
                        raise reading.failed from None
                    raise
                reading.end()
                return result
    import pyarrow
    done = _command.run("query", files, [sql], {**options, "output": "-"})
    if done.returncode != 0:
        error = _command.failure(done)
        if isinstance(error, UnsupportedError):
            error.message += "; or install the package duckdb"
        raise error
    return pyarrow.ipc.open_stream(io.BytesIO(done.stdout)).read_all()


class _Reading:
    """Counts rows that are read and shows them, at most ten times a second. An error of who is shown them ends the reading."""

    def __init__(self, bar: Bar):
        self._bar, self._rows, self._last = bar, 0, 0.0
        self.failed: BaseException | None = None

    def read(self, rows: int) -> None:
        self._rows += rows
        now = time.monotonic()
        if now - self._last < 0.1:
            return
        self._last = now
        try:
            self._bar.show(self._rows)
        except BaseException as e:
            self.failed = e
            raise

    def end(self) -> None:
        """Show all of them."""
        self._bar.show(self._rows)


def _by_duckdb(duckdb: Any, named: dict[str, Any], sql: str) -> pyarrow.Table:
    import pyarrow
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        for name, view in named.items():
            connection.register(name, view)
        try:
            result = connection.sql(sql)
        except (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException) as e:
            raise ArgumentError(str(e)) from None
        if result is None:
            raise ArgumentError("the statement has no result")
        return pyarrow.table(result)
