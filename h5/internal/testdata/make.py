#!/usr/bin/env python3
"""Writes the fixtures of the index packages: small HDF5 files, and expected.json with what h5py says is in them:
links, chunks (place or number, address, stored size, filter mask), attributes (value, count), strings.

Usage: python make.py [DIR]. Needs h5py (made with 3.16, HDF5 2.0.0). Files are gzipped, as they hold long runs of
equal bytes. Each structure that a test looks for is in its file once, so the tests find it by its signature.
"""
import ctypes
import glob
import gzip
import io
import json
import os
import sys

import h5py
import numpy as np

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
EXPECTED = {}
LIB = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])


def create(name, sizes=(8, 8), sym_k=None, istore_k=None, new=False):
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    fcpl.set_sizes(*sizes)
    if sym_k:
        LIB.H5Pset_sym_k(ctypes.c_int64(fcpl.id), ctypes.c_uint(sym_k[0]), ctypes.c_uint(sym_k[1]))
    if istore_k:
        LIB.H5Pset_istore_k(ctypes.c_int64(fcpl.id), ctypes.c_uint(istore_k))
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    if new:
        fapl.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    else:
        fapl.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_V18)
    fapl.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    path = os.path.join("/tmp", name + ".h5")
    f = h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl=fcpl, fapl=fapl))
    EXPECTED[name] = {"offset_size": sizes[0], "length_size": sizes[1]}
    return f


def finish(f, name):
    path = f.filename
    f.close()
    with open(path, "rb") as src:
        data = src.read()
    os.remove(path)
    pack(name + ".h5.gz", data)


def pack(name, data):
    buf = io.BytesIO()
    with gzip.GzipFile(fileobj=buf, mode="wb", mtime=0, compresslevel=9, filename="") as z:
        z.write(data)
    with open(os.path.join(OUT, name), "wb") as dst:
        dst.write(buf.getvalue())


def chunks(d, number=False):
    """[offset or number of the chunk, address, stored size, filter mask], in order."""
    out = []
    grid = [-(-n // c) for n, c in zip(d.shape, d.chunks)]
    for i in range(d.id.get_num_chunks()):
        c = d.id.get_chunk_info(i)
        where = list(c.chunk_offset)
        if number:
            where = int(np.ravel_multi_index([w // n for w, n in zip(where, d.chunks)], grid))
        out.append([where, c.byte_offset, c.size, c.filter_mask])
    return sorted(out)


def dataset(f, name, shape, chunk, maxshape=None, filtered=False, dtype="u1"):
    space = h5py.h5s.create_simple(shape, tuple(h5py.h5s.UNLIMITED if m is None else m for m in maxshape or shape))
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_chunk(chunk)
    if filtered:
        dcpl.set_shuffle()
        dcpl.set_deflate(6)
    return h5py.Dataset(h5py.h5d.create(f.id, name.encode(), h5py.h5t.py_create(np.dtype(dtype)), space, dcpl=dcpl))


def links(g):
    """{name: address} of the hard links, addresses relative to the file's base."""
    out = {}
    for k in g:
        link = g.get(k, getlink=True)
        if isinstance(link, h5py.HardLink):
            out[k] = h5py.h5o.get_info(g.id, k.encode()).addr
        else:
            out[k] = link.path
    return out


# Old groups, B-trees of small nodes, a local heap.
f = create("group_old", sym_k=(2, 2))
for i in range(120):
    f.create_group("member%d" % (i * 7919 % 120))
f["soft"] = h5py.SoftLink("/member3/target")
del f["member17"]
EXPECTED["group_old"]["links"] = links(f)
finish(f, "group_old")

# All sizes of offsets and lengths: an old group, a B-tree of chunks, variable-length strings.
for osize, lsize in ((2, 2), (4, 4), (8, 4), (4, 8), (8, 2)):
    name = "sizes_%d_%d" % (osize, lsize)
    f = create(name, sizes=(osize, lsize))
    d = dataset(f, "chunks", (30, 20), (4, 7))
    d[3:9, 2:] = 5
    words = ["", "a", "seven77", "eight888", "x" * 100, "é" * 40]
    f.create_dataset("words", data=np.array(words, dtype=object), dtype=h5py.string_dtype())
    EXPECTED[name].update(links=links(f), chunks=chunks(d), words=words)
    finish(f, name)

# A tree of chunks of small nodes, in three dimensions, with holes, sizes and filter masks.
f = create("chunks_v1", istore_k=2)
d = dataset(f, "d", (40, 40, 40), (5, 4, 8), filtered=True)
for n in range(0, 400, 3):
    at = np.unravel_index(n * 37 % 400, (8, 10, 5))
    d.id.write_direct_chunk(tuple(int(a * c) for a, c in zip(at, d.chunks)), b"x" * (1 + n % 11), filter_mask=n % 4)
EXPECTED["chunks_v1"]["chunks"] = chunks(d)
finish(f, "chunks_v1")

# Global heap: collections with holes, and an object that needs a large one.
f = create("heap_global")
d = f.create_dataset("v", (300,), dtype=h5py.string_dtype())
for i in range(300):
    d[i] = "word %d " % i + "y" * (i % 50)
for i in range(0, 300, 3):
    d[i] = "rewritten %d" % i
d[299] = "z" * 400_000
EXPECTED["heap_global"]["words"] = [v.decode() for v in d[:299]]
finish(f, "heap_global")

# Dense links: a fractal heap over 512 KB, so with nested indirect blocks, and B-trees by name and by order.
f = create("links_dense", new=True)
g = f.create_group("g", track_order=True)
for i in range(650):
    g["%03d" % (i * 7 % 650) + "n" * 900] = h5py.SoftLink("t%d" % i)
EXPECTED["links_dense"]["links"] = links(g)
finish(f, "links_dense")

# The same with filters, and a huge link.
for osize, lsize in ((2, 4), (4, 4), (8, 8)):
    name = "links_filtered_%d" % osize
    f = create(name, new=True, sizes=(osize, lsize))
    gcpl = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    gcpl.set_link_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    assert LIB.H5Pset_deflate(ctypes.c_int64(gcpl.id), ctypes.c_uint(6)) >= 0
    assert LIB.H5Pset_fletcher32(ctypes.c_int64(gcpl.id)) >= 0
    g = h5py.Group(h5py.h5g.create(f.id, b"g", gcpl=gcpl))
    for i in range(450 if osize == 8 else 40):
        g["link %d " % i + "m" * (i % 300)] = h5py.SoftLink("t%d" % i)
    for i in range(3):
        g["huge%d" % i + "h" * 5000] = h5py.SoftLink("t")
    EXPECTED[name]["links"] = links(g)
    finish(f, name)

# Addresses of two bytes: IDs of huge objects hold their place, and links of one letter fit into theirs.
f = create("links_tiny", new=True, sizes=(2, 4))
g = f.create_group("g")
f.create_group("t")
for c in "abcdefghijklmnop":
    g.id.links.create_hard(c.encode(), f["t"].id, b".")
for i in range(3):
    g["huge%d" % i + "h" * 5000] = h5py.SoftLink("t")
g["managed"] = h5py.SoftLink("t")
EXPECTED["links_tiny"]["links"] = links(g)
finish(f, "links_tiny")

# Dense attributes, some of them huge.
f = create("attrs_dense", new=True)
g = f.create_group("g", track_order=True)
want = {}
for i in range(60):
    n = (1, 10, 300, 6000, 70000)[i % 5]
    g.attrs.create("a%02d" % i, np.full(n, i, "u1"))
    want["a%02d" % i] = [i, n]
EXPECTED["attrs_dense"]["attributes"] = want
finish(f, "attrs_dense")

# Chunks in version 2 B-trees of some depth.
f = create("chunks_v2", new=True)
d = dataset(f, "d", (3,) * 7, (1,) * 7, (None, None, 3, 3, 3, 3, 3))
rng = np.random.default_rng(1)
for n in rng.permutation(3**7)[:900]:
    d[tuple(int(a) for a in np.unravel_index(n, d.shape))] = 1
EXPECTED["chunks_v2"]["chunks"] = chunks(d)
finish(f, "chunks_v2")

f = create("chunks_v2_filtered", new=True, sizes=(4, 8))
d = dataset(f, "d", (100, 100), (4, 4), (None, None), filtered=True)
for n in range(0, 625, 2):
    at = np.unravel_index(n * 37 % 625, (25, 25))
    d.id.write_direct_chunk(tuple(int(a * 4) for a in at), b"x" * (1 + n % 11), filter_mask=n % 4)
EXPECTED["chunks_v2_filtered"]["chunks"] = chunks(d)
finish(f, "chunks_v2_filtered")

# Fixed and extensible arrays: small; filtered, with filter masks; in pages, most of them never written. Elements of
# fixed arrays end their block at 1,024; data blocks of extensible arrays have pages from element 131,060 on.
fixed = [(0,), (1, 2, 6), (0, 5, 1023, 1024, 3071, 3072, 3075, 8200, 9999)]
extensible = [(0, 3), (0, 3, 4, 19, 20, 25, 100, 243, 244, 300, 700, 5000), (2, 131059, 131060, 132083, 132084, 134000, 199999)]
for kind, sets in (("fixed", fixed), ("extensible", extensible)):
    for k, numbers in enumerate(sets):
        for filtered in (False, True):
            sizes = [(8, 8), (4, 4)][filtered]
            name = "%s_%d%s" % (kind, k, "_filtered" if filtered else "")
            f = create(name, new=True, sizes=sizes)
            n = (7, 100, 10000)[k] if kind == "fixed" else (4, 6000, 200000)[k]
            d = dataset(f, "d", (n * 3,), (3,), (None,) if kind == "extensible" else None, filtered)
            for i in numbers:
                if filtered:
                    d.id.write_direct_chunk((3 * i,), b"x" * (1 + i % 5), filter_mask=i % 4)
                else:
                    d[3 * i] = 1
            EXPECTED[name]["chunks"] = chunks(d, number=True)
            finish(f, name)

pack("expected.json.gz", json.dumps(EXPECTED, separators=(",", ":")).encode())
