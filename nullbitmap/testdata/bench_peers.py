#!/usr/bin/env python3
"""Times what numpy and pyarrow do where package nullbitmap does the same, on one core.

    python3 bench_peers.py [--values 100000000] [--rounds 7]

The fastest round counts. Compare with

    go test -run '^$' -bench Ratio -benchtime 30x ./nullbitmap
"""

import argparse
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def fastest(rounds, f):
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--values", type=int, default=100_000_000, help="bytes of masks and of float64 values")
    args.add_argument("--rounds", type=int, default=7)
    args = args.parse_args()
    n = args.values // 64 * 64
    pa.set_cpu_count(1)

    mask = np.zeros(n, dtype=bool)
    mask[::16] = True
    bitmap = np.packbits(~mask, bitorder="little")
    sentinel = 9.969209968386869e36
    doubles = np.ones(n // 8)
    doubles[::16] = sentinel
    bytes_ = np.ones(n, dtype=np.int8)
    arrow_doubles = pa.array(doubles)
    arrow_bools = pa.Array.from_buffers(pa.bool_(), n, [None, pa.py_buffer(bitmap)])

    def pyarrow_sentinel():
        pc.not_equal(arrow_doubles, sentinel)

    for name, f in [
        ("mask to bitmap: numpy.packbits(~mask, little)", lambda: np.packbits(~mask, bitorder="little")),
        ("mask to bitmap: pyarrow.array(values, mask=mask)", lambda: pa.array(bytes_, mask=mask)),
        ("bitmap to mask: numpy.unpackbits(~bitmap, little)", lambda: np.unpackbits(~bitmap, bitorder="little")),
        ("bitmap to bools: pyarrow to_numpy", lambda: arrow_bools.to_numpy(zero_copy_only=False)),
        ("float64 sentinel: numpy packbits(values != s)", lambda: np.packbits(doubles != sentinel, bitorder="little")),
        ("float64 sentinel: pyarrow.compute.not_equal", pyarrow_sentinel),
        ("float64 NaN: pyarrow.array(from_pandas=True)", lambda: pa.array(doubles, from_pandas=True)),
        ("for scale: numpy copies the mask", lambda: mask.copy()),
    ]:
        seconds = fastest(args.rounds, f)
        print(f"{name:52} {seconds * 1e3:8.2f} ms  {n / seconds / 1e9:6.2f} GB/s")


if __name__ == "__main__":
    main()
