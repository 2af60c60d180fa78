"""Makes the test files of this package, and expected.json: their values as the HDF5 library reads them.

    python3 generate.py        (h5py 3.16 over HDF5 2.0 made the files that are checked in)
"""

import base64
import ctypes
import json
import os
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)  # external files and virtual sources are looked for here
rng = np.random.default_rng(7)
UNLIMITED = h5py.h5s.UNLIMITED


def grid(*shape, dtype="<i4"):
    return (np.arange(np.prod(shape)) * 7 % 30011).astype(dtype).reshape(shape)


def filled(f, name, data, chunks, **kw):
    return f.create_dataset(name, data=data, chunks=chunks, **kw)


def library():
    """The HDF5 library that h5py has loaded."""
    with open("/proc/self/maps") as f:
        path = next(line.split()[-1] for line in f if "/libhdf5-" in line or line.rstrip().endswith("/libhdf5.so"))
    return ctypes.CDLL(path)


def partial_edges(f, name, data, chunks):
    """Partial chunks at the edges are not filtered."""
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_chunk(chunks)
    dcpl.set_shuffle()
    dcpl.set_deflate(6)
    assert library().H5Pset_chunk_opts(ctypes.c_int64(dcpl.id), ctypes.c_uint(2)) >= 0  # h5py has no name for it
    d = h5py.h5d.create(f.id, name.encode(), h5py.h5t.py_create(data.dtype), h5py.h5s.create_simple(data.shape), dcpl)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))


def chunked():
    with h5py.File("chunked.h5", "w", libver=("v110", "v110")) as f:
        filled(f, "raw", grid(1003), (100,))
        filled(f, "deflate", grid(1003), (100,), compression="gzip", shuffle=True)
        filled(f, "lzf", grid(1003, dtype=">f8"), (64,), compression="lzf", fletcher32=True)
        filled(f, "grid", grid(37, 23), (5, 4), compression="gzip")
        filled(f, "columns", grid(101, 7), (50, 1), compression="gzip")
        filled(f, "cube", grid(13, 9, 8, dtype="<u2"), (4, 9, 3), compression="gzip")
        filled(f, "wide_chunk", grid(20, 3), (8, 10), compression="gzip", maxshape=(None, None))
        filled(f, "tiny", grid(700), (3,))
        d = f.create_dataset("holes", (50, 30), "<i4", chunks=(7, 8), compression="gzip", fillvalue=-5)
        d[10:12, 5:9] = 1
        d[49, 29] = 2
        f.create_dataset("nothing", (50,), "<i2", chunks=(7,), fillvalue=77)
        f.create_dataset("sparse", (1 << 40,), "<i2", chunks=(16,), fillvalue=9, maxshape=(None,))[5:40] = 3
        partial_edges(f, "edges", grid(45, 11), (10, 4))
        x = np.dtype([("a", "<i2"), ("b", ">f4", (2,)), ("c", "S3")])
        v = np.zeros(60, x)
        v["a"], v["b"], v["c"] = grid(60), grid(60, 2), b"xy"
        filled(f, "compound", v, (11,), compression="gzip", shuffle=True)
        d = f.create_dataset("masked", (40,), "<i4", chunks=(10,), compression="gzip", shuffle=True)
        v = grid(40)
        shuffled = lambda a: a.view("u1").reshape(-1, 4).T.tobytes()
        d.id.write_direct_chunk((0,), v[:10].tobytes(), 3)
        d.id.write_direct_chunk((10,), zlib.compress(v[10:20].tobytes()), 1)
        d.id.write_direct_chunk((20,), shuffled(v[20:30]), 2)
        d.id.write_direct_chunk((30,), zlib.compress(shuffled(v[30:])), 0)


def slab(shape, start, stride, count, block, maxshape=None):
    s = h5py.h5s.create_simple(shape, maxshape or shape)
    s.select_hyperslab(start, count, stride, block)
    return s


def virtual(f, name, dtype, shape, maps, maxshape=None, fill=-1):
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_layout(h5py.h5d.VIRTUAL)
    dcpl.set_fill_value(np.array(fill, dtype))
    for vspace, file, source, space in maps:
        dcpl.set_virtual(vspace, file.encode(), source.encode(), space)
    h5py.h5d.create(f.id, name.encode(), h5py.h5t.py_create(np.dtype(dtype)), h5py.h5s.create_simple(shape, maxshape or shape), dcpl)


def virtuals():
    with h5py.File("source.h5", "w", libver=("v110", "v110")) as f:
        f.create_dataset("a", data=grid(17), maxshape=(None,), chunks=(5,), compression="gzip")
        f.create_dataset("b", data=grid(20) + 1000)
        f.create_dataset("c", data=grid(11) + 2000, maxshape=(None,), chunks=(4,))
        f.create_dataset("m", data=grid(6, 8), maxshape=(None, None), chunks=(4, 3), compression="gzip")
        f.create_dataset("n", data=grid(9, 8) + 500, maxshape=(None, None), chunks=(2, 8))
        f.create_dataset("t", data=grid(4, 3, 5))
        f.create_dataset("scalar", data=np.int32(4242))
        f.create_dataset("f8", data=grid(10, dtype="<f8"))
        f.create_dataset("text", data=["a", "bc", "def"], dtype=h5py.string_dtype())
        f.create_dataset("inner/p0", data=grid(5) + 100)
        f.create_dataset("inner/p1", data=grid(5) + 200)
        f.create_dataset("inner/p3", data=grid(5) + 300)
    with h5py.File("virtual.h5", "w", libver=("v110", "v110")) as f:
        one = lambda n, start, stride, count, block: slab((n,), (start,), (stride,), (count,), (block,))
        # rows taken in turn from sources of different lengths; the last blocks are cut short
        free = lambda start, stride, block: slab((40,), (start,), (stride,), (UNLIMITED,), (block,), (UNLIMITED,))
        every = lambda n: slab((n,), (0,), (1,), (UNLIMITED,), (1,), (UNLIMITED,))
        virtual(f, "interleaved", "<i4", (40,), [(free(0, 5, 3), "source.h5", "a", every(17)), (free(3, 5, 2), "source.h5", "c", every(11))], (UNLIMITED,))
        virtual(f, "growing", "<i4", (1,), [(slab((1,), (0,), (1,), (1,), (UNLIMITED,), (UNLIMITED,)), "source.h5", "a",
                                             slab((17,), (2,), (1,), (1,), (UNLIMITED,), (UNLIMITED,)))], (UNLIMITED,))
        virtual(f, "growing_columns", "<i4", (15, 1),
                [(slab((15, 1), (0, 0), (1, 1), (1, 1), (6, UNLIMITED), (15, UNLIMITED)), "source.h5", "m", slab((6, 8), (0, 0), (1, 1), (1, 1), (6, UNLIMITED), (UNLIMITED, UNLIMITED))),
                 (slab((15, 1), (6, 0), (1, 1), (1, 1), (9, UNLIMITED), (15, UNLIMITED)), "source.h5", "n", slab((9, 8), (0, 2), (1, 1), (1, 1), (9, UNLIMITED), (UNLIMITED, UNLIMITED)))],
                (15, UNLIMITED))
        virtual(f, "printf", "<i4", (5,), [(slab((5,), (0,), (5,), (UNLIMITED,), (5,), (UNLIMITED,)), "source.h5", "inner/p%b", one(5, 0, 1, 1, 5))], (UNLIMITED,))
        virtual(f, "absent_growing", "<i4", (7,), [(slab((7,), (0,), (1,), (1,), (UNLIMITED,), (UNLIMITED,)), "not_there.h5", "a",
                                                    slab((17,), (0,), (1,), (1,), (UNLIMITED,), (UNLIMITED,)))], (UNLIMITED,))
        whole = lambda *s: h5py.h5s.create_simple(s)
        virtual(f, "concatenated", "<i4", (48,), [(one(48, 0, 1, 1, 17), "source.h5", "a", whole(17)), (one(48, 17, 1, 1, 20), "source.h5", "b", whole(20)),
                                                  (one(48, 37, 1, 1, 11), "source.h5", "c", whole(11))])
        virtual(f, "absent", "<i4", (30,), [(one(30, 0, 1, 1, 17), "not_there.h5", "a", whole(17)), (one(30, 20, 1, 1, 10), "source.h5", "nobody", whole(10))])
        virtual(f, "middle", "<i4", (4, 8, 5), [(slab((4, 8, 5), (0, 1, 0), (1, 1, 1), (1, 1, 1), (4, 3, 5)), "source.h5", "t", whole(4, 3, 5)),
                                                (slab((4, 8, 5), (0, 5, 0), (1, 1, 1), (1, 1, 1), (4, 3, 5)), "source.h5", "t", whole(4, 3, 5))])
        virtual(f, "flattened", "<i4", (62,), [(one(62, 1, 1, 1, 60), "source.h5", "t", whole(4, 3, 5))])
        virtual(f, "folded", "<i4", (4, 5), [(whole(4, 5), "source.h5", "b", whole(20))])
        virtual(f, "stacked", "<i4", (11, 3), [(slab((11, 3), (0, 0), (1, 1), (1, 1), (11, 1)), "source.h5", "a", one(17, 3, 1, 1, 11)),
                                               (slab((11, 3), (0, 2), (1, 1), (1, 1), (11, 1)), "source.h5", "c", whole(11))])
        virtual(f, "scalar", "<i4", (3,), [(one(3, 1, 1, 1, 1), "source.h5", "scalar", h5py.h5s.create(h5py.h5s.SCALAR))])
        picked = h5py.h5s.create_simple((6, 8))
        picked.select_none()
        for i, r in enumerate((0, 2, 3, 5)):
            picked.select_hyperslab((r, 1), (1, 3), (1, 2), (1, 1), op=h5py.h5s.SELECT_OR)
        virtual(f, "picked", "<i4", (4, 3), [(whole(4, 3), "source.h5", "m", picked)])
        ragged = h5py.h5s.create_simple((6, 8))
        ragged.select_none()
        ragged.select_hyperslab((0, 0), (1, 1), (1, 1), (3, 2), op=h5py.h5s.SELECT_OR)
        ragged.select_hyperslab((1, 5), (1, 1), (1, 1), (4, 3), op=h5py.h5s.SELECT_OR)
        virtual(f, "ragged", "<i4", (18,), [(whole(18), "source.h5", "m", ragged)])
        virtual(f, "nested", "<i4", (40,), [(one(40, 0, 1, 1, 28), ".", "interleaved", one(28, 0, 1, 1, 28)), (one(40, 30, 2, 5, 1), ".", "stacked", slab((11, 3), (1, 0), (2, 1), (5, 1), (1, 1)))])
        virtual(f, "itself", "<i4", (10,), [(one(10, 0, 1, 1, 5), ".", "itself", one(10, 5, 1, 1, 5))])
        virtual(f, "other_type", "<i4", (10,), [(whole(10), "source.h5", "f8", whole(10))])
        virtual(f, "too_far", "<i4", (30,), [(whole(30), "source.h5", "b", whole(30))])
        layout = h5py.VirtualLayout((3,), dtype=h5py.string_dtype())
        layout[:] = h5py.VirtualSource("source.h5", "text", (3,))
        f.create_virtual_dataset("text", layout)


def converted():
    """Virtual datasets of other types than their sources: each value of these is one of theirs."""
    values = np.array([-3, 0, 1, 100, -100, 127, -128, 5, 6, 7, 8, 9], "i8")
    with h5py.File("converted.h5", "w", libver=("v110", "v110")) as f:
        for name in ("i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
            v = values.astype(name)
            if v.dtype.kind == "f":
                v[3:6] = np.inf, -0.0, np.finfo(name).smallest_subnormal
            f.create_dataset(name, data=v, chunks=(5,), compression="gzip")
        for name in ("u1", "<u2", ">u2", "<u4", ">u4", ">u8"):
            f.create_dataset(name, data=(values & 0xff).astype(name) + np.iinfo(name).max // 2)
        f.create_dataset("missing", (12,), "<i2", chunks=(3,), fillvalue=-7)[3:6] = 4
        whole = h5py.h5s.create_simple((12,))
        for source, targets in (("i1", "<i2 >i8 <f4 >f8"), ("<i2", ">i2 >i4 <f4 <f8"), (">i4", "<i4 <i8 >f8"), (">i8", "<i8"), ("u1", ">i2 <u4 <f4"), (">u2", "<u2 <i4 >u8 >f4"),
                                ("<u4", ">u4 >i8 <f8"), (">u8", "<u8"), ("<f2", ">f2 <f4 >f8"), (">f4", "<f4 >f8"), ("<f8", ">f8"), ("missing", ">i4 <f8")):
            for target in targets.split():
                name = source + " as " + target
                virtual(f, name, target, (14,), [(slab((14,), (1,), (1,), (1,), (12,)), ".", source, whole)], fill=99)
                virtual(f, name + " in part", target, (3, 4), [(slab((3, 4), (0, 1), (1, 2), (3, 2), (1, 1)), ".", source, slab((12,), (2,), (1,), (1,), (6,)))], fill=99)
        for source, target in (("<f8", "<f4"), ("<i4", "<f4"), ("<i4", "<u4"), ("<i4", "<i2"), ("<u4", "<i4"), (">i8", "<f8"), ("<f4", "<i4"), ("i1", "<f2")):
            virtual(f, source + " does not fit " + target, target, (12,), [(whole, ".", source, whole)], fill=99)


def externals():
    data = grid(60).tobytes()
    with open("external_a.raw", "wb") as f:
        f.write(b"head" + data[:100])
    with open("external_b.raw", "wb") as f:
        f.write(data[100:200])
    with h5py.File("external.h5", "w") as f:
        f.create_dataset("parts", (50,), "<i4", external=[("external_a.raw", 4, 100), ("external_b.raw", 0, 100)])
        f.create_dataset("unlimited", (10, 5), "<i4", external=[("external_a.raw", 4, 100), ("external_b.raw", 0, h5py.h5f.UNLIMITED)])
        f.create_dataset("short", (60,), "<i4", external=[("external_a.raw", 4, 140), ("external_b.raw", 20, 100)], fillvalue=7)
        f.create_dataset("gone", (5,), "<i4", external=[("external_gone.raw", 0, 20)])


def read(d):
    """The elements as they are stored, or the error."""
    if h5py.check_string_dtype(d.dtype) is not None and h5py.check_string_dtype(d.dtype).length is None:
        return {"error": True}
    if d.size > 1 << 20:
        d = d[:100]
        return {"shape": [100], "raw": base64.b64encode(d.tobytes()).decode(), "head": True}
    t = d.id.get_type()
    out = np.zeros(d.size * t.get_size(), "u1")
    try:
        d.id.read(h5py.h5s.ALL, h5py.h5s.ALL, out.view("V%d" % t.get_size()).reshape(d.shape), mtype=t)
    except Exception:
        return {"error": True}
    return {"shape": list(d.shape), "raw": base64.b64encode(out.tobytes()).decode()}


def main():
    chunked()
    virtuals()
    converted()
    externals()
    expected = {}
    for name in ("chunked.h5", "source.h5", "virtual.h5", "converted.h5", "external.h5"):
        with h5py.File(name, "r") as f:
            found = {}
            f.visititems(lambda p, o: found.update({"/" + p: read(o)}) if isinstance(o, h5py.Dataset) and p != "itself" else None)
            expected[name] = found
    with open("expected.json", "w") as f:
        json.dump(expected, f, indent=1, sort_keys=True)
        f.write("\n")


main()
