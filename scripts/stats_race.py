#!/usr/bin/env python3
"""Compares `h5arrow stats` with the same figures by DuckDB, of the same table in DuckDB's own file:

    stats_race.py DIR --h5arrow bin/h5arrow [--rounds 5]

DIR has contiguous.h5 (bench.sh makes it) and gets contiguous.duckdb, a third as large. DuckDB has three statements: a select of counts, bounds,
means and approximate distinct counts, which lacks quartiles and histograms; one that adds quartiles from samples, as h5arrow's are; and
SUMMARIZE, whose quartiles are estimated from all values. Both programs run in turn with
two threads. The time of DuckDB is that of the statement alone, without Python's start; that of h5arrow is of the whole process.
Prints for each statement the ratios of the least and of the median times, of the least processor times, and the peak of h5arrow's
anonymous memory."""
import argparse
import os
import statistics
import subprocess
import sys

import measure

PEER = """
import resource, sys, time, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
con.execute("set threads=2; set enable_progress_bar=false")
start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
con.execute(sys.argv[2]).fetchall()
after = resource.getrusage(resource.RUSAGE_SELF)
print(time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


def load(source, target):
    """Makes DuckDB's file of the table, and returns the names of its columns."""
    import duckdb
    import h5py
    import pyarrow as pa
    columns = {}
    with h5py.File(source) as f:
        for name, group in f["table/columns"].items():
            v = group["data"][:]
            if "dtype" in group["data"].attrs:
                v = v.view(group["data"].attrs["dtype"])
            columns[name] = pa.array(v, mask=group["mask"][:].astype(bool)) if "mask" in group else pa.array(v)
    if not os.path.exists(target):
        table = pa.table(columns)
        with duckdb.connect(target) as con:
            con.register("rows", table)
            con.execute("create table t as select * from rows")
    return list(columns)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--rounds", type=int, default=5)
    args = p.parse_args()
    source, target = os.path.join(args.dir, "contiguous.h5"), os.path.join(args.dir, "contiguous.duckdb")
    names = load(source, target)
    figures = ", ".join('count("{0}"), min("{0}"), max("{0}"), avg("{0}"), approx_count_distinct("{0}")'.format(n) for n in names if n != "pickup")
    times = "count(*), count(pickup), min(pickup), max(pickup), avg(epoch_ns(pickup)), approx_count_distinct(pickup)"
    quartiles = ", ".join("reservoir_quantile(%s, [0.25, 0.5, 0.75], 65536)" % (
        "epoch_ns(pickup)" if n == "pickup" else '"%s"' % n) for n in names)
    peers = {
        "select": "select %s, %s from t" % (times, figures),
        "quartiles": "select %s, %s, %s from t" % (times, figures, quartiles),
        "summarize": "summarize t",
    }
    mine, theirs = [], {name: [] for name in peers}
    for _ in range(args.rounds):
        mine.append(measure.process([args.h5arrow, "stats", source, "--workers", "2"]))
        for name, sql in peers.items():
            out = subprocess.run([sys.executable, "-c", PEER, target, sql], check=True, capture_output=True, text=True).stdout
            theirs[name].append([float(x) for x in out.split()])
    for name, runs in theirs.items():
        best, median, cpu = [f(r[i] for r in mine) / f(r[i] for r in runs) for f, i in ((min, 0), (statistics.median, 0), (min, 1))]
        print("%-10s time %.2f least, %.2f median; processor time %.2f; %.0f MiB anonymous" % (name, best, median, cpu, max(r[2] for r in mine) / 2**20))


if __name__ == "__main__":
    main()
