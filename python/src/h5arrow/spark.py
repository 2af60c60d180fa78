"""HDF5 tables as DataFrames of Spark: a Python data source.

>>> import h5arrow.spark
>>> h5arrow.spark.register(spark)
>>> rides = spark.read.format("h5arrow").option("table", "/table").load("/data/rides-*.h5")

The package has to be installed where the executors run, and the files have the same paths there.
"""
from __future__ import annotations

import dataclasses
import json
from typing import Any, Iterator

import pyarrow as pa
from pyspark.sql import SparkSession, types as st
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import to_arrow_schema

from . import _cluster
from ._errors import ArgumentError, UnsupportedError

__all__ = ["H5DataSource", "register"]

_BOOLS = {"nan_as_null", "tensor", "null_rows", "flatten", "copy"}
_INTEGERS = {"workers", "max_memory", "batch_rows", "batch_bytes"}
_TEXTS = {"strings", "enum", "convention", "align", "io", "index", "filename", "manifest"}
_OWN = {"path", "paths", "table", "columns", "where", "union", "split_bytes", "header"}
_LISTS = {"sorted", "file_attributes"}

_TYPES = {
    pa.bool_(): st.BooleanType(), pa.int8(): st.ByteType(), pa.int16(): st.ShortType(), pa.int32(): st.IntegerType(), pa.int64(): st.LongType(),
    pa.uint8(): st.ShortType(), pa.uint16(): st.IntegerType(), pa.uint32(): st.LongType(), pa.uint64(): st.DecimalType(20, 0),
    pa.float16(): st.FloatType(), pa.float32(): st.FloatType(), pa.float64(): st.DoubleType(), pa.date32(): st.DateType(), pa.date64(): st.DateType(),
    pa.string(): st.StringType(), pa.large_string(): st.StringType(), pa.string_view(): st.StringType(),
    pa.binary(): st.BinaryType(), pa.large_binary(): st.BinaryType(), pa.binary_view(): st.BinaryType(), pa.null(): st.NullType(),
}


def register(spark: SparkSession) -> None:
    """Register the format h5arrow: ``spark.dataSource.register(H5DataSource)``."""
    spark.dataSource.register(H5DataSource)


class H5DataSource(DataSource):
    """The format h5arrow, for reading.

    Its options are ``table`` (a path; the default is the only table of each file), ``columns`` (names with commas between them), ``where``
    (a text as for :meth:`h5arrow.Table.filter`), ``union`` (``by-name``: see :func:`h5arrow.concat`), ``split_bytes`` (about how many bytes of
    Arrow memory a partition takes, by default 128 MiB), ``header`` (``Name: value``, for requests of URLs), ``filename`` (the name of a
    column), ``file_attributes`` (names with commas) and ``manifest`` of :func:`h5arrow.open_files`, and those of :func:`h5arrow.open`. A task
    decodes with one thread unless ``workers`` says otherwise.

    Spark passes no columns to Python data sources: all those of the schema are read. ``columns``, or a schema that is given to the reader
    (``spark.read.schema("zone string, fare float")``), chooses. Rows are chosen with ``where``, which an index of the file makes faster still:
    filters of a DataFrame are applied by Spark, to rows that were read. They are not taken by ``pushFilters``, as Spark 4.3.0 keeps the
    filters of one query for others of the same DataFrame, which then get wrong rows.

    Spark has no 16-bit floats, unsigned integers, nanoseconds and dictionaries: they become float, the next larger integer or
    decimal(20,0), microseconds (rounded down) and their values. Times without a zone are TIMESTAMP_NTZ.
    """

    @classmethod
    def name(cls) -> str:
        """Return the name of the format."""
        return "h5arrow"

    def schema(self) -> st.StructType:
        """Return the schema of the files."""
        scan, files, _ = _scan_of(self.options)
        return spark_schema(scan.schema(files))

    def reader(self, schema: st.StructType) -> DataSourceReader:
        """Return what reads columns of the files: those of the schema, by their names."""
        scan, files, split_bytes = _scan_of(self.options)
        scan = dataclasses.replace(scan, columns=schema.fieldNames())
        return Reader(scan, files, split_bytes, schema)


class Partition(InputPartition):
    """A split of a file."""

    def __init__(self, part: _cluster.Part):
        super().__init__(part)


class Reader(DataSourceReader):
    """Reads splits."""

    def __init__(self, scan: _cluster.Scan, files: list[str], split_bytes: int, schema: st.StructType):
        self._scan, self._files, self._split_bytes, self._schema = scan, files, split_bytes, schema
        self._stored = scan.schema(files)

    def partitions(self) -> list[InputPartition]:
        """Return the splits of all files."""
        return [Partition(p) for p in self._scan.parts(self._files, self._stored, self._split_bytes)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a split, batch by batch. Spark calls it where the task runs."""
        if isinstance(partition.value, _cluster.Part):  # Spark makes an empty partition where there are none
            yield from self._scan.batches(partition.value, to_arrow_schema(self._schema, timezone="UTC"))


def spark_schema(schema: pa.Schema) -> st.StructType:
    """Return the schema that Spark has for one of Arrow."""
    return st.StructType([st.StructField(f.name, spark_type(f.type, f.name)) for f in schema])


def spark_type(t: pa.DataType, column: str) -> st.DataType:
    """Return the type that Spark has for one of Arrow.

    Raises
    ------
    UnsupportedError
        There is none.
    """
    if isinstance(t, pa.BaseExtensionType):
        return spark_type(t.storage_type, column)
    if pa.types.is_dictionary(t):
        return spark_type(t.value_type, column)
    if pa.types.is_timestamp(t):
        return st.TimestampNTZType() if t.tz is None else st.TimestampType()
    if pa.types.is_duration(t):
        return st.DayTimeIntervalType()
    if pa.types.is_fixed_size_binary(t):
        return st.BinaryType()
    if pa.types.is_decimal(t) and t.precision <= 38 and 0 <= t.scale <= t.precision:
        return st.DecimalType(t.precision, t.scale)
    if pa.types.is_struct(t):
        return st.StructType([st.StructField(f.name, spark_type(f.type, column)) for f in t])
    if pa.types.is_map(t):
        return st.MapType(spark_type(t.key_type, column), spark_type(t.item_type, column))
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t):
        return st.ArrayType(spark_type(t.value_type, column))
    if t not in _TYPES:
        raise UnsupportedError("column %s: Spark has no type for %s; name the other columns in the option columns" % (column, t))
    return _TYPES[t]


def _scan_of(options: Any) -> tuple[_cluster.Scan, list[str], int]:
    """Return what the options ask for, the files, and split_bytes."""
    reading: dict[str, Any] = {}
    for name, text in options.items():
        if name in _BOOLS:
            reading[name] = _bool(name, text)
        elif name in _INTEGERS:
            reading[name] = _integer(name, text)
        elif name in _TEXTS:
            reading[name] = text
        elif name == "allow_external":
            reading[name] = text.split(",")
        elif name in _LISTS:
            reading[name] = [c.strip() for c in text.split(",")]
        elif name not in _OWN:
            raise ArgumentError("format h5arrow has no option %s; there are %s" % (
                name, ", ".join(sorted(_OWN - {"paths"} | _BOOLS | _INTEGERS | _TEXTS | _LISTS | {"allow_external"}))))
    if "header" in options:
        name, colon, value = options["header"].partition(":")
        if not colon:
            raise ArgumentError("option header: not a name, a colon and a value")
        reading["headers"] = {name.strip(): value.strip()}
    columns = options.get("columns")
    paths = json.loads(options["paths"]) if "paths" in options else options.get("path") or ()
    if not paths and "manifest" not in options:
        raise ArgumentError("format h5arrow needs files: load(path), or the option manifest")
    scan, files = _cluster.plan(paths, options.get("table", ""), columns and [c.strip() for c in columns.split(",")], options.get("where"),
                                options.get("union"), reading)
    return scan, files, _integer("split_bytes", options.get("split_bytes", "0"))


def _bool(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ArgumentError("option %s: %r is not true or false" % (name, text))
    return text.lower() == "true"


def _integer(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentError("option %s: %r is not a number" % (name, text))
    return int(text)
