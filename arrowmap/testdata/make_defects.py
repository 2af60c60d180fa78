#!/usr/bin/env python3
"""Writes the files of TestDefects: what vaex's reader drops, misreads or refuses, each a few rows. Run it here."""
import os

import h5py
import numpy as np

N = 11
HOLES = np.array([i % 4 == 1 for i in range(N)])


def bitmap(valid, trailing=1):
    bits = np.full((len(valid) + 7) // 8 * 8, bool(trailing))
    bits[:len(valid)] = valid
    return np.packbits(bits, bitorder="little")


def table(f, name):
    f.create_group(name).attrs["type"] = "table"
    return f.create_group(name + "/columns")


def column(t, name, data, attrs=None, mask=None, null_bitmap=None, **kw):
    g = t.create_group(name)
    d = g.create_dataset("data", data=data, track_times=False, **kw)
    for k, v in (attrs or {}).items():
        d.attrs[k] = v
    small = {k: kw[k] for k in ("chunks", "compression") if k in kw}
    if mask is not None:
        g.create_dataset("mask", data=mask, track_times=False, **small)
    if null_bitmap is not None:
        if "chunks" in small:
            small["chunks"] = (1,)
        g.create_dataset("null_bitmap", data=null_bitmap, track_times=False, **small)
    return g


def strings(t, name, values, index="i4", **kw):
    g = t.create_group(name)
    raw = [b"" if v is None else v.encode() for v in values]
    d = g.create_dataset("data", data=np.frombuffer(b"".join(raw), "S1"), track_times=False, **kw)
    d.attrs["dtype"] = "str"
    g.create_dataset("indices", data=np.concatenate([[0], np.cumsum([len(r) for r in raw])]).astype(index), track_times=False, **kw)
    if None in values:
        g.create_dataset("null_bitmap", data=bitmap([v is not None for v in values]), track_times=False)
    return g


x = np.arange(N, dtype="i4") * 10
words = ["é%d" % i if i % 3 else None for i in range(N)]
GZ = dict(chunks=(4,), compression="gzip")
with h5py.File("defects.h5", "w", libver="v110") as f:
    t = table(f, "chunked_mask")
    column(t, "x", x, mask=HOLES, **GZ)
    t = table(f, "chunked_bitmap")
    column(t, "x", x, null_bitmap=bitmap(~HOLES), **GZ)
    t = table(f, "sliced")
    column(t, "x", np.array([3, 4, 5, 6, 7, 8, -2**63, 10], "i8"), null_bitmap=bitmap([True] * 6 + [False, True]))
    t = table(f, "big_endian_time")
    column(t, "t", np.array([0, 1, -2**63, 10**9], ">i8"), {"dtype": "datetime64[ns]"})
    column(t, "d", np.array([0, 1, 2, -2**63], ">i8"), {"dtype": "timedelta64[s]"}, chunks=(2,))
    t = table(f, "utf32")
    cp = np.zeros((4, 3), "<u4")
    for i, w in enumerate(["abc", "é", "", "🙂"]):
        cp[i, :len(w)] = [ord(c) for c in w]
    column(t, "w", cp.view("u1"), {"dtype": "utf32", "dlength": 3})
    t["after"] = np.zeros(3, "u1")
    del t["after"]
    t = table(f, "dictionary_null_index")
    g = t.create_group("d")
    g.attrs["type"] = "dictionary_encoded"
    g.create_group("indices").create_dataset("data", data=np.array([0, 1, -2**31, 1], "i4"), track_times=False)
    strings(g, "dictionary", ["a", "b"])
    t = table(f, "dictionary_masked_index")
    g = t.create_group("d")
    g.attrs["type"] = "dictionary_encoded"
    i = g.create_group("indices")
    i.create_dataset("data", data=np.array([0, 1, -2**31, 1], "i4"), track_times=False)
    i.create_dataset("mask", data=np.array([0, 0, 1, 0], bool), track_times=False)
    strings(g, "dictionary", ["a", "b"])
    t = table(f, "csr_matrix")
    g = t.create_group("m")
    g.attrs["type"] = "csr_matrix"
    for k, v in (("data", np.array([1.5, 2.5, 3.5])), ("indices", np.array([0, 2, 1], "i4")), ("indptr", np.array([0, 2, 2, 3], "i4"))):
        g.create_dataset(k, data=v, track_times=False)
    t = table(f, "chunked_text")
    strings(t, "s", words, chunks=(4,))
    t = table(f, "short_mask")
    column(t, "good", x)
    column(t, "x", x, mask=HOLES[:-1])
    t = table(f, "short_bitmap")
    column(t, "x", x, null_bitmap=bitmap(~HOLES)[:-1])
    t = table(f, "kinds")
    column(t, "enum", np.array([1, 2, 1], "i1"))
    del t["enum"]["data"]
    t["enum"].create_dataset("data", data=np.array([1, 2, 1], "i1"), dtype=h5py.enum_dtype({"red": 1, "blue": 2}, "i1"), track_times=False)
    column(t, "complex", np.array([1 + 2j, 3, -1j], "c8"))
    column(t, "compound", np.array([(1, 2.5), (3, 4.5), (5, 6.5)], [("a", "i2"), ("b", "f4")]))
    column(t, "matrix", np.arange(6, dtype="i2").reshape(3, 2))
    column(t, "s3", np.array(["ab", "", "xyz"], "S3"))
    column(t, "heap", np.array(["eins", "", "drei"], object), dtype=h5py.string_dtype())
    column(t, "int_mask", np.arange(3, dtype="u8") + 2**60, mask=np.array([0, 7, 0], "i8"))
    t = table(f, "mask_and_bitmap")
    column(t, "x", x, mask=HOLES, null_bitmap=bitmap([i != 5 for i in range(N)]))
    t = table(f, "empty")
    column(t, "x", np.zeros(0, "f8"), mask=np.zeros(0, bool))
    strings(t, "s", [])
    f["scalar"] = np.float64(2.5)
with h5py.File("defects_userblock.h5", "w", userblock_size=512) as f:
    t = table(f, "table")
    column(t, "x", x, null_bitmap=bitmap(~HOLES))
with h5py.File("defects_v1.h5", "w") as f:
    f.create_dataset("data/x", data=x, track_times=False)
    f["data"].attrs["column_order"] = "x"
    f.create_dataset("beside", data=x[:3], track_times=False)
with h5py.File("defects_unequal.h5", "w") as f:
    for k, n in (("a", 3), ("b", 4), ("c", 5)):
        f.create_dataset(k, data=x[:n], track_times=False)
with h5py.File("defects_source.h5", "w") as f:
    f.create_dataset("v", data=x, track_times=False)
with h5py.File("defects_virtual.h5", "w", libver="v110") as f:
    lay = h5py.VirtualLayout((N + 2,), "i4")
    lay[:N] = h5py.VirtualSource("defects_source.h5", "v", (N,))
    f.create_virtual_dataset("v", lay, fillvalue=-1)
print(sum(os.path.getsize(p) for p in os.listdir(".") if p.startswith("defects")), "bytes")
