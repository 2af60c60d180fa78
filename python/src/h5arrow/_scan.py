"""What the engines' modules have in common: files of one schema, and ranges of rows that a predicate leaves."""
from __future__ import annotations

import glob
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterable, Iterator, Sequence, Union

from ._core import Table, concat, open
from ._errors import FileMissingError

Paths = Union[str, "os.PathLike[str]", Iterable[Union[str, "os.PathLike[str]"]]]

#: How many files are opened at once.
OPENED_AHEAD = 8

#: About how many bytes of Arrow memory are tested at once.
SPLIT_BYTES = 32 << 20


def expand(paths: Paths) -> list[str]:
    """Return the files of paths and patterns, those of a pattern sorted. What names a file is not a pattern, nor is a URL."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    files = []
    for p in map(os.fspath, paths):
        found = [p] if "://" in p or os.path.lexists(p) or not glob.has_magic(p) else sorted(glob.glob(p, recursive=True))
        if not found:
            raise FileMissingError("%s: no file matches" % p, file=p)
        files += found
    return files


#: Above so many files they are opened while they are read, and closed.
MAX_OPEN = 256

#: Options of open_files that open does not have, besides union.
OF_FILES = ("filename", "file_attributes", "manifest")


def closed(files: list[str], options: dict[str, Any]) -> bool:
    """Report whether files are read by open_files, which closes them."""
    return len(files) > MAX_OPEN or any(options.get(k) for k in OF_FILES)


def joined(tables: list[Table], union: str | None) -> Table:
    """Return tables as one."""
    return tables[0] if len(tables) == 1 and union is None else concat(tables, union=union)


def table(paths: Paths, path: str, options: dict[str, Any]) -> Table:
    """Return the table of all files. The option union is that of concat, the others are those of open or open_files."""
    from ._files import open_files
    files = [] if options.get("manifest") is not None and not paths else expand(paths)
    if closed(files, options):
        return open_files(files, path, **options)
    options = {k: v for k, v in options.items() if k not in OF_FILES}
    union = options.pop("union", None)
    with ThreadPoolExecutor(OPENED_AHEAD) as pool:
        tables = list(pool.map(lambda p: open(p, **options).table(path), files))
    return joined(tables, union)


def pruned(whole: Table, columns: Sequence[str], keys: Sequence[str], span: Callable[[Table], tuple[int, int]],
           split_bytes: int = SPLIT_BYTES) -> Iterator[Table]:
    """Return the ranges of rows, cut at the borders of chunks, in which a predicate may hold, with the given columns.

    span is called with the columns keys of each range, and returns the first and the end of the rows for which it holds.
    Other columns of other rows are not read. A table of open_files is one range.
    """
    if whole.convention == "files":  # opening each twice costs more than what is left out
        yield whole.select(columns)
        return
    for split in whole.select(columns).splits(bytes=split_bytes):
        part = whole.slice(split.start, split.stop)
        first, end = span(part.select(keys)) if keys else (0, split.stop - split.start)
        if first < end:
            yield part.slice(first, end).select(columns)
