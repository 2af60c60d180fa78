"""The command line in the package, which convert runs, too."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Iterable

from ._errors import ArgumentError, CorruptError, Error, FileError, UnsupportedError

_STATUS: dict[int, type[Error]] = {1: FileError, 2: ArgumentError, 3: CorruptError, 4: UnsupportedError}


def path() -> str:
    """Return the path of the command: that of H5ARROW_COMMAND, or the one in the package."""
    name = "h5arrow.exe" if sys.platform == "win32" else "h5arrow"
    return os.environ.get("H5ARROW_COMMAND") or os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


def main() -> int:
    """Run the command line with the arguments of the process."""
    command = [path()] + sys.argv[1:]
    if sys.platform == "win32":
        return subprocess.call(command)
    os.execv(command[0], command)


def _flags(options: dict[str, Any]) -> Iterable[str]:
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            yield flag
        elif isinstance(value, (list, tuple)):
            for item in value:
                yield "%s=%s" % (flag, os.fspath(item))
        elif value is not None and value is not False:
            yield "%s=%s" % (flag, value)


def run(verb: str, files: Iterable[str | os.PathLike[str]], more: list[str], options: dict[str, Any]) -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    command = [path(), verb, *_flags(options), "--", *map(os.fspath, files), *more]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def failure(done: subprocess.CompletedProcess[bytes]) -> Error:
    """Return the exception for a command that failed."""
    message = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
    return _STATUS.get(done.returncode, FileError)(message[len("h5arrow: "):] if message.startswith("h5arrow: ") else message)


def convert(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], out: str | os.PathLike[str], **options: Any) -> dict[str, Any]:
    """Write a table as an Arrow or Parquet file. A process of its own does it: ``h5arrow convert``.

    Parameters
    ----------
    files : path-like or iterable of path-like
        Files of one schema.
    out : path-like
        The file, which appears when it is complete. Its suffix chooses the format: .arrow, .feather, .arrows or .parquet.
    **options
        The options of the command with underscores: ``table="/events"``, ``columns="a,b"``, ``rows="0:1000"``,
        ``compression="zstd"``, ``force=True``, ``all_tables=True``, ...

    Returns
    -------
    dict
        What was written: rows, batches, bytes_out, seconds, columns. With ``all_tables``, ``{"tables": [...]}``.

    Raises
    ------
    ArgumentError, CorruptError, UnsupportedError, FileError
        By the status of the command, with its message.
    """
    names = [files] if isinstance(files, (str, os.PathLike)) else list(files)
    done = run("convert", names, [os.fspath(out)], {**options, "json": True, "quiet": True})
    if done.returncode != 0:
        raise failure(done)
    summaries = [json.loads(line) for line in done.stdout.splitlines()]
    return {"tables": summaries} if options.get("all_tables") else summaries[0]
