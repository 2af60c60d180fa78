#!/usr/bin/env python3
"""Compares h5arrow with other readers of files on a web server that takes 50 ms for each answer and sends 200 MB/s:

    far_race.py DIR --h5arrow bin/h5arrow [--rounds 3] [--latency 0.05] [--rate 200e6] [--jobs one,many,...] [--timeout 75]

DIR has far.h5, farpaged.h5 and layer.h5 (gen_far.py makes them); columns.h5 is made there when it is missing. All programs are processes of
their own and run in turn; the best round of each counts. Readers that are not installed are left out. kerchunk's references are made before,
once for each file, which takes it half a minute, and read from the disk. Prints, for each job and program, seconds, requests, bytes in MB, and h5arrow's
time as a share of the program's: of h5arrow the time of the whole process, and of the Python programs that of reading, without imports."""
import argparse
import contextlib
import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time

BEAM = "gt1l/heights/"
MANY = ["gt%d%s/heights/%s" % (i, s, v) for i in (1, 2, 3) for s in "lr" for v in ("delta_time", "h_ph", "quality_ph")]
LAYER = "science/LSAR/GUNW/grids/frequencyA/unwrappedInterferogram/HH/unwrappedPhase"

H5PY = """
import sys, time, fsspec.implementations.http, h5py
start = time.perf_counter()
url, how, *names = sys.argv[1:]
tuned = dict(block_size=8 << 20, cache_type="blockcache") if "tuned" in how else {}
part = slice(400000, 408000) if "part" in how else slice(None)
f = h5py.File(fsspec.open(url, **tuned).open())
if "inspect" in how:
    f.visititems(lambda name, o: (dict(o.attrs), getattr(o, "shape", 0)) and None)
for n in names:
    f[n][part]
print(time.perf_counter() - start)
"""
PYFIVE = """
import sys, time, fsspec.implementations.http, pyfive
start = time.perf_counter()
url, how, *names = sys.argv[1:]
part = slice(400000, 408000) if "part" in how else slice(None)
f = pyfive.File(fsspec.open(url, block_size=8 << 20, cache_type="blockcache").open())
if "inspect" in how:
    f.visititems(lambda name, o: (dict(o.attrs), getattr(o, "shape", 0)) and None)
for n in names:
    f[n][part]
print(time.perf_counter() - start)
"""
H5CORO = """
import sys, time
from h5coro import h5coro, webdriver
start = time.perf_counter()
url, how, *names = sys.argv[1:]
f = h5coro.H5Coro(url, webdriver.HTTPDriver, errorChecking=True)
part = [400000, 408000] if "part" in how else None
want = [{"dataset": n, "hyperslice": [part] if part else []} for n in names]
p = f.readDatasets(want, block=True)
for n in names:
    p[n]
print(time.perf_counter() - start)
"""
KERCHUNK = """
import sys, time, fsspec.implementations.http, zarr
from fsspec.implementations.reference import ReferenceFileSystem
start = time.perf_counter()
url, how, side, *names = sys.argv[1:]
part = slice(400000, 408000) if "part" in how else slice(None)
fs = ReferenceFileSystem(side, remote_protocol="http", remote_options={"asynchronous": True}, asynchronous=True)
g = zarr.open_group(zarr.storage.FsspecStore(fs, read_only=True, path=""), mode="r", zarr_format=2)
for n in names:
    g[n][part]
print(time.perf_counter() - start)
"""


def make_columns(path):
    """A table of 417 MB, appended to in turn, 16 chunks of each column at a time. Each column of doubles has 73 MB."""
    import h5py
    import numpy as np
    rng, rows, step = np.random.default_rng(19), 10_240_000, 1 << 20
    with h5py.File(path + ".new", "w") as f:
        types = ["f8"] * 5 + ["i4", "i1"]
        columns = [f.create_dataset("t/c%d" % i, (0,), t, maxshape=(None,), chunks=(65536,), compression="gzip", compression_opts=1, shuffle=True)
                   for i, t in enumerate(types)]
        for a in range(0, rows, step):
            n = min(step, rows - a)
            for c, t in zip(columns, types):
                c.resize((a + n,))
                c[a:] = rng.normal(0, 1, n) if t == "f8" else rng.integers(-1 << 31, 1 << 31, n).astype(t)
    os.rename(path + ".new", path)


def make_references(path, url):
    """Has kerchunk describe a file, as a side file that refers to its URL, and returns the name of that."""
    side = path + ".kerchunk.json"
    if not os.path.exists(side):
        import kerchunk.hdf
        with open(path, "rb") as f:
            refs = kerchunk.hdf.SingleHdf5ToZarr(f, "URL", inline_threshold=300, error="ignore").translate()
        with open(side, "w") as f:
            json.dump(refs, f)
    with open(side) as f:
        refs = json.load(f)
    refs["refs"] = {k: [url] + v[1:] if isinstance(v, list) else v for k, v in refs["refs"].items()}
    with open(side + ".now", "w") as f:
        json.dump(refs, f)
    return side + ".now"


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the usual 5, connections that are made together wait for each other


class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder, latency, rate = "", 0.0, 0.0
    lock, requests, sent = threading.Lock(), 0, 0

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, whole):
        with Slow.lock:
            Slow.requests += 1
        time.sleep(self.latency)
        path = os.path.join(self.folder, os.path.basename(self.path.partition("?")[0]))
        if not os.path.isfile(path):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        size = os.path.getsize(path)
        m = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(m[1]), min(int(m[2] or size), size - 1)) if m else (0, size - 1)
        self.send_response(206 if m else 200)
        self.send_header("ETag", '"%d"' % size)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if m:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, last, size))
        self.end_headers()
        if whole:
            try:
                self.send(path, first, last - first + 1)
            except ConnectionError:  # the reader has enough
                self.close_connection = True

    def send(self, path, first, left):
        start, done = time.monotonic(), 0
        with open(path, "rb") as f:
            while done < left:
                n = os.sendfile(self.connection.fileno(), f.fileno(), first + done, min(left - done, 1 << 20))
                done += n
                with Slow.lock:
                    Slow.sent += n
                time.sleep(max(0.0, done / self.rate - (time.monotonic() - start)))


def jobs(a, base):
    """-> list of (name, function that returns [(who, argv)])"""
    def peers(url, how, names):
        out = [("h5py", [sys.executable, "-c", H5PY, url, how] + names), ("h5py tuned", [sys.executable, "-c", H5PY, url, how + " tuned"] + names)]
        if importlib.util.find_spec("pyfive"):
            out.append(("pyfive tuned", [sys.executable, "-c", PYFIVE, url, how] + names))
        if importlib.util.find_spec("h5coro") and names:
            out.append(("h5coro", [sys.executable, "-c", H5CORO, url, how] + names))
        if importlib.util.find_spec("kerchunk") and names:
            side = make_references(os.path.join(a.dir, os.path.basename(url)), url)
            out.append(("kerchunk", [sys.executable, "-c", KERCHUNK, url, how, side] + names))
        return out

    def ours(url, names, *more):
        return [("h5arrow", [a.h5arrow, "convert", url, "/dev/null", "--quiet", *more] + [x for n in names for x in ("--dataset", "/" + n)])]
    far, paged, layer, columns = (base + name for name in ("far.h5", "farpaged.h5", "layer.h5", "columns.h5"))
    one = [BEAM + "h_ph"]
    return [
        ("one", lambda: ours(far, one) + peers(far, "", one)),
        ("many", lambda: ours(far, MANY) + peers(far, "", MANY)),
        ("inspect", lambda: [("h5arrow", [a.h5arrow, "inspect", far, "--json"])] + peers(far, "inspect", [])),
        ("paged", lambda: ours(paged, one) + peers(paged, "", one)),
        ("pagedinspect", lambda: [("h5arrow", [a.h5arrow, "inspect", paged, "--json"])]),
        ("layer", lambda: ours(layer, [LAYER]) + peers(layer, "", [LAYER])),
        ("column", lambda: ours(columns, ["t/c3"]) + peers(columns, "", ["t/c3"])),
        ("rows", lambda: ours(far, one, "--rows", "400000:408000") + peers(far, "part", one)),
    ]


def run(argv, timeout):
    """-> seconds, requests, bytes; None if it takes too long. A program that prints a number measured the seconds itself."""
    with Slow.lock:
        Slow.requests = Slow.sent = 0
    start = time.monotonic()
    try:
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    if p.returncode:
        print("  %s: status %d: %s" % (" ".join(argv[:2])[:60], p.returncode, p.stderr.decode(errors="replace").strip()[-200:]))
        return None
    took = time.monotonic() - start
    with contextlib.suppress(ValueError):
        took = float(p.stdout)
    return took, Slow.requests, Slow.sent


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--latency", type=float, default=0.05)
    p.add_argument("--rate", type=float, default=200e6)
    p.add_argument("--timeout", type=float, default=75)
    p.add_argument("--jobs", default="")
    a = p.parse_args()
    Slow.folder, Slow.latency, Slow.rate = a.dir, a.latency, a.rate
    s = Server(("127.0.0.1", 0), Slow)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    if not os.path.exists(os.path.join(a.dir, "columns.h5")):
        make_columns(os.path.join(a.dir, "columns.h5"))
    for name, make in jobs(a, "http://127.0.0.1:%d/" % s.server_port):
        if a.jobs and name not in a.jobs.split(","):
            continue
        programs = make()
        best, slow = {}, set()
        for _ in range(a.rounds):
            for who, argv in programs:
                if who in slow:
                    continue
                got = run(argv, a.timeout)
                if got is None:
                    slow.add(who)
                elif who not in best or got < best[who]:
                    best[who] = got
        for who, _ in programs:
            if who in best:
                print("%-13s %-13s %6.2f s %5d requests %7.1f MB  %.2f" % ((name, who) + best[who][:2] + (best[who][2] / 1e6, best["h5arrow"][0] / best[who][0])), flush=True)
            else:
                print("%-13s %-13s not in %d s" % (name, who, a.timeout), flush=True)


if __name__ == "__main__":
    main()
