"""numpy_bins.py ARROW: for each line of stdin, columns of the table in ARROW apart by commas, a tab, and what `plot --json` printed of
them: whether numpy counts the same in those bins. It prints a line for each difference, and at the end how many it compared."""
import json
import sys

import numpy as np
import pyarrow as pa

table = pa.ipc.open_file(sys.argv[1]).read_all()


def values(name):
    c = table[name].combine_chunks()
    c = c.cast(pa.int64()) if pa.types.is_temporal(c.type) else c.cast(pa.int8()) if pa.types.is_boolean(c.type) else c
    return np.asarray(c.to_pandas(), "f8")


n = 0
for line in sys.stdin:
    names, printed = line.split("\t")
    got = json.loads(printed)
    v = [values(name) for name in names.split(",")]
    keep = np.all(np.isfinite(v), axis=0)
    edges = [np.array(got[k]) for k in "xy" if k in got]
    # numpy counts in its own edges for a number of bins: the last digit decides at a border otherwise
    if len(v) == 1:
        want, ours = np.histogram(v[0][keep], edges[0])
        want = want.tolist()
    else:
        want = np.histogram2d(v[1][keep], v[0][keep], [edges[1], edges[0]])[0].astype(int).tolist()
    flat = np.ravel(want), np.ravel(got["counts"])
    if np.abs(flat[0] - flat[1]).sum() > 1e-3 * keep.sum() or np.sum(flat[1]) != keep.sum() or got["left_out"] != len(keep) - keep.sum():
        print(names, "numpy has", want, "not", got["counts"])
    n += 1
print(n, "drawings")
