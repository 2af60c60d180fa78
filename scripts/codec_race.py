#!/usr/bin/env python3
"""Compares the speed of decoding with that of rust-hdf5, by codec:

    codec_race.py DIR --h5arrow bin/h5arrow [--rows 4000000] [--rounds 9] [--only lz4 --only zstd]

Makes the files in DIR and, with cargo, the program of scripts/rustpeer in DIR/cargo, unless they are there. Needs h5py, hdf5plugin and
pyarrow. h5arrow writes an Arrow stream to /dev/null; the peer reads all datasets into memory. Both are processes of their own with
as many threads as there are processors, and run in turn. Prints a line for each codec: the ratios of the medians of seconds and of
processor time. What h5arrow writes is compared with h5py once. A codec that the peer refuses is named."""
import argparse
import os
import statistics
import subprocess

import h5py
import hdf5plugin
import numpy as np
import pyarrow as pa

import measure

BLOSC = {"shuffle": hdf5plugin.Blosc.SHUFFLE, "clevel": 5}
CODECS = {
    "gzip": {"compression": "gzip", "shuffle": True},
    "lzf": {"compression": "lzf", "shuffle": True},
    "lz4": hdf5plugin.LZ4(),
    "zstd": hdf5plugin.Zstd(clevel=3),
    "zstd with shuffle": {"shuffle": True, **hdf5plugin.Zstd(clevel=3)},
    "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    "bitshuffle-lz4": hdf5plugin.Bitshuffle(),
    "bitshuffle-zstd": hdf5plugin.Bitshuffle(cname="zstd"),
    "blosc-lz4": hdf5plugin.Blosc(cname="lz4", **BLOSC),
    "blosc-zstd": hdf5plugin.Blosc(cname="zstd", **BLOSC),
    "blosc-blosclz": hdf5plugin.Blosc(cname="blosclz", **BLOSC),
    "blosc2": hdf5plugin.Blosc2(),
    "bzip2": hdf5plugin.BZip2(),
}


def columns(n):
    r = np.random.default_rng(1)
    return {
        "t": np.cumsum(r.integers(0, 1000, n)),
        "v": np.round(r.normal(230, 3, n), 3),
        "w": np.round(r.gamma(2, 2, n), 2).astype("f4"),
        "k": r.integers(0, 3000, n).astype("i4"),
        "g": r.integers(0, 40, n).astype("i2"),
        "e": np.cumsum(r.random(n)),
    }


def make(path, values, how):
    """Writes the file unless it is there."""
    if os.path.exists(path):
        return
    with h5py.File(path + ".new", "w") as f:
        for name, v in values.items():
            f.create_dataset(name, data=v, chunks=(65536,), **how)
    os.rename(path + ".new", path)


def check(argv, path):
    """Compares what h5arrow writes with what h5py reads."""
    table = pa.ipc.open_stream(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout).read_all()
    with h5py.File(path) as f:
        for name in f:
            if not np.array_equal(table[name].to_numpy(), f[name][:]):
                raise SystemExit("%s: other values of %s" % (path, name))


def race(name, rounds, ours, peer):
    """Runs both in turn and prints the ratios."""
    took = {"ours": [], "peer": []}
    for _ in range(rounds):
        took["ours"].append(measure.process(ours))
        took["peer"].append(measure.process(peer))
    median = {who: [statistics.median(run[i] for run in runs) for i in (0, 1)] for who, runs in took.items()}
    print("%-18s time %.2f  processor %.2f  (%.3f s, %.3f s)" % (
        name, median["ours"][0] / median["peer"][0], median["ours"][1] / median["peer"][1], *median["ours"]), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--rows", type=int, default=4_000_000)
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--only", action="append", choices=list(CODECS))
    a = p.parse_args()
    rust = os.path.join(a.dir, "cargo", "release", "rustpeer")
    if not os.path.exists(rust):
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", os.path.join(here, "rustpeer", "Cargo.toml"),
                        "--target-dir", os.path.join(a.dir, "cargo")], check=True)
    values = columns(a.rows)
    for name in a.only or CODECS:
        path = os.path.join(a.dir, "codec-%s-%d.h5" % (name.replace(" ", "-"), a.rows))
        make(path, values, CODECS[name])
        ours, peer = [a.h5arrow, "convert", path, "-"], [rust, path]
        check(ours, path)
        if subprocess.run(peer, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            print("%-18s rust-hdf5 does not read it" % name, flush=True)
            continue
        race(name, a.rounds, ours, peer)


if __name__ == "__main__":
    main()
