"""race.py [ROWS]: how long Spark and Ray take for a file of 2 GB decoded, with one worker and with two, in alternating rounds.

Each worker has one processor and decodes with one thread. Run it on a machine that does nothing else.
"""
import os
import subprocess
import sys
import tempfile
import time

import conftest  # noqa: F401, sets the environment of workers

ROUNDS = 3
COLUMNS = 5


def make(path, rows):
    """Write columns of doubles in compressed chunks."""
    import h5py
    import numpy as np
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as f:
        for k in range(COLUMNS):
            d = f.create_dataset("t/x%d" % k, (rows,), "f8", chunks=(131072,), compression="gzip", compression_opts=1, shuffle=True)
            for start in range(0, rows, 1 << 20):
                n = min(1 << 20, rows - start)
                d[start:start + n] = np.round(rng.normal(size=n), 3)


def of_spark(path, workers):
    """Return the seconds that a sum over all columns takes, and the sum."""
    import h5arrow.spark
    from pyspark.sql import SparkSession, functions as F
    spark = (SparkSession.builder.master("local-cluster[%d,1,1024]" % workers).config("spark.ui.enabled", "false")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.memory", "1g").getOrCreate())
    h5arrow.spark.register(spark)
    spark.range(0, 100, 1, workers).mapInArrow(lambda batches: batches, "id long").count()  # starts the workers
    start = time.perf_counter()
    table = spark.read.format("h5arrow").load(path)
    total = table.agg(*[F.sum("x%d" % k) for k in range(COLUMNS)]).collect()[0]
    seconds = time.perf_counter() - start
    spark.stop()
    return seconds, sum(total)


def of_ray(path, workers):
    """Return the seconds that a sum over all columns takes, and the sum."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import ray
    from h5arrow.ray import read_h5
    ray.init(address="local", num_cpus=workers, include_dashboard=False, logging_level="error", log_to_driver=False,
             object_store_memory=1 << 30)
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.range(100, override_num_blocks=workers).map_batches(lambda b: b, batch_format="pyarrow").count()
    start = time.perf_counter()
    sums = read_h5(path).map_batches(lambda t: pa.table({"sum": [sum(pc.sum(c).as_py() for c in t.columns)]}), batch_format="pyarrow", batch_size=None)
    total = sum(r["sum"] for r in sums.take_all())
    seconds = time.perf_counter() - start
    ray.shutdown()
    return seconds, total


def main():
    if sys.argv[1:2] == ["one"]:
        seconds, total = {"spark": of_spark, "ray": of_ray}[sys.argv[2]](sys.argv[3], int(sys.argv[4]))
        print("RESULT %.2f %.3f" % (seconds, total))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else (2 << 30) // (8 * COLUMNS) + 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "race.h5")
        make(path, rows)
        for engine in ("spark", "ray"):
            taken, totals = {1: [], 2: []}, set()
            for _ in range(ROUNDS):
                for workers in (1, 2):
                    done = subprocess.run([sys.executable, __file__, "one", engine, path, str(workers)], stdout=subprocess.PIPE, text=True, check=True)
                    _, seconds, total = next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()
                    taken[workers].append(float(seconds))
                    totals.add(round(float(total)))
            assert len(totals) == 1, totals
            one, two = (sorted(taken[w])[ROUNDS // 2] for w in (1, 2))
            print("%s: %.1f s with one worker, %.1f s with two: %.2f times as fast (medians of %d rounds, %d bytes decoded)" % (
                engine, one, two, one / two, ROUNDS, rows * 8 * COLUMNS), flush=True)


if __name__ == "__main__":
    main()
