#!/usr/bin/env python3
"""Compares the speed of `h5arrow import` and `h5arrow repack` with that of other programs:

    write_race.py DIR --h5arrow bin/h5arrow [--h5repack h5repack] [--rounds 5]

DIR has contiguous.h5 and gzip.h5 (bench.sh makes them). All programs are processes of their own and run in turn; the best round of
each counts. Prints a line for each race: the ratio of the times, that of the sizes, and the peak of h5arrow's anonymous memory."""
import argparse
import os
import shutil
import subprocess
import sys

import measure

VAEX = "import sys, vaex; vaex.open(sys.argv[1]).export_hdf5(sys.argv[2])"
H5PY = """
import sys, h5py, numpy as np, pyarrow as pa
with pa.memory_map(sys.argv[1]) as m, h5py.File(sys.argv[2], "w") as f:
    t = pa.ipc.open_file(m).read_all()
    how = dict(chunks=(65536,), compression="gzip", compression_opts=4, shuffle=True) if sys.argv[3] == "gzip" else {}
    for name in t.column_names:
        c = t[name].combine_chunks()
        c = c.chunk(0) if isinstance(c, pa.ChunkedArray) else c
        if c.null_count:
            f.create_dataset("table/columns/%s/mask" % name, data=np.asarray(c.is_null()), **how)
            c = c.fill_null(0)
        v = c.to_numpy(zero_copy_only=False)
        d = f.create_dataset("table/columns/%s/data" % name, data=v.view("i8") if v.dtype.kind in "mM" else v, **how)
        d.attrs["dtype"] = str(v.dtype)
"""


def race(name, out, rounds, ours, peers):
    """Runs all programs in turn. Each writes the file out, which must not exist."""
    best, size, peak = {}, {}, 0
    for _ in range(rounds):
        for who, argv in [("h5arrow", ours)] + list(peers.items()):
            if os.path.exists(out):
                os.remove(out)
            os.sync()
            seconds, _, memory = measure.process(argv)
            best[who] = min(best.get(who, seconds), seconds)
            size[who] = os.path.getsize(out)
            if who == "h5arrow":
                peak = max(peak, memory)
    os.remove(out)
    for who in peers:
        print("%-28s %-13s time %.2f  size %.2f  (%.2f s, %.0f MiB anonymous)" % (
            name, who, best["h5arrow"] / best[who], size["h5arrow"] / size[who], best["h5arrow"], peak / 2**20), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--h5repack", default=shutil.which("h5repack"))
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    at = lambda name: os.path.join(a.dir, name)
    arrow, out = at("race.arrow"), at("race.h5")
    subprocess.run([a.h5arrow, "convert", at("contiguous.h5"), arrow, "--force", "--quiet"], check=True)
    python = lambda script, *args: [sys.executable, "-c", script, arrow, out, *args]
    ours = lambda *args: [a.h5arrow, *args, "--quiet"]
    race("import", out, a.rounds, ours("import", arrow, out), {"cp": ["cp", arrow, out], "vaex": python(VAEX), "h5py": python(H5PY, "none")})
    for codec in "gzip", "gzip:1":
        race("import, %s and shuffle" % codec, out, a.rounds, ours("import", arrow, out, "--compression", codec, "--shuffle", "--chunk-rows", "65536"), {"h5py, level 4": python(H5PY, "gzip")})
    os.remove(arrow)
    if not a.h5repack:
        print("write_race: without h5repack", file=sys.stderr)
        return
    tool = lambda *args: {"h5repack": [a.h5repack, *args, at("gzip.h5"), out]}
    race("repack gzip to contiguous", out, a.rounds, ours("repack", at("gzip.h5"), out), tool("-f", "NONE", "-l", "CONTI"))
    race("repack gzip to zstd, to gzip", out, a.rounds, ours("repack", at("gzip.h5"), out, "--compression", "zstd", "--shuffle"), tool("-f", "SHUF", "-f", "GZIP=4"))


main()
