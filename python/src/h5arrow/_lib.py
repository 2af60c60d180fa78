"""The C library: loaded at the first use, so that a process may be forked after it imported the package."""
from __future__ import annotations

import atexit
import ctypes
import datetime
import json
import math
import os
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

from ._errors import Error, from_failure

ABI = 2
NAME = {"win32": "h5arrow.dll", "darwin": "libh5arrow.dylib"}.get(sys.platform, "libh5arrow.so")

_FUNCTIONS = {
    "open": [c_char_p, c_char_p, POINTER(c_uint64)],
    "tables": [c_uint64, POINTER(c_void_p)],
    "datasets": [c_uint64, POINTER(c_void_p)],
    "check": [c_uint64, c_char_p, POINTER(c_void_p)],
    "table": [c_uint64, c_char_p, POINTER(c_uint64)],
    "concat": [POINTER(c_uint64), c_size_t, c_char_p, POINTER(c_uint64)],
    "files": [c_char_p, POINTER(c_uint64)],
    "manifest": [c_uint64, c_char_p, c_char_p, POINTER(c_void_p)],
    "narrow": [c_uint64, c_char_p, POINTER(c_uint64)],
    "describe": [c_uint64, POINTER(c_void_p)],
    "count": [c_uint64, POINTER(c_int64)],
    "splits": [c_uint64, c_char_p, POINTER(c_void_p)],
    "schema": [c_uint64, c_void_p],
    "stream": [c_uint64, c_char_p, c_void_p],
    "reader": [c_uint64, c_char_p, POINTER(c_uint64)],
    "next": [c_uint64, POINTER(c_uint64)],
    "batch": [c_uint64, c_void_p, c_void_p],
    "write": [c_void_p, c_char_p, c_char_p, POINTER(c_uint64)],
    "wait": [c_uint64, c_int64, POINTER(c_int64), POINTER(c_void_p)],
    "cancel": [c_uint64],
    "close": [c_uint64],
    "stats": [POINTER(c_void_p)],
}

# Bytes of the structs of the C interfaces, whose members are all 8 bytes or pointers.
SIZES = {"schema": 2 * 8 + 7 * ctypes.sizeof(c_void_p), "array": 5 * 8 + 5 * ctypes.sizeof(c_void_p), "stream": 5 * ctypes.sizeof(c_void_p)}


# The functions of Python that the library calls, in the order of struct h5arrow_python.
_CALLED = ("PyCapsule_GetPointer", "PyGILState_Ensure", "PyGILState_Release", "PyErr_CheckSignals", "PyErr_Fetch", "PyErr_Restore",
           "Py_AddPendingCall", "PyThreadState_SetAsyncExc", "PyEval_GetFrame", "PyFrame_GetBack", "PyFrame_GetCode",
           "PyObject_GetAttrString", "PyUnicode_CompareWithASCIIString", "Py_IncRef", "Py_DecRef")


class _Python(ctypes.Structure):
    _fields_ = [("thread", c_uint64)] + [(name, c_void_p) for name in _CALLED]


_loading = threading.Lock()
_library: ctypes.CDLL | None = None
_new_capsule: Any = None
_names: dict[str, int] = {}  # of capsules: their addresses in memory that is never freed, as capsules may outlive this module


def path() -> str:
    """Return the path of the library: that of H5ARROW_LIBRARY, or the one in the package."""
    return os.environ.get("H5ARROW_LIBRARY") or os.path.join(os.path.dirname(os.path.abspath(__file__)), NAME)


def _load() -> ctypes.CDLL:
    global _library, _new_capsule
    with _loading:
        if _library is not None:
            return _library
        try:
            lib = ctypes.CDLL(path())
        except OSError as e:
            raise ImportError("h5arrow: the C library can't be loaded: %s" % e) from None
        abi = lib.h5arrow_abi()
        if abi != ABI:
            raise ImportError("h5arrow: %s has interface %d, not %d" % (path(), abi, ABI))
        for name, argtypes in _FUNCTIONS.items():
            function = getattr(lib, "h5arrow_" + name)
            function.argtypes, function.restype = argtypes, c_void_p
        lib.h5arrow_version.restype = c_char_p
        lib.h5arrow_free.argtypes, lib.h5arrow_free.restype = [c_void_p], None
        lib.h5arrow_alloc.argtypes, lib.h5arrow_alloc.restype = [c_size_t], c_void_p
        api = ctypes.pythonapi
        lib.h5arrow_end.argtypes, lib.h5arrow_end.restype = [c_int64], None
        atexit.register(lib.h5arrow_end, 60_000)  # a thread of a job that came back to Python later would end the process by an abort
        lib.h5arrow_drop.argtypes, lib.h5arrow_drop.restype = [c_void_p], None
        lib.h5arrow_set_python(byref(_Python(threading.main_thread().ident, *(ctypes.cast(getattr(api, f), c_void_p) for f in _CALLED))))
        _new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_void_p, c_void_p)(("PyCapsule_New", api))
        for kind, name in {"schema": b"arrow_schema", "array": b"arrow_array", "stream": b"arrow_array_stream"}.items():
            _names[kind] = lib.h5arrow_alloc(len(name) + 1)
            ctypes.memmove(_names[kind], name, len(name))
        _library = lib
        return lib


def library() -> ctypes.CDLL:
    """Return the library, and load it if that was not done."""
    return _library or _load()


def version() -> str:
    """Return the version of the library."""
    return library().h5arrow_version().decode()


def _taken(p: int) -> str:
    try:
        return ctypes.string_at(p).decode("utf-8", "replace")
    finally:
        library().h5arrow_free(p)


def call(name: str, *args: Any) -> None:
    """Call a function that returns an error, and raise it."""
    error = getattr(library(), "h5arrow_" + name)(*args)
    if error:
        raise from_failure(json.loads(_taken(error)))


def answer(name: str, *args: Any) -> Any:
    """Call a function that returns JSON."""
    out = c_void_p()
    call(name, *args, byref(out))
    return json.loads(_taken(out.value))


def constant(value: Any) -> Any:
    """Return a part of a condition with text for numbers that JSON lacks."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        if type(value).__module__ == "numpy":
            value = _plain(value)
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value
    return [constant(v) for v in value]


def _plain(value: Any) -> Any:
    """Return what JSON can have for constants of conditions and options."""
    if isinstance(value, datetime.timedelta):
        return "%dns" % (1000 * (value // datetime.timedelta(microseconds=1)) + getattr(value, "nanoseconds", 0))
    if isinstance(value, datetime.datetime) or isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value).__module__ == "numpy":
        if type(value).__name__ == "timedelta64":
            return "%dns" % value.astype("timedelta64[ns]").astype(int) if value == value else "NaT"
        return str(value) if type(value).__name__ == "datetime64" else value.tolist()
    if isinstance(value, (set, frozenset, range)) or hasattr(value, "__iter__"):
        return list(value)
    raise TypeError("h5arrow: %r can't be an option or a constant" % (value,))


def options(**values: Any) -> bytes:
    """Return options as JSON; those that are None are left out."""
    return json.dumps({k: v for k, v in values.items() if v is not None}, default=_plain, allow_nan=False).encode()


class Handle:
    """A handle, closed when nobody uses it: by a destructor in C, as bytecode of a finalizer may be where Python raises the exception
    of a signal, which is lost then."""

    __slots__ = ("_capsule", "_number", "__weakref__")

    def __init__(self, name: str, *args: Any):
        lib = library()
        p = lib.h5arrow_alloc(8)
        if not p:
            raise MemoryError
        self._capsule = _new_capsule(p, None, ctypes.cast(lib.h5arrow_release_handle, c_void_p))
        self._number = c_uint64.from_address(p)
        call(name, *args, byref(self._number))

    @property
    def id(self) -> int:
        """The number of the handle, 0 after it was closed."""
        return self._number.value

    def close(self) -> None:
        """Close the handle. A second call does nothing."""
        library().h5arrow_drop(ctypes.addressof(self._number))


def capsules(function: str, handle: int, kinds: tuple[str, ...], *before: Any) -> tuple[Any, ...]:
    """Call a function that fills structs, and return them as capsules."""
    lib = library()
    structs = []
    try:
        for kind in kinds:
            structs.append(lib.h5arrow_alloc(SIZES[kind]))
            if not structs[-1]:
                raise MemoryError
        call(function, handle, *before, *structs)
    except BaseException:
        for p in structs:
            lib.h5arrow_free(p)
        raise
    return tuple(_new_capsule(p, _names[kind], ctypes.cast(getattr(lib, "h5arrow_release_" + kind), c_void_p))
                 for p, kind in zip(structs, kinds))


def wait(job: Handle, milliseconds: int) -> tuple[int, Any]:
    """Wait for a job. Return the rows that are done and, when it is done, its answer."""
    rows, out = c_int64(), c_void_p()
    call("wait", job.id, milliseconds, byref(rows), byref(out))
    return rows.value, json.loads(_taken(out.value)) if out.value else None


def give_up(job: Handle) -> None:
    """Cancel a job and wait, for some seconds, until it has stopped: it may call Python for its input."""
    try:
        call("cancel", job.id)
        for _ in range(50):
            if wait(job, 100)[1] is not None:
                return
    except Error:
        pass


def stats() -> dict[str, int]:
    """Count what the library holds, for tests that look for leaks."""
    return answer("stats")


__all__ = ["Error", "Handle", "answer", "call", "capsules", "library", "options", "path", "stats", "version"]
