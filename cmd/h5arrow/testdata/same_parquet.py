"""same_parquet.py COMPARE.PY LIST: for each line of LIST, "ARROW PARQUET" apart by a tab, whether pyarrow and DuckDB read
the same values from both. COMPARE.PY is testdata/interop/compare.py, whose rules of equality are used. A line is printed
for each difference, and at the end how many files were compared."""
import importlib.util
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

spec = importlib.util.spec_from_file_location("compare", sys.argv[1])
compare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compare)


def rule(t, f):
    """A type with its children, and then itself, replaced by f."""
    if pt.is_dictionary(t):
        return f(pa.dictionary(t.index_type, rule(t.value_type, f), t.ordered))
    if pt.is_struct(t):
        return f(pa.struct([pa.field(x.name, rule(x.type, f)) for x in t]))
    if pt.is_fixed_size_list(t):
        return f(pa.list_(rule(t.value_type, f), t.list_size))
    if pt.is_list(t) or pt.is_large_list(t):
        return f(pa.large_list(rule(t.value_type, f)))
    if isinstance(t, pa.BaseExtensionType):
        return f(rule(t.storage_type, f))
    return f(t)


def documented(t):
    """What h5arrow says it makes of a type in Parquet; the stored Arrow schema gives all else back."""
    if pt.is_timestamp(t) and t.unit == "s":
        return pa.timestamp("ms", t.tz)
    if pt.is_dictionary(t) or pt.is_large_string(t) or pt.is_string(t):
        return pa.large_string() if not pt.is_dictionary(t) else t.value_type
    if pt.is_large_binary(t) or pt.is_binary(t):
        return pa.large_binary()
    if pt.is_decimal(t):
        return pa.large_string()
    return t


def foreign(t):
    """What a reader sees that does not know Arrow's schema."""
    t = documented(t)
    if pt.is_fixed_size_list(t):
        return pa.large_list(t.value_type)
    if pt.is_duration(t):
        return pa.int64()
    if pt.is_float16(t):
        return pa.float32()
    if pt.is_fixed_size_binary(t):
        return pa.large_binary()
    if pt.is_timestamp(t) and (t.unit != "ns" or t.tz):
        return pa.timestamp("us", "UTC" if t.tz else None)
    return t


def cast(arr, to):
    """arr as type to, where that is only another way to keep the same values."""
    if isinstance(arr.type, pa.BaseExtensionType):
        arr = arr.storage
    t = arr.type
    if t == to:
        return arr
    if pt.is_dictionary(t):
        return cast(arr.dictionary_decode(), to)
    mask = pa.compute.is_null(arr)
    if pt.is_struct(t):
        children = [cast(arr.field(i), to.field(i).type) for i in range(t.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(to), mask=mask)
    if pt.is_fixed_size_list(t) and pt.is_fixed_size_list(to):
        return pa.FixedSizeListArray.from_arrays(cast(arr.values[arr.offset * t.list_size:(arr.offset + len(arr)) * t.list_size], to.value_type), type=to, mask=mask)
    if pt.is_fixed_size_list(t):
        arr = arr.cast(pa.large_list(t.value_type))
        return cast(arr, to)
    if pt.is_list(t) or pt.is_large_list(t):
        return pa.LargeListArray.from_arrays(arr.offsets.cast(pa.int64()), cast(arr.values, to.value_type), type=to, mask=mask if arr.offset == 0 and arr.null_count else None)
    if pt.is_duration(t):
        return arr.view(pa.int64())
    return arr.cast(to, safe=False)


def differences(expected, actual, types, who):
    out = []
    if expected.num_columns != actual.num_columns or expected.num_rows != actual.num_rows:
        return ["%s: %d columns of %d rows, expected %d of %d" % (who, actual.num_columns, actual.num_rows, expected.num_columns, expected.num_rows)]
    for i, f in enumerate(expected.schema):
        to = rule(f.type, types)
        if types is documented:
            got = rule(actual.schema.field(i).type, types)
            if got != to:
                out.append("%s: column %s is %s, expected %s" % (who, f.name, got, to))
                continue
        e, a = (cast(compare.one(t.column(i), t.schema.field(i).type), to) for t in (expected, actual))
        found = []
        compare.diff("column " + f.name, e, a, compare.np.arange(len(e)), found)
        out += ["%s: %s" % (who, x) for x in found[:3]]
    return out


def beyond(table):
    """Whether there are times that DuckDB, which counts microseconds, can't hold."""
    for f, c in zip(table.schema, table.columns):
        if pt.is_timestamp(f.type) and f.type.unit in ("s", "ms") and len(c) > c.null_count:
            limits = pa.compute.min_max(c.cast(pa.int64())).as_py()
            if max(-limits["min"], limits["max"]) > 2**63 // {"s": 10**6, "ms": 10**3}[f.type.unit]:
                return True
    return False


def wrong_statistics(path):
    """What the row groups say of their columns, against the values."""
    out = []
    f = pq.ParquetFile(path)
    for g in range(f.num_row_groups):
        rows = f.read_row_group(g)
        if len({c.path_in_schema for c in map(f.metadata.row_group(g).column, range(f.metadata.num_columns))}) != rows.num_columns:
            return out  # nested, or names that are there twice
        for i, c in enumerate(rows.columns):
            said = f.metadata.row_group(g).column(i).statistics
            t = c.type
            if pt.is_nested(t) or pt.is_dictionary(t):
                continue
            if said is None or said.null_count != c.null_count:
                out.append("row group %d, column %d: %s, there are %d nulls" % (g, i, said, c.null_count))
            elif said.has_min_max and (pt.is_integer(t) or pt.is_floating(t) and not pt.is_float16(t) or pt.is_string(t)):
                real = pa.compute.min_max(c).as_py()
                if (said.min, said.max) != (real["min"], real["max"]):
                    out.append("row group %d, column %d: %s to %s, is %s" % (g, i, said.min, said.max, real))
    return out


def main():
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    n = 0
    for line in open(sys.argv[2]):
        arrow, parquet = line.rstrip("\n").split("\t")
        schema, batches = compare.load(arrow)
        expected = pa.Table.from_batches(batches, schema)
        out = []
        actual = pq.read_table(parquet)
        meta = {k: v for k, v in (actual.schema.metadata or {}).items()}
        if meta != (schema.metadata or {}):
            out.append("pyarrow: metadata %s, expected %s" % (meta, schema.metadata))
        for x, y in zip(schema, actual.schema):
            if (x.name, x.metadata) != (y.name, y.metadata) or x.nullable != y.nullable:
                out.append("pyarrow: field %s %s, expected %s %s" % (y, y.metadata, x, x.metadata))
        try:
            out += differences(expected, actual, documented, "pyarrow")
            out += wrong_statistics(parquet)
            if not beyond(expected):
                out += differences(expected, con.read_parquet(parquet).to_arrow_table(), foreign, "DuckDB")
        except Exception as e:
            out.append("%s: %s" % (type(e).__name__, str(e).split("\n")[0]))
        for x in out:
            print("%s: %s" % (parquet, x))
        n += 1
    print("%d files" % n)


main()
