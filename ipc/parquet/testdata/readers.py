"""readers.py ARROW PARQUET...: whether pyarrow, DuckDB, Polars and DataFusion read the same numbers from Parquet files as the
Arrow file has, and find the same rows by a condition, for which they use statistics, page indexes and Bloom filters. Prints a
line for each difference, and at the end how many columns of each file were compared."""
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

import datafusion
import duckdb
import polars as pl


class Engines:
    def __init__(self, path):
        self.path = path
        config = datafusion.SessionConfig().with_target_partitions(1)  # rows in their order
        self.context = datafusion.SessionContext(config.set("datafusion.execution.parquet.pushdown_filters", "true"))  # by page indexes
        self.context.register_parquet("t", path)
        self.duck = duckdb.connect()
        self.duck.execute("create view t as from read_parquet('%s')" % path)

    def tables(self):
        yield "pyarrow", pq.read_table(self.path)
        yield "DuckDB", self.duck.sql("from t").to_arrow_table()
        yield "Polars", pl.read_parquet(self.path).to_arrow()
        yield "DataFusion", self.context.sql("select * from t").to_arrow_table()

    def found(self, name, value, t):
        """How many rows have a value."""
        yield "DuckDB", self.duck.execute('select count(*) from t where "%s" = ?' % name, [value]).fetchone()[0]
        yield "Polars", pl.scan_parquet(self.path).filter(pl.col(name) == value).select(pl.len()).collect().item()
        if not pa.types.is_float32(t):  # its literals are doubles
            yield "DataFusion", self.context.sql('select count(*) n from t where "%s" = %r' % (name, value)).to_pydict()["n"][0]
        yield "pyarrow", pq.read_table(self.path, columns=[name], filters=pc.field(name) == pa.scalar(value, t)).num_rows


def bits(column, to):
    """The values of a column as integers, 0 for nulls, and which are null."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    column = column.cast(to, safe=False) if column.type != to else column
    null = column.is_null().to_numpy(zero_copy_only=False)
    width = to.bit_width // 8
    raw = np.frombuffer(column.buffers()[1], "u%d" % width)[column.offset:column.offset + len(column)].copy()
    raw[null] = 0
    return raw, null


def differences(want, got):
    for f in want.schema:
        to = f.type
        column = got.column(f.name)
        if pa.types.is_timestamp(to) and pa.types.is_timestamp(column.type) and column.type.unit != to.unit:
            to = pa.timestamp("us")  # as DuckDB counts
        a, b = bits(want.column(f.name), to), bits(column, to)
        if not (np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])):
            yield "%s: other values" % f.name


def misses(want, engines):
    for f in list(want.schema)[::5]:
        column = want.column(f.name)
        if not (pa.types.is_integer(f.type) or pa.types.is_floating(f.type)) or column.null_count == len(column):
            continue
        value = column.drop_null()[(len(column) - column.null_count) * 2 // 3].as_py()
        n = pc.sum(pc.equal(column, pa.scalar(value, f.type))).as_py()
        for who, k in engines.found(f.name, value, f.type):
            if k != n:
                yield "%s: %d rows where %s is %r, of %d" % (who, k, f.name, value, n)


def main():
    want = pa.ipc.open_file(sys.argv[1]).read_all()
    for path in sys.argv[2:]:
        engines = Engines(path)
        for who, got in engines.tables():
            if got.num_rows != want.num_rows or got.column_names != want.column_names:
                print("%s, %s: %s of %d rows" % (path, who, got.column_names, got.num_rows))
                continue
            for d in differences(want, got):
                print("%s, %s: %s" % (path, who, d))
        for m in misses(want, engines):
            print("%s, %s" % (path, m))
        print("%d columns" % want.num_columns)


main()
