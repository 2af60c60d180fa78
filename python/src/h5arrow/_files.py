"""Thousands of files as one table: they are opened while they are read."""
from __future__ import annotations

import os
from typing import Any, Iterable

from . import _lib, _scan
from ._core import Table, divided
from ._errors import ArgumentError


def open_files(paths: _scan.Paths = (), table: str = "", *, union: str | None = None, filename: str | bool | None = None,
               file_attributes: Iterable[str] = (), manifest: str | os.PathLike[str] | None = None, **options: Any) -> Table:
    """Open a table of many files.

    Files are opened eight at a time while they are read, and closed again, so that memory does not grow with their number; small ones
    are read in parallel, and their batches are joined. Without union only the first file is opened here, and a file of another
    schema is an error when it is read. ``num_rows``, ``slice`` and ``splits`` open all files, to count their rows.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files, URLs or patterns of files.
    table : str
        The path of the table. The default is the only table of each file.
    union : {"by-name"}, optional
        See :func:`h5arrow.concat`. It opens all files.
    filename : str or bool, optional
        Add a column of this name, ``filename`` for True, with each row's file; of URLs without query, user and password,
        which may be secret. Filters on it leave out whole files.
    file_attributes : iterable of str
        Add columns with these scalar attributes of the group of each file's table or, where that lacks one, of the root group.
        Filters on them leave out whole files: without opening them, if there is a manifest.
    manifest : path-like, optional
        A file that :func:`write_manifest` wrote. It has the names, rows, schemas and attributes of the files, and stands for the
        parameters paths, table, union and file_attributes. Reading a file that has changed since is an error.
    **options
        Those of :func:`h5arrow.open`.

    Returns
    -------
    Table
        Labels are dictionaries with indices of 32 bits, and each batch has labels of its own.
    """
    if union not in (None, "by-name"):
        raise ArgumentError("union %r; there is by-name" % (union,))
    opening, reading = divided(**options)
    given: dict[str, Any] = {"manifest": manifest}
    if manifest is None:
        given = {"files": _scan.expand(paths), "path": table, "by_name": union is not None, "attributes": list(file_attributes)}
    elif paths or table or union or file_attributes:
        raise ArgumentError("manifest excludes paths, table, union and file_attributes")
    name = "filename" if filename is True else filename or None
    return Table([], _lib.Handle("files", _lib.options(filename=name, open=opening, **given)), reading)


def write_manifest(paths: _scan.Paths, out: str | os.PathLike[str], table: str = "", *, force: bool = False, **options: Any) -> None:
    """Write what opening many files takes to a file: their names, rows, schemas and attributes.

    ``open_files(manifest=out)``, and ``manifest=out`` of the scans, then read that file, and the first file of each schema, instead of
    opening all of them.

    Parameters
    ----------
    paths, table
        As for :func:`open_files`.
    out : path-like
        The manifest. Files in its folder, and below, may be moved together with it.
    force : bool
        Replace a file.
    **options
        ``union``, ``file_attributes`` and those of :func:`h5arrow.open`.
    """
    files = open_files(paths, table, **options)
    _lib.answer("manifest", files._open(), os.fsencode(out), _lib.options(force=force))
