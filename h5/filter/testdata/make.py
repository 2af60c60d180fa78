"""Writes FAMILY.json.gz for each family of filters: chunks as the HDF5 library stores them, and what it reads from them.

usage: python make.py       (needs blosc2, h5py, hdf5plugin, numpy; writes beside itself; the same bytes for the same versions)

A file is {"data": {KEY: base64 of zlib of the decoded bytes}, "cases": [{"name", "filters": [{"ID", "Values"}], "mask",
"encoded": base64, "data": KEY}]}. Encoded bytes are read with H5Dread_chunk; decoded ones with H5Dread in the file's
own type, so that nothing is converted. Some frames of Blosc 2 that its filter does not write are the Blosc library's.
"""
import base64
import contextlib
import ctypes
import glob
import gzip
import hashlib
import io
import json
import os
import zlib

import blosc2 as b2
import h5py
import hdf5plugin as P
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20240229)


class Family:
    def __init__(self, name):
        self.name, self.data, self.cases = name, {}, []

    def key(self, b):
        k = hashlib.sha256(b).hexdigest()[:12]
        self.data[k] = base64.b64encode(zlib.compress(b, 9)).decode()
        return k

    @contextlib.contextmanager
    def file(self, name, *chunks):
        """Gives a new file; adds chunks of its dataset x once it is written."""
        b = io.BytesIO()
        with h5py.File(b, "w") as f:
            yield f
        with h5py.File(b, "r") as f:
            for i in chunks or (0,):
                self.add(name % i if chunks else name, f["x"].id, i)

    def add(self, name, d, chunk):
        """Adds one whole chunk of a dataset."""
        p = d.get_create_plist()
        filters = []
        for i in range(p.get_nfilters()):
            code, _, values, _ = p.get_filter(i)
            filters.append({"ID": int(code), "Values": [int(v) & 0xffffffff for v in values]})
        offset = d.get_chunk_info(chunk).chunk_offset
        mask, raw = d.read_direct_chunk(offset)
        shape, dims = p.get_chunk(), d.shape
        assert all(o + c <= n for o, c, n in zip(offset, shape, dims)), "an edge chunk"
        t = d.get_type()
        out = np.zeros(int(np.prod(shape)) * t.get_size(), "u1")
        fspace = h5s.create_simple(dims)
        fspace.select_hyperslab(offset, shape)
        d.read(h5s.create_simple(shape), fspace, out, mtype=t)
        case = {"name": name, "filters": filters, "encoded": base64.b64encode(raw).decode(), "data": self.key(out.tobytes())}
        if mask:
            case["mask"] = mask
        self.cases.append(case)

    def put(self, name, values, chunks=None, chunk=0, **kw):
        """Writes values with filters and adds a chunk: by default all of them are one."""
        with self.file(name + " %d" if chunk else name, *(chunk,) if chunk else ()) as f:
            f.create_dataset("x", data=values, chunks=chunks or values.shape, **kw)

    def write(self):
        b = json.dumps({"data": self.data, "cases": self.cases}, sort_keys=True).encode()
        with open(os.path.join(HERE, self.name + ".json.gz"), "wb") as f:
            f.write(gzip.compress(b, 9, mtime=0))


def walk(dtype, n):
    """Values that move slowly: they compress."""
    v = np.cumsum(rng.integers(-3, 4, n)) + 1000
    return (v / 8 if np.dtype(dtype).kind == "f" else v).astype(dtype)


def noise(dtype, n):
    return np.frombuffer(rng.bytes(np.dtype(dtype).itemsize * n), dtype)


def deflate():
    F = Family("deflate")
    for level in (0, 1, 4, 9):
        F.put("walk i4, level %d" % level, walk("<i4", 600), compression="gzip", compression_opts=level)
    F.put("walk f8", walk("<f8", 400), compression="gzip")
    F.put("noise", noise("u1", 900), compression="gzip")
    F.put("zeros", np.zeros(40000, "u1"), compression="gzip")
    F.put("one byte", np.array([7], "u1"), compression="gzip")
    F.put("text", np.frombuffer(b"".join(b"line %d of a text, " % (i * i) for i in range(200)), "u1"), compression="gzip")
    F.write()


def chain():
    """Shuffle, checksum, and chains of filters with and without a mask."""
    F = Family("chain")
    for t in ("u1", "<i2", "<i4", "<f8", "<c16", "S3", "S5", "S7", "S12", "S24", "S100"):
        n = 40 if t[1:] in ("24", "100") else 100
        v = noise(t if t[0] != "S" else "u1", n * (np.dtype(t).itemsize if t[0] == "S" else 1)).tobytes()
        F.put("shuffle " + t, np.frombuffer(v.replace(b"\0", b"1"), t), shuffle=True)
    for t in ("u1", "<i2", "<i4", "<f8", "S12"):
        F.put("shuffle and deflate, " + t, walk(t, 300) if t[0] != "S" else np.array([b"%011d" % i for i in range(99)], t), shuffle=True, compression="gzip")
    for n in (1, 2, 3, 4, 5, 359, 720, 721, 1000):
        F.put("fletcher32 of %d bytes" % n, noise("u1", n), fletcher32=True)
    F.put("fletcher32 of ones", np.full(3000, 255, "u1"), fletcher32=True)
    F.put("fletcher32 of zeros", np.zeros(30, "u1"), fletcher32=True)
    F.put("shuffle, deflate, fletcher32", walk("<i4", 300), shuffle=True, compression="gzip", fletcher32=True)
    F.put("shuffle, lzf, fletcher32", walk("<i4", 300), shuffle=True, compression="lzf", fletcher32=True)
    with F.file("mask of chunk %d", *range(8)) as f:
        v = walk("<i4", 400)
        d = f.create_dataset("x", (400,), "<i4", chunks=(50,), shuffle=True, compression="gzip", fletcher32=True)
        d[:] = v
        for i in range(4):
            part = v[50 * i:50 * i + 50]
            b = part.tobytes() if i & 1 else part.view("u1").reshape(-1, 4).T.tobytes()
            b = b if i & 2 else zlib.compress(b)
            d.id.write_direct_chunk((50 * i,), b, 4 | i)

    def order(name, v, *filters):
        p = h5p.create(h5p.DATASET_CREATE)
        p.set_chunk(v.shape)
        for code, values in filters:
            p.set_filter(code, 0, values)
        with F.file(name) as f:
            s = h5s.create_simple(v.shape)
            h5d.create(f.id, b"x", h5t.py_create(v.dtype), s, p).write(s, s, v)
    v = walk("<i4", 200)
    order("deflate, shuffle", v, (1, (6,)), (2, (4,)))
    order("fletcher32, deflate", v, (3, ()), (1, (6,)))
    order("fletcher32, shuffle, deflate", v, (3, ()), (2, (4,)), (1, (6,)))
    order("deflate, deflate", v, (1, (1,)), (1, (9,)))
    order("shuffle, shuffle", v, (2, (4,)), (2, (2,)))
    order("scaleoffset, shuffle, deflate", v, (6, (2, 0)), (2, (4,)), (1, (6,)))
    order("nbit, deflate, fletcher32", v, (5, ()), (1, (6,)), (3, ()))
    order("deflate, lz4, zstd, bzip2", v, (1, (1,)), (32004, (0,)), (32015, (1,)), (307, (1,)))
    F.write()


def lzf():
    F = Family("lzf")
    F.put("walk", walk("<i4", 700), compression="lzf")
    F.put("walk shuffled", walk("<f8", 500), compression="lzf", shuffle=True)
    F.put("zeros", np.zeros(9000, "u1"), compression="lzf")
    F.put("far", np.tile(noise("u1", 4000), 3), compression="lzf")
    F.put("periods", np.concatenate([np.tile(noise("u1", k), 60) for k in range(1, 12)]), compression="lzf")
    F.put("noise", noise("u1", 500), compression="lzf")
    F.write()


def small():
    """zstd, lz4, bzip2."""
    F = Family("small")
    for level in (1, 3, 19):
        F.put("zstd %d" % level, walk("<i4", 900), **P.Zstd(clevel=level))
    F.put("zstd of noise", noise("u1", 500), **P.Zstd())
    F.put("zstd of zeros", np.zeros(50000, "u1"), **P.Zstd())
    F.put("lz4", walk("<i4", 900), **P.LZ4())
    F.put("lz4 in blocks of 1000", walk("<i4", 900), **P.LZ4(nbytes=1000))
    F.put("lz4 in blocks of 64", walk("<i4", 200), **P.LZ4(nbytes=64))
    F.put("lz4 of noise", noise("u1", 300), **P.LZ4())
    F.put("lz4 of zeros", np.zeros(50000, "u1"), **P.LZ4(nbytes=20000))
    for size in (1, 9):
        F.put("bzip2 %d" % size, walk("<i4", 900), **P.BZip2(blocksize=size))
    F.put("bzip2 of zeros", np.zeros(250000, "u1"), **P.BZip2(blocksize=1))
    F.put("bzip2 of noise", noise("u1", 400), **P.BZip2())
    F.put("bzip2 of one byte", np.array([1], "u1"), **P.BZip2())
    F.put("bzip2 of all bytes", np.tile(np.arange(256, dtype="u1"), 3), **P.BZip2())
    F.put("bzip2 of runs", np.repeat(noise("u1", 60), rng.integers(1, 300, 60)), **P.BZip2())
    F.write()


def bitshuffle():
    F = Family("bitshuffle")
    for c in ("none", "lz4", "zstd"):
        for t in ("u1", "<i2", "<i4", "<f8", "<c16"):
            F.put("%s, %s" % (c, t), walk(t if t != "<c16" else "<f8", {"u1": 1603, "<i2": 1103, "<i4": 603, "<f8": 403, "<c16": 303}[t]).astype(t), **P.Bitshuffle(cname=c))
        F.put("%s, blocks of 64" % c, walk("<i4", 333), **P.Bitshuffle(cname=c, nelems=64))
        F.put("%s, a few" % c, walk("<i4", 5), **P.Bitshuffle(cname=c))
        F.put("%s, 3 bytes" % c, np.frombuffer(walk("<i4", 300).tobytes()[:900], "S3"), **P.Bitshuffle(cname=c))
    F.write()


def blosc():
    F = Family("blosc")
    shuffles = {P.Blosc.NOSHUFFLE: "as it is", P.Blosc.SHUFFLE: "shuffled", P.Blosc.BITSHUFFLE: "bits shuffled"}
    v = {"walk i4": walk("<i4", 600), "noise f8": noise("<f8", 40), "walk f8": walk("<f8", 200)}
    for c in ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"):
        for s, how in shuffles.items():
            for k, x in v.items():
                F.put("%s, %s, %s" % (c, how, k), x, **P.Blosc(cname=c, clevel=5, shuffle=s))
    F.put("level 0", v["walk i4"], **P.Blosc(cname="lz4", clevel=0))
    for c in ("blosclz", "zstd"):
        big = (np.arange(70001) // 60 % 1000).astype("<i4")
        F.put("%s, several blocks" % c, big, **P.Blosc(cname=c, clevel=1, shuffle=P.Blosc.SHUFFLE))
        if c == "zstd":
            F.put("%s, several blocks, bits" % c, big, **P.Blosc(cname=c, clevel=1, shuffle=P.Blosc.BITSHUFFLE))
    F.put("elements of 3 bytes", np.frombuffer(walk("<i4", 1500).tobytes(), "S3"), **P.Blosc(cname="blosclz"))
    F.put("elements of 20 bytes", np.frombuffer(walk("<i4", 1500).tobytes(), "V20"), **P.Blosc(cname="zlib"))
    F.put("elements of 300 bytes", np.frombuffer(walk("<i4", 1500).tobytes(), "V300"), **P.Blosc(cname="lz4"))
    F.put("runs", np.repeat(noise("u1", 200), rng.integers(1, 900, 200)), **P.Blosc(cname="blosclz", clevel=9, shuffle=0))
    F.write()


def blosc2():
    F = Family("blosc2")
    how = {P.Blosc2.NOFILTER: "as it is", P.Blosc2.SHUFFLE: "shuffled", P.Blosc2.BITSHUFFLE: "bits shuffled", P.Blosc2.DELTA: "delta", P.Blosc2.TRUNC_PREC: "truncated"}
    i4, f8 = walk("<i4", 600), walk("<f8", 200)
    for c in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for s, h in how.items():
            F.put("%s, %s" % (c, h), f8 if h == "truncated" else i4, **P.Blosc2(cname=c, clevel=5, filters=s))
    for t in ("u1", "<i2", "<f8", "<c16", "S3", "S24", "V100", "V300"):
        b = walk("<i4", 900).tobytes()
        x = np.frombuffer(b[:len(b) // np.dtype(t).itemsize * np.dtype(t).itemsize], t)
        for s in (P.Blosc2.SHUFFLE, P.Blosc2.BITSHUFFLE, P.Blosc2.DELTA):
            F.put("%s, %s" % (t, how[s]), x, **P.Blosc2(cname="lz4", filters=s))
    F.put("noise", noise("<f8", 60), **P.Blosc2(cname="zstd"))
    F.put("level 0", i4[:300], **P.Blosc2(cname="lz4", clevel=0))
    F.put("zeros", np.zeros(5000, "<i4"), **P.Blosc2(cname="lz4"))
    F.put("not a number, f4", np.full(5000, np.nan, "<f4"), **P.Blosc2(cname="lz4"))
    F.put("not a number, f8", np.full(5000, np.nan), **P.Blosc2(cname="lz4"))
    F.put("one value", np.full(5000, 1234567, "<i8"), **P.Blosc2(cname="lz4"))
    F.put("one byte", np.full(5000, 77, "u1"), **P.Blosc2(cname="lz4"))
    big = np.concatenate([np.arange(70001) // 60 % 1000, np.zeros(90000)]).astype("<i4")
    for s in (P.Blosc2.SHUFFLE, P.Blosc2.BITSHUFFLE, P.Blosc2.DELTA):
        F.put("several blocks, %s" % how[s], big, **P.Blosc2(cname="zstd", clevel=1, filters=s))
    for shape in ((20, 30), (1, 50), (50, 1), (7, 11), (3, 5, 7), (5, 3, 2, 4), (2, 3, 2, 3, 2), (100, 100), (13, 1000)):
        n = int(np.prod(shape))
        for s in (P.Blosc2.SHUFFLE, P.Blosc2.DELTA):
            F.put("%s, %s" % ("x".join(map(str, shape)), how[s]), (np.arange(n) // 3).astype("<i4").reshape(shape), **P.Blosc2(cname="zstd", filters=s))
    F.put("300x301, shuffled", (np.arange(300 * 301) // 301 % 10).astype("<i4").reshape(300, 301), **P.Blosc2(cname="zstd"))
    F.put("zeros of 17x19", np.zeros((17, 19)), **P.Blosc2(cname="lz4"))
    F.put("noise of 17x19", noise("<f8", 17 * 19).reshape(17, 19), **P.Blosc2(cname="lz4"))
    F.put("level 0 of 17x19", noise("<i2", 17 * 19).reshape(17, 19), **P.Blosc2(cname="lz4", clevel=0))
    F.put("1 of 4 chunks", (np.arange(40 * 60) // 7).reshape(40, 60).astype("<i2"), chunks=(20, 30), chunk=1, **P.Blosc2(cname="blosclz"))
    frames(F)
    F.write()


def frames(F):
    def add(name, frame, b):
        F.cases.append({"name": "frame, " + name, "filters": [{"ID": 32026, "Values": [1, 0, 4, len(b)]}], "encoded": base64.b64encode(frame).decode(), "data": F.key(b)})

    def plain(name, v, chunk, **kw):
        s = b2.SChunk(chunksize=chunk, data=v.tobytes(), cparams=b2.CParams(nthreads=1, **kw), contiguous=True)
        add(name, s.to_cframe(), b"".join(s.decompress_chunk(i) for i in range(s.nchunks)))
    v, f = b2.Filter, walk("<i4", 500)
    plain("three chunks", f, 800, typesize=4)
    plain("delta and shuffle", f, 2000, typesize=4, filters=[v.DELTA, v.SHUFFLE])
    plain("shuffle and bytedelta", f, 2000, typesize=4, filters=[v.SHUFFLE, v.BYTEDELTA], filters_meta=[0, 4])
    plain("shuffle and bitshuffle", f, 2000, typesize=4, filters=[v.SHUFFLE, v.BITSHUFFLE])
    plain("truncated integers", f, 2000, typesize=4, filters=[v.INT_TRUNC, v.SHUFFLE], filters_meta=[8, 0])
    plain("zeros in three chunks", np.zeros(500, "<i4"), 800, typesize=4)
    shapes = dict(shape=(20, 30), chunks=(10, 11), blocks=(3, 4), contiguous=True)
    one = dict(shape=(20, 30), chunks=(20, 30), blocks=(7, 9), contiguous=True)
    for k in (shapes, one):
        n = "%dx%d chunks" % k["chunks"]
        for t in ("<i4", "S3"):
            x = b2.asarray(np.array([i // 2 for i in range(600)]).astype(t).reshape(20, 30), cparams=b2.CParams(nthreads=1), **{a: k[a] for a in ("chunks", "blocks", "contiguous")})
            add(n + ", " + t, x.to_cframe(), x[:].tobytes())
            x = b2.full(fill_value=7 if t == "<i4" else b"abc", dtype=t, **k)
            add(n + ", one value, " + t, x.to_cframe(), x[:].tobytes())
            x = b2.zeros(dtype=t, **k)
            add(n + ", zeros, " + t, x.to_cframe(), x[:].tobytes())
        add(n + ", nothing", b2.uninit(dtype="<i2", **k).to_cframe(), bytes(1200))
        for t in ("<f4", "<f8"):
            x = b2.nans(dtype=t, **k)
            add(n + ", not a number, " + t, x.to_cframe(), x[:].tobytes())


def szip():
    F = Family("szip")
    for method in ("nn", "ec"):
        for ppb in (4, 8, 10, 32):
            for t in ("u1", "<i2", ">i2", "<i4", "<f8"):
                F.put("%s, %d, %s" % (method, ppb, t), walk(t, 150) if t != "u1" else (walk("<i4", 150) % 50).astype("u1"), compression="szip", compression_opts=(method, ppb))
        F.put("%s, zeros" % method, np.zeros(20000, "<i2"), compression="szip", compression_opts=(method, 16))
        F.put("%s, few ones" % method, (rng.random(3000) < 0.02).astype("u1"), compression="szip", compression_opts=(method, 8))
        F.put("%s, low" % method, rng.integers(0, 3, 1000).astype("u1"), compression="szip", compression_opts=(method, 8))
        F.put("%s, noise" % method, noise("<i4", 200), compression="szip", compression_opts=(method, 16))
        F.put("%s, jumps" % method, np.where(rng.random(500) < 0.1, 65535, 0).astype("<u2"), compression="szip", compression_opts=(method, 8))
        F.put("%s, 2-D, lines of 33" % method, walk("<i2", 330).reshape(10, 33), compression="szip", compression_opts=(method, 8))
        F.put("%s, 2-D, lines of 3" % method, walk("<i4", 330).reshape(110, 3), compression="szip", compression_opts=(method, 8))
        F.put("%s, long" % method, walk("<i2", 3000), compression="szip", compression_opts=(method, 32))
    F.write()


def typed(F, name, t, values, mtype):
    """Writes values of a memory type into a dataset of a file type, through nbit."""
    p = h5p.create(h5p.DATASET_CREATE)
    p.set_chunk(values.shape[:1])
    p.set_filter(h5z.FILTER_NBIT, h5z.FLAG_OPTIONAL, ())
    with F.file(name) as f:
        s = h5s.create_simple(values.shape[:1])
        h5d.create(f.id, b"x", t, s, p).write(s, s, values, mtype=mtype)


def nbit():
    F = Family("nbit")
    for base, precision, offset, m in (("U8LE", 5, 0, "u1"), ("U8LE", 3, 4, "u1"), ("U16LE", 12, 0, "u2"), ("U16LE", 12, 3, "u2"), ("U16BE", 9, 7, "u2"), ("I32LE", 17, 0, "i4"),
                                       ("I32BE", 17, 5, "i4"), ("U32LE", 1, 31, "u4"), ("I64LE", 33, 7, "i8"), ("I64BE", 63, 1, "i8"), ("I32LE", 32, 0, "i4")):
        t = getattr(h5t, "STD_" + base).copy()
        t.set_precision(precision)
        t.set_offset(offset)
        lo, hi = (0, 2**precision - 1) if m[0] == "u" else (-2**(precision - 1), 2**(precision - 1) - 1)
        typed(F, "%s, %d bits from bit %d" % (base, precision, offset), t, rng.integers(lo, hi, 100, endpoint=True, dtype=m), h5t.py_create(np.dtype(m)))
    t = h5t.IEEE_F32LE.copy()
    t.set_fields(26, 20, 6, 7, 13)
    t.set_offset(7)
    t.set_precision(20)
    t.set_ebias(31)
    typed(F, "a float of 20 bits", t, (rng.integers(-4096, 4096, 100) / 64).astype("f4"), h5t.IEEE_F32LE)
    typed(F, "a float of 64 bits", h5t.IEEE_F64BE, noise("f8", 20), h5t.IEEE_F64LE)
    u12, i20 = h5t.STD_U16LE.copy(), h5t.STD_I32BE.copy()
    u12.set_precision(12)
    i20.set_precision(20)
    i20.set_offset(3)
    s5 = h5t.C_S1.copy()
    s5.set_size(5)
    inner = h5t.create(h5t.COMPOUND, 8)
    inner.insert(b"p", 1, u12)
    inner.insert(b"q", 3, s5)
    t = h5t.create(h5t.COMPOUND, 64)
    t.insert(b"a", 0, u12)
    t.insert(b"b", 5, i20)
    t.insert(b"c", 10, h5t.array_create(u12, (3,)))
    t.insert(b"s", 17, s5)
    t.insert(b"d", 24, inner)
    t.insert(b"e", 32, h5t.array_create(inner, (2,)))
    t.insert(b"f", 48, h5t.array_create(h5t.array_create(u12, (2,)), (2,)))
    t.insert(b"g", 58, h5t.array_create(s5, (1,)))
    m = np.dtype([("a", "u2"), ("b", "i4"), ("c", "u2", (3,)), ("s", "S5"), ("d", [("p", "u2"), ("q", "S5")]), ("e", [("p", "u2"), ("q", "S5")], (2,)), ("f", "u2", (2, 2)), ("g", "S5", (1,))])
    v = np.zeros(40, m)
    v["a"], v["b"], v["c"] = rng.integers(0, 4096, 40), rng.integers(-2**19, 2**19, 40), rng.integers(0, 4096, (40, 3))
    v["s"] = [b"%05d" % i for i in range(40)]
    v["d"]["p"], v["d"]["q"] = rng.integers(0, 4096, 40), v["s"]
    v["e"]["p"], v["e"]["q"] = rng.integers(0, 4096, (40, 2)), b"text"
    v["f"], v["g"] = rng.integers(0, 4096, (40, 2, 2)), b"abcde"
    mt = h5t.create(h5t.COMPOUND, m.itemsize)
    for name in m.names:
        mt.insert(name.encode(), m.fields[name][1], h5t.array_create(h5t.array_create(h5t.NATIVE_UINT16, (2,)), (2,)) if name == "f" else h5t.py_create(m.fields[name][0]))
    typed(F, "compound", t, v, mt)  # of which the library loses f and g: see nbit.go
    typed(F, "array", h5t.array_create(u12, (3,)), v["c"].copy(), h5t.array_create(h5t.NATIVE_UINT16, (3,)))
    typed(F, "text, which is left alone", s5, v["s"].copy(), s5)
    F.write()


def libhdf5():
    """The library that h5py brings."""
    lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])
    lib.H5Pset_fill_value.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    return lib


def scaleoffset():
    F = Family("scaleoffset")
    for t in ("i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u4", "<i8", ">u8"):
        for n in (0, 7):
            F.put("%s, %d bits" % (t, n), rng.integers(0 if "u" in t else -50, 60, 150).astype(t), scaleoffset=n)
        F.put(t + ", all bits", noise(t, 60), scaleoffset=0)
        F.put(t + ", one value", np.full(90, 77, t), scaleoffset=0)
    F.put("as many bits as there are", walk("<i4", 50), scaleoffset=32)
    F.put("signs", rng.integers(-2**62, 2**61, 50), scaleoffset=0)
    v = rng.integers(0, 9, 200).astype("<i4")
    v[::5] = -99
    F.put("fill value", v, scaleoffset=0, fillvalue=-99)
    F.put("fill value only", np.full(50, -99, ">i8"), scaleoffset=0, fillvalue=-99)
    for t in ("<f4", ">f4", "<f8", ">f8"):
        for d in (0, 1, 3, 6):
            F.put("%s, %d decimals" % (t, d), (rng.normal(0, 100, 120)).astype(t), scaleoffset=d)
        v = (rng.integers(-4000, 4000, 100) / 8).astype(t)
        v[::7] = 1e10
        F.put(t + ", fill value", v, scaleoffset=3, fillvalue=1e10)
        F.put(t + ", too wide", np.array([1e-30, 1e30] * 20, t), scaleoffset=3)
    for t, d in (("<i4", 0), ("<f8", -2), ("<f4", 2), ("<i8", 0)):
        v = np.full(30, 5, t) if t == "<i8" else (rng.normal(0, 9000, 100)).astype(t)
        p = h5p.create(h5p.DATASET_CREATE)
        p.set_chunk(v.shape)
        libhdf5().H5Pset_fill_value(p.id, 0, None)  # undefined, which h5py can't say
        p.set_filter(6, 0, (2 if t[1] == "i" else 0, d & 0xffffffff))
        with F.file("%s, factor %d, no fill value" % (t, d)) as f:
            s = h5s.create_simple(v.shape)
            h5d.create(f.id, b"x", h5t.py_create(v.dtype), s, p).write(s, s, v)
    F.write()


for make in (deflate, chain, lzf, small, bitshuffle, blosc, blosc2, szip, nbit, scaleoffset):
    make()
