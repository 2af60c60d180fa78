"""pandas_figures.py OUT.arrows: columns of many types, with nulls and NaN, as an Arrow stream in three batches; on stdout, as JSON, what
pandas, numpy and pyarrow say about each: [rows, nulls, nan, distinct, min, max, mean, quartiles], texts as they are, times as
integers, null for what there is not."""
import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

n = 3001
r = np.random.default_rng(7)
gaps = r.random(n) < 0.2
floats = np.where(r.random(n) < 0.1, np.nan, r.normal(size=n) * 1000)
words = np.array(["", "a", "Zoe", "zoé", "漢字", "b" * 40])
columns = {
    "i8": pa.array(r.integers(-128, 128, n, "i1"), mask=gaps),
    "i64": pa.array(r.integers(-(1 << 62), 1 << 62, n), mask=gaps),
    "u64": pa.array(r.integers(0, 1 << 64, n, "u8", endpoint=False)),
    "f32": pa.array(floats.astype("f4"), mask=gaps),
    "f64": pa.array(floats, mask=~gaps),
    "bool": pa.array(r.random(n) < 0.3, mask=gaps),
    "text": pa.array(words[r.integers(0, len(words), n)], mask=gaps),
    "bytes": pa.array([b"\xff" * int(k) for k in r.integers(0, 3, n)], pa.binary()),
    "ns": pa.array(r.integers(0, 1 << 60, n), pa.timestamp("ns")),
    "day": pa.array(r.integers(-9000, 9000, n, "i4"), pa.int32()).cast(pa.date32()),
    "label": pa.array(words[r.integers(1, 4, n)], mask=gaps).dictionary_encode(),
    "empty": pa.nulls(n, pa.float64()),
}
table = pa.table(columns)
with pa.ipc.new_stream(sys.argv[1], table.schema) as out:
    out.write_table(table, max_chunksize=1100)


def figures(c):
    t = c.type.value_type if pa.types.is_dictionary(c.type) else c.type
    c = c.cast(t)
    number = pa.types.is_integer(t) or pa.types.is_floating(t)
    nan = pc.sum(pc.is_nan(c)).as_py() or 0 if pa.types.is_floating(t) else 0
    v = c.drop_null()
    if nan:
        v = v.filter(pc.invert(pc.is_nan(v)))
    low = high = mean = quartiles = None
    if len(v) and pa.types.is_temporal(t):
        v = v.cast(pa.int32() if pa.types.is_date32(t) else pa.int64())
    if len(v) and not pa.types.is_binary(t):
        low, high = pc.min(v).as_py(), pc.max(v).as_py()
    elif len(v):
        low, high = (f(v.to_pylist()).hex() for f in (min, max))
    if len(v) and (number or pa.types.is_boolean(t)):
        mean = float(pd.Series(v.to_pylist(), dtype="object" if t == pa.uint64() else None).mean())
    if len(v) and (number or pa.types.is_temporal(t)):
        quartiles = [x.item() for x in np.quantile(v.to_numpy(), [0.25, 0.5, 0.75], method="inverted_cdf")]
    return [len(c), c.null_count, nan, pc.count_distinct(v).as_py(), low, high, mean, quartiles]


print(json.dumps({name: figures(table[name].combine_chunks()) for name in columns}))
