"""How far a call has come, in terminals and notebooks."""
from __future__ import annotations

import sys
import time
from typing import Any, Callable, Union

#: True and False show or hide it; a function gets the rows done and those of all, None where that is not known.
Progress = Union[bool, Callable[[int, Union[int, None]], None], None]


def _line(rows: int, total: int | None, took: float) -> str:
    rate = "%s rows/s" % format(int(rows / took), ",") if took > 0 else ""
    if not total:
        return "%s rows  %s" % (format(rows, ","), rate)
    part = min(1.0, rows / total)
    return "[%-30s] %3d %%  %s of %s rows  %s" % ("#" * int(30 * part), int(100 * part), format(rows, ","), format(total, ","), rate)


class _Terminal:
    """A line of stderr that is written again."""

    def show(self, line: str) -> None:
        sys.stderr.write("\r%s\x1b[K" % line)
        sys.stderr.flush()

    def clear(self) -> None:
        self.show("")


class _Notebook:
    """An output of a notebook's cell that is replaced."""

    def __init__(self) -> None:
        from IPython.display import display
        self._handle: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, line: str) -> None:
        self._handle.update({"text/plain": line}, raw=True)

    def clear(self) -> None:
        self.show("")


def _notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and getattr(shell, "kernel", None) is not None


class Bar:
    """Shows progress, or nothing. Use it in a with statement.

    Parameters
    ----------
    progress : bool, function or None
        None shows a bar where stderr is a terminal, and in notebooks.
    total : int or None
        The number of all rows.
    """

    def __init__(self, progress: Progress, total: int | None):
        self._total, self._start, self._visible = total, time.monotonic(), False
        self._call = progress if callable(progress) else None
        self._place: _Terminal | _Notebook | None = None
        if self._call is None and progress is not False:
            if _notebook():
                self._place = _Notebook()
            elif progress or sys.stderr is not None and sys.stderr.isatty():
                self._place = _Terminal()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._place is not None and self._visible:
            self._place.clear()

    @property
    def shown(self) -> bool:
        """Whether anybody sees the progress."""
        return self._call is not None or self._place is not None

    def show(self, rows: int, total: int | None = None) -> None:
        """Say how many rows are done and, if that is known only now, of how many."""
        if total is not None:
            self._total = total
        if self._call is not None:
            self._call(rows, self._total)
        elif self._place is not None:
            self._visible = True
            self._place.show(_line(rows, self._total, time.monotonic() - self._start))
