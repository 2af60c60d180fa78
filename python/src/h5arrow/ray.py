"""HDF5 tables as Datasets of Ray Data.

>>> from h5arrow.ray import read_h5
>>> rides = read_h5("/data/rides-*.h5", table="/table")

The package has to be installed where the workers run, and the files have the same paths there.
"""
from __future__ import annotations

import dataclasses
from typing import Any, Iterable, Iterator

import pyarrow as pa
import ray
import ray.data
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from . import _cluster, _scan
from ._core import Filter
from .dataset import Dataset

__all__ = ["H5Datasource", "read_h5"]

#: Tables of fewer parts are divided further, unless split_bytes says how.
_MIN_PARTS = 2000

#: The bytes of Arrow memory that these smaller parts take at least.
_MIN_PART_BYTES = 8 << 20

#: How many tasks there are for each processor, where there are parts enough. With more of them, workers wait longer for the driver: while
#: several tasks are under way, Ray Data 2.60 looks for those that have ended each 0.1 s. With fewer, the last ones wait for each other.
_TASKS_PER_CPU = 4

_ROWS = "__bsp_stub"  # the column of nulls by which Ray knows how many rows a block without columns has


def read_h5(paths: _scan.Paths = (), table: str = "", *, columns: Iterable[str] | None = None, where: Filter | None = None,
            split_bytes: int = 0, union: str | None = None, ray_options: dict[str, Any] | None = None, **options: Any) -> ray.data.Dataset:
    """Read a table of HDF5 files, a task for each split.

    There are as many blocks as tasks, so that Ray runs maps of the Dataset in the tasks that read. With more blocks
    (``override_num_blocks``) than splits, or a Datasource that is read with Ray's default, it may copy all rows into its object store
    before the first map.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files or patterns of files whose tables have one schema, or others with ``union="by-name"``.
    table : str
        The path of the table. The default is the only table of each file.
    columns : iterable of str, optional
        The columns, in this order. Those that the Dataset selects later are found without it.
    where : str or sequence of conditions, optional
        See :meth:`h5arrow.Table.filter`. Filters of the Dataset are found without it, where they are expressions: ``filter(expr=...)``.
    split_bytes : int
        About how many bytes of Arrow memory a split takes. The default is 128 MiB, or less, down to 8 MiB, where that makes fewer than
        4 splits for each processor of the cluster.
    union : {"by-name"}, optional
        See :func:`h5arrow.concat`.
    ray_options : dict, optional
        Options of :func:`ray.data.read_datasource`, such as ``concurrency`` and ``override_num_blocks``.
    **options
        Those of :func:`h5arrow.open`, and ``filename``, ``file_attributes`` and ``manifest`` of :func:`h5arrow.open_files`. A task decodes with
        one thread unless ``workers`` says otherwise.

    Returns
    -------
    ray.data.Dataset
    """
    source = H5Datasource(paths, table, columns=columns, where=where, split_bytes=split_bytes, union=union, **options)
    given = dict(ray_options or {})
    if given.keys().isdisjoint(("override_num_blocks", "parallelism")):
        if not ray.is_initialized():
            ray.init()  # as read_datasource does
        given["override_num_blocks"] = source.tasks(int(ray.cluster_resources().get("CPU", 1)))
    return ray.data.read_datasource(source, **given)


class H5Datasource(Datasource):
    """What :func:`read_h5` reads, with its parameters. Files are opened here once, to divide them, and again by each task."""

    def __init__(self, paths: _scan.Paths = (), table: str = "", *, columns: Iterable[str] | None = None, where: Filter | None = None,
                 split_bytes: int = 0, union: str | None = None, **options: Any):
        super().__init__()
        self._projection_map = None
        self._scan, files = _cluster.plan(paths, table, columns, where, union, options)
        self._schema = self._scan.schema(files)
        self._parts = self._scan.parts(files, self._schema, split_bytes)
        self._splits = len(self._parts)
        if not split_bytes and self._splits < _MIN_PARTS:
            each = max(_MIN_PART_BYTES, sum(p.bytes for p in self._parts) // _MIN_PARTS)
            if any(p.bytes > each for p in self._parts):
                self._parts = self._scan.parts(files, self._schema, each)

    def get_name(self) -> str:
        """Return the name of the tasks."""
        return "H5Arrow"

    def supports_projection_pushdown(self) -> bool:
        """Columns that are not used are not read."""
        return True

    def supports_predicate_pushdown(self) -> bool:
        """Filters are applied while files are read, except to files of several schemas and after ``where``."""
        return self._scan.union is None and self._scan.where is None

    def tasks(self, cpus: int) -> int:
        """Return how many tasks are to read in a cluster of so many processors: one for each split, or more."""
        return max(1, min(len(self._parts), max(self._splits, _TASKS_PER_CPU * cpus)))

    def estimate_inmemory_data_size(self) -> int:
        """Return about how many bytes all rows take."""
        return int(sum(p.bytes for p in self._parts) * self._share())

    def _share(self) -> float:
        """Return which part of the columns is read."""
        return len(self._columns()) / max(1, len(self._schema))

    def _columns(self) -> list[str]:
        chosen = self._get_data_columns()
        return self._schema.names if chosen is None else chosen

    def get_read_tasks(self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None) -> list[ReadTask]:
        """Return tasks that read runs of splits, at most as many as asked for."""
        schema = pa.schema([self._schema.field(c) for c in self._columns()] or [pa.field(_ROWS, pa.null())], self._schema.metadata)
        predicate = self.get_current_predicate()
        exact = predicate is None and self._scan.where is None
        tasks = []
        for run in _runs(self._parts, parallelism):
            metadata = BlockMetadata(num_rows=sum(p.stop - p.start for p in run) if exact else None,
                                     size_bytes=int(sum(p.bytes for p in run) * self._share()) if exact else None,
                                     input_files=tuple(dict.fromkeys(p.file for p in run)), exec_stats=None)
            tasks.append(ReadTask(_Read(self._scan, run, schema, predicate), metadata, schema=schema, per_task_row_limit=per_task_row_limit))
        return tasks


@dataclasses.dataclass(frozen=True)
class _Read:
    """Reads splits: what a task does. It opens its own files."""

    scan: _cluster.Scan
    parts: list[_cluster.Part]
    schema: pa.Schema
    predicate: Any

    def __call__(self) -> Iterator[pa.Table]:
        empty = True
        for part in self.parts:
            for batch in self._batches(part):
                if batch.num_rows:
                    empty = False
                    yield pa.Table.from_batches([batch])
        if empty:
            yield self.schema.empty_table()

    def _batches(self, part: _cluster.Part) -> Iterator[pa.RecordBatch]:
        if self.predicate is None:
            yield from self.scan.batches(part, self.schema)
            return
        expression = self.predicate.to_pyarrow()
        with self.scan.rows(part) as table:
            for batch in Dataset(table).scanner(columns=[n for n in self.schema.names if n != _ROWS], filter=expression).to_batches():
                yield _cluster.conform(batch, self.schema)


def _runs(parts: list[_cluster.Part], n: int) -> list[list[_cluster.Part]]:
    """Divide parts into at most n runs of about as many; rows of a run that follow each other in a file are one part."""
    n = max(1, min(n, len(parts)))
    return [_joined(parts[len(parts) * k // n:len(parts) * (k + 1) // n]) for k in range(n) if parts]


def _joined(parts: list[_cluster.Part]) -> list[_cluster.Part]:
    joined = parts[:1]
    for p in parts[1:]:
        last = joined[-1]
        if (p.file, p.start) == (last.file, last.stop):
            joined[-1] = dataclasses.replace(last, stop=p.stop, bytes=last.bytes + p.bytes)
        else:
            joined.append(p)
    return joined
