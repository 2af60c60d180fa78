"""race.py [--rows N] [--rounds N] [--file PATH] [--unbound] [ENGINE...]: how long Spark and Ray take for a file of 2 GB decoded, with one
worker and with two, in alternating rounds. It prints each run when it is over, and an engine's medians after its last one.

A worker has one processor. The engines only limit the tasks of a worker to one at a time, and a task keeps more than a processor busy:
h5arrow decodes a batch while Python, or the JVM of Spark's executor, takes the one before. On a machine of two processors, one worker
would have both. So the processes of all workers are bound to as many processors as there are workers: Spark's executors with their Python
workers; Ray's raylet with its object store and Python workers. The driver is not bound: with one worker it has the other processor for
itself, with two it shares them. The processor time of workers and driver is printed, too. --unbound leaves out the binding.

Before the clock starts, the same is done with a file of a sixteenth of the rows: workers are there, modules are imported, and JVMs have
compiled their code, which each of them does for itself.

Run it on a machine that does nothing else.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import conftest  # noqa: F401, sets the environment of workers

COLUMNS = 5
WORKERS = (1, 2)
WARM = ".warm"  # ends the name of the smaller file


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


class Cluster:
    """The processes of this run: the driver's and the workers'.

    worker is part of the command lines of processes that, with all that they start, are workers.
    """

    def __init__(self, worker):
        self._worker = worker

    def _processes(self):
        """Return the processor seconds of the driver's processes and of the workers', by their numbers."""
        parents, commands, seconds = {}, {}, {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as stat, open("/proc/%s/cmdline" % pid) as command:
                    fields = stat.read().rpartition(")")[2].split()
                    commands[int(pid)] = command.read()
            except OSError:  # it ended
                continue
            parents[int(pid)] = int(fields[1])
            seconds[int(pid)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # with that of children that ended
        mine = _below({os.getpid()}, parents)
        workers = _below({p for p in mine if self._worker in commands[p]}, parents)
        return {p: seconds[p] for p in mine - workers}, {p: seconds[p] for p in workers}

    def bind(self, processors):
        """Bind all threads of the workers, and what they start from now on, to processors."""
        _, workers = self._processes()
        assert workers, "no process of %s" % self._worker
        for pid in workers:
            for task in os.listdir("/proc/%d/task" % pid):
                os.sched_setaffinity(int(task), processors)

    def measure(self, work):
        """Return what work returns, and the seconds that it takes: elapsed, of the driver, of the workers."""
        before = self._processes()
        start = time.perf_counter()
        result = work()
        elapsed = time.perf_counter() - start
        after = self._processes()
        return result, elapsed, *(sum(now[p] - was.get(p, 0) for p in now) for was, now in zip(before, after))


def _below(roots, parents):
    """Return processes and those that they started."""
    found, more = set(), set(roots)
    while more:
        found |= more
        more = {p for p, parent in parents.items() if parent in found} - found
    return found


def of_spark(path, workers, processors):
    """Return a sum over all columns, and the seconds that it takes: elapsed, of the driver, of the workers."""
    import h5arrow.spark
    from pyspark.sql import SparkSession, functions as F
    spark = (SparkSession.builder.master("local-cluster[%d,1,1024]" % workers).config("spark.ui.enabled", "false")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.memory", "1g").config("spark.ui.showConsoleProgress", "false")
             .getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    h5arrow.spark.register(spark)

    def work(file, **options):
        table = spark.read.format("h5arrow").options(**options).load(file)
        return sum(table.agg(*[F.sum("x%d" % k) for k in range(COLUMNS)]).collect()[0])
    work(path + WARM, split_bytes=8 << 20)
    cluster = Cluster("CoarseGrainedExecutorBackend")
    if processors:
        cluster.bind(processors)
    result = cluster.measure(lambda: work(path))
    spark.stop()
    return result


def of_ray(path, workers, processors):
    """Return a sum over all columns, and the seconds that it takes: elapsed, of the driver, of the workers."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import ray
    from h5arrow.ray import read_h5
    ray.init(address="local", num_cpus=workers, include_dashboard=False, logging_level="error", log_to_driver=False,
             object_store_memory=1 << 30)
    ray.data.DataContext.get_current().enable_progress_bars = False
    cluster = Cluster("raylet/raylet")
    if processors:
        cluster.bind(processors)

    def work(file):
        sums = read_h5(file).map_batches(lambda t: pa.table({"sum": [sum(pc.sum(c).as_py() for c in t.columns)]}), batch_format="pyarrow",
                                         batch_size=None)
        return sum(r["sum"] for r in sums.take_all())
    work(path + WARM)
    result = cluster.measure(lambda: work(path))
    ray.shutdown()
    return result


ENGINES = {"spark": of_spark, "ray": of_ray}


def race(engine, path, rounds, options):
    """Print the runs of an engine and their medians."""
    taken, totals = {w: [] for w in WORKERS}, set()
    for _ in range(rounds):
        for workers in WORKERS:
            done = subprocess.run([sys.executable, __file__, "--one", str(workers), "--file", path, *options, engine],
                                  stdout=subprocess.PIPE, text=True, check=True)
            figures = next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()[1:]
            total, *seconds = map(float, figures)
            print("%s, %d worker(s): %.1f s; processor time of the driver %.1f s, of the workers %.1f s" % (engine, workers, *seconds), flush=True)
            taken[workers].append(seconds[0])
            totals.add(round(total))
    assert len(totals) == 1, totals
    one, two = (sorted(taken[w])[rounds // 2] for w in WORKERS)
    print("%s: %.1f s with one worker, %.1f s with two: %.2f times as fast (medians of %d rounds, %d bytes decoded)" % (
        engine, one, two, one / two, rounds, decoded(path)), flush=True)


def decoded(path):
    """Return the bytes of all values of a file."""
    import h5py
    with h5py.File(path) as f:
        return sum(d.nbytes for d in f["t"].values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=(2 << 30) // (8 * COLUMNS) + 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", help="is read if it exists, with FILE%s, and otherwise made and kept" % WARM)
    parser.add_argument("--unbound", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="spark or ray; both without it")
    args = parser.parse_args()
    if not set(args.engines) <= ENGINES.keys():
        parser.error("engines are %s" % " and ".join(ENGINES))
    if args.one:
        processors = None if args.unbound else sorted(os.sched_getaffinity(0))[:args.one]
        print("RESULT %.3f %.2f %.2f %.2f" % ENGINES[args.engines[0]](args.file, args.one, processors), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = args.file or os.path.join(folder, "race.h5")
        for name, rows in (path, args.rows), (path + WARM, args.rows // 16):
            if not os.path.exists(name):
                make(name, rows)
        for engine in args.engines or ENGINES:
            race(engine, path, args.rounds, ["--unbound"] * args.unbound)


if __name__ == "__main__":
    main()
