"""The exceptions of the package."""
from __future__ import annotations

from typing import Any

__all__ = [
    "ArgumentError", "CanceledError", "CorruptError", "Error", "FileError", "FileMissingError", "ForkError", "InternalError",
    "LimitError", "MemoryLimitError", "NotFoundError", "PermissionDeniedError", "UnsupportedError", "from_failure",
]


class Error(Exception):
    """What all errors of h5arrow have in common.

    Attributes
    ----------
    kind : str
        ``corrupt``, ``unsupported``, ``argument``, ``not found``, ``i/o``, ``memory``, ``limit``, ``canceled``, ``internal`` or
        ``fork``.
    file, object : str or None
        The file, and the path of the object in it, that the error is about.
    offset : int or None
        The byte in the file.
    options : list of str
        Options that help, most useful first.
    """

    kind = "internal"

    def __init__(self, message: str, *, file: str | None = None, object: str | None = None, offset: int | None = None,
                 options: list[str] | None = None):
        super().__init__(message)
        self.message = message
        self.file, self.object, self.offset, self.options = file, object, offset, options or []

    def __str__(self) -> str:
        return self.message


class CorruptError(Error, ValueError):
    """The file contradicts the format or itself."""

    kind = "corrupt"


class UnsupportedError(Error, NotImplementedError):
    """The file is sound, but asks for something that is not implemented or not allowed."""

    kind = "unsupported"


class ArgumentError(Error, ValueError):
    """The call asks for something impossible."""

    kind = "argument"


class NotFoundError(Error, KeyError):
    """The file has no such object."""

    kind = "not found"


class FileError(Error, OSError):
    """The system failed to read."""

    kind = "i/o"


class FileMissingError(FileError, FileNotFoundError):
    """The file does not exist."""


class PermissionDeniedError(FileError, PermissionError):
    """The file may not be read."""


class MemoryLimitError(Error, MemoryError):
    """The memory that the call may use does not suffice."""

    kind = "memory"


class LimitError(Error, ValueError):
    """A limit on what a file may ask for was exceeded."""

    kind = "limit"


class CanceledError(Error, RuntimeError):
    """The call was canceled."""

    kind = "canceled"


class InternalError(Error, RuntimeError):
    """A bug of h5arrow."""


class ForkError(Error, RuntimeError):
    """The package was used before this process was forked."""

    kind = "fork"


_KINDS = {c.kind: c for c in (CorruptError, UnsupportedError, ArgumentError, NotFoundError, FileError, MemoryLimitError, LimitError,
                              CanceledError, InternalError, ForkError)}
_ERRNO = {2: FileMissingError, 13: PermissionDeniedError}


def from_failure(failure: dict[str, Any]) -> Error:
    """Return the exception that an error of the library describes."""
    cls = _KINDS.get(failure["kind"], InternalError)
    if failure.get("errno") and cls in (FileError, NotFoundError):
        cls = _ERRNO.get(failure["errno"], FileError)
    message = failure["message"] + ("\n" + failure["stack"] if failure.get("stack") else "")
    error = cls(message, file=failure.get("file"), object=failure.get("object"), offset=failure.get("offset"),
                options=failure.get("options"))
    if isinstance(error, OSError):
        error.errno, error.filename = failure.get("errno"), failure.get("file")
    return error
