"""The command line in the package, which convert runs, too."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any, Iterable

from ._errors import ArgumentError, CorruptError, Error, FileError, UnsupportedError
from ._progress import Bar, Progress

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


def _line(verb: str, files: Iterable[str | os.PathLike[str]], more: list[str], options: dict[str, Any]) -> list[str]:
    return [path(), verb, *_flags(options), "--", *map(os.fspath, files), *more]


def run(verb: str, files: Iterable[str | os.PathLike[str]], more: list[str], options: dict[str, Any]) -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    return subprocess.run(_line(verb, files, more, options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def failure(done: subprocess.CompletedProcess[bytes]) -> Error:
    """Return the exception for a command that failed."""
    message = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
    return _STATUS.get(done.returncode, FileError)(message[len("h5arrow: "):] if message.startswith("h5arrow: ") else message)


def _with_progress(command: list[str], bar: Bar) -> subprocess.CompletedProcess[bytes]:
    """Run a command that prints its progress on stderr. If this is interrupted, the command is ended."""
    errors = []
    with tempfile.TemporaryFile() as out:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE) as process:
            try:
                for line in process.stderr or ():
                    if line.startswith(b'{"rows":'):
                        bar.show(**json.loads(line))
                    else:
                        errors.append(line)
            except BaseException:
                process.terminate()
                raise
        out.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, out.read(), b"".join(errors))


def convert(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], out: str | os.PathLike[str], *, progress: Progress = None,
            **options: Any) -> dict[str, Any]:
    """Write a table as an Arrow or Parquet file. A process of its own does it: ``h5arrow convert``.

    Parameters
    ----------
    files : path-like or iterable of path-like
        Files of one schema, or a manifest: see :func:`h5arrow.write_manifest`.
    out : path-like
        The file, which appears when it is complete. Its suffix chooses the format: .arrow, .feather, .arrows or .parquet.
    progress : bool or function, optional
        As for :func:`h5arrow.write`, but the rows of all are not known where there are conditions. There is none with ``all_tables``.
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
    with Bar(progress, None) as bar:
        given = {**options, "json": True, "quiet": True, "progress_json": bar.shown}
        done = _with_progress(_line("convert", names, [os.fspath(out)], given), bar)
    if done.returncode != 0:
        raise failure(done)
    summaries = [json.loads(line) for line in done.stdout.splitlines()]
    return {"tables": summaries} if options.get("all_tables") else summaries[0]
