#!/usr/bin/env python3
"""Writes suite.h5, the tables of the engine's tests, beside itself. It takes h5py; the same file comes out each time."""
import os

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
N = 4500
rng = np.random.default_rng(8)


def put(group, name, data, **kw):
    return group.create_dataset(name, data=data, track_times=False, **kw)


def column(table, name, data, mask=None, attr=None, **kw):
    g = table.create_group("columns/" + name)
    d = put(g, "data", data, **kw)
    if attr:
        d.attrs["dtype"] = attr
    if mask is not None:
        put(g, "mask", mask.astype("u1"), **{k: v for k, v in kw.items() if k not in ("dtype", "chunks")} | ({"chunks": (512,)} if kw else {}))


with h5py.File(os.path.join(HERE, "suite.h5"), "w") as f:
    # Everything that a column can be, as vaex lays tables out: some of it mapped, some compressed.
    t = f.create_group("all")
    t.attrs["type"] = "table"
    gz = dict(chunks=(512,), compression="gzip", shuffle=True)
    missing = lambda p: rng.random(N) < p
    column(t, "i", np.arange(N, dtype="i4"))
    for bits in (8, 16, 32, 64):
        column(t, "i%d" % bits, rng.integers(-100, 100, N).astype("i%d" % (bits // 8)), missing(0.1), **gz)
        column(t, "u%d" % bits, rng.integers(0, 200, N).astype("u%d" % (bits // 8)), missing(0.1) if bits > 16 else None)
    big = rng.integers(-2**62, 2**62, N)
    column(t, "big", big, **gz)
    column(t, "swapped", big.astype(">i8"))
    half = np.round(rng.normal(0, 10, N), 1).astype("f2")
    column(t, "f16", half, missing(0.1))
    f32 = np.round(rng.normal(0, 10, N), 2).astype("f4")
    f32[::97] = np.nan
    column(t, "f32", f32, missing(0.2), **gz)
    f64 = np.round(rng.normal(0, 10, N), 2)
    f64[::101], f64[5], f64[6], f64[7] = np.nan, np.inf, -np.inf, -0.0
    column(t, "f64", f64, missing(0.2))
    column(t, "b", rng.random(N) < 0.5, missing(0.3))
    column(t, "ns", np.cumsum(rng.integers(0, 10**12, N)) + 1_700_000_000_000_000_000, missing(0.05), attr="datetime64[ns]")
    column(t, "us", rng.integers(-10**15, 10**15, N), attr="datetime64[us]", **gz)
    column(t, "ms", rng.integers(-10**12, 10**12, N), attr="datetime64[ms]")
    column(t, "s", rng.integers(-10**9, 10**9, N), missing(0.1), attr="datetime64[s]")
    column(t, "day", rng.integers(-20000, 20000, N), attr="datetime64[D]")
    words = ["", "a", "it's", "twelve bytes", "thirteen bytes", "a word that is longer than that", "\u00fc\u00f1\u00ef", "100%", "x_y", "Zoe"]
    text = np.array([words[k] + (str(k) if k % 3 else "") for k in rng.integers(0, len(words), N)], dtype=object)
    raw = [w.encode() for w in text]
    g = t.create_group("columns/word")
    put(g, "data", np.frombuffer(b"".join(raw), "u1")).attrs["dtype"] = "str"
    put(g, "indices", np.concatenate([[0], np.cumsum([len(r) for r in raw])]).astype("i8"))
    put(g, "null_bitmap", np.packbits(~missing(0.15), bitorder="little"))
    column(t, "heap", text, dtype=h5py.string_dtype(), chunks=(512,))
    column(t, "fixed", np.array(raw, dtype="S40"), missing(0.1), **gz)
    colour = h5py.enum_dtype({"red": 1, "green": 2, "blue": 7}, basetype="i1")
    column(t, "colour", rng.choice(np.array([1, 2, 7], "i1"), N), missing(0.1), dtype=colour, chunks=(512,), compression="gzip")
    column(t, "opaque", np.array([bytes([k % 251, k % 7, 1]) for k in range(N)], dtype="V3"))
    column(t, "pair", np.stack([np.arange(N), rng.integers(0, 50, N)], axis=1).astype("f8"), **(gz | dict(chunks=(512, 2))))
    cube = rng.integers(0, 9, (N, 2, 3)).astype("i2")
    column(t, "cube", cube)
    lists = np.empty(N, dtype=object)
    for k in range(N):
        lists[k] = np.arange(k % 5, dtype="i4") + k
    g = t.create_group("columns/list")
    d = g.create_dataset("data", (N,), dtype=h5py.vlen_dtype("i4"), chunks=(512,), track_times=False)
    d[:] = lists
    # A compound of all sorts, which is a struct.
    point = np.dtype([("x", "f8"), ("name", "S5"), ("c", colour), ("v", "i2", (3,))])
    p = np.zeros(N, point)
    p["x"], p["name"], p["c"], p["v"] = np.round(rng.random(N), 3), np.array(raw, dtype="S5").astype("S5"), rng.choice(np.array([1, 2, 7], "i1"), N), rng.integers(0, 5, (N, 3))
    p["name"] = np.array([b"n%d" % (k % 11) for k in range(N)])
    column(t, "point", p, chunks=(512,), compression="gzip")

    # A small table to join with, one whose last name another one has too, and an empty one.
    s = f.create_group("deep/small")
    put(s, "k", np.arange(-3, 60, dtype="i2"))
    put(s, "label", np.array(["label %d of many" % (k % 7) for k in range(63)], dtype=object), dtype=h5py.string_dtype())
    for path in ("x/twin", "y/twin"):
        put(f.create_group(path), path[0], np.arange(3))
    put(f.create_group("empty"), "nothing", np.arange(0, dtype="f8"))
    m = f.create_group("mixed")
    put(m, "good", np.arange(4))
    m.create_dataset("region", (4,), dtype=h5py.regionref_dtype, track_times=False)
    put(m, "Good", np.arange(4, 8))
