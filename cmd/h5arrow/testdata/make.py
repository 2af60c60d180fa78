#!/usr/bin/env python3
"""Writes the HDF5 files of the command's tests beside itself. It takes h5py; the same files come out each time."""
import os

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def new(name, **kw):
    return h5py.File(os.path.join(HERE, name), "w", **kw)


def put(group, name, data, **kw):
    return group.create_dataset(name, data=data, track_times=False, **kw)


# Two tables, names that need quoting, a dataset under two names, one that Arrow has no type for, links that lead nowhere.
with new("two.h5") as f:
    a = f.create_group("a")
    put(a, "id", np.arange(8, dtype="i4"))
    put(a, "x,y", np.linspace(0, 3.5, 8))
    put(a, "word", np.array(["w%d" % i for i in range(7)] + ["a long word: " + "z" * 40], dtype=object), dtype=h5py.string_dtype())
    b = f.create_group("b")
    put(b, "big", np.arange(3, dtype=">u2"), chunks=(2,), compression="gzip")
    put(b, "flag", np.array([True, False, True]))
    f["b/same"] = b["flag"]
    n = f.create_group("none")
    put(n, "scalar", 7)
    put(n, "short", np.arange(2))
    put(n, "long", np.arange(5))
    n.create_dataset("region", (3,), dtype=h5py.regionref_dtype, track_times=False)
    f["nowhere"] = h5py.SoftLink("/a/gone")

# One table in three files, and a fourth of another schema.
for k, rows in enumerate((3, 0, 2)):
    with new("part%d.h5" % k) as f:
        g = f.create_group("t")
        put(g, "k", np.full(rows, k, "i1"))
        put(g, "v", np.arange(rows) + k / 2)
with new("other.h5") as f:
    put(f.create_group("t"), "k", np.arange(2, dtype="f4"))

# A table with a column that is not supported, and one whose second chunk is broken.
with new("mixed.h5") as f:
    g = f.create_group("t")
    put(g, "good", np.arange(4))
    g.create_dataset("region", (4,), dtype=h5py.regionref_dtype, track_times=False)
with new("broken.h5") as f:
    g = f.create_group("t")
    put(g, "good", np.arange(6))
    d = put(g, "sums", np.arange(6, dtype="i8"), chunks=(2,), fletcher32=True)
    at = d.id.get_chunk_info(1).byte_offset
with open(os.path.join(HERE, "broken.h5"), "rb+") as f:
    f.seek(at + 3)
    f.write(b"\x55")

# Tables that would have one file name, beside one without columns, one that can't be read, and one of which a part can't.
with new("clash.h5") as f:
    put(f, "id", np.arange(2, dtype="i4"))
    for k, name in enumerate(("clash", "a/b", "a.b", "a.b-2")):
        put(f.create_group(name), "k", np.full(3 + k, k, "i4"))
    put(f.create_group("none"), "v", np.empty(0)).parent.attrs["type"] = np.bytes_("table")
    f["none"].create_group("columns")
    f.create_group("refs").create_dataset("region", (4,), dtype=h5py.regionref_dtype, track_times=False)
    g = f.create_group("part")
    put(g, "good", np.arange(4, dtype="i4"))
    g.create_dataset("region", (4,), dtype=h5py.regionref_dtype, track_times=False)

# A table beside something that may be another: a frame of pandas' whose blocks can't be counted, an object with a message
# of a later version of the format.
with new("half.h5") as f:
    put(f.create_group("good"), "id", np.arange(5, dtype="i4"))
    g = f.create_group("frame")
    for name, value in ("pandas_type", "frame"), ("pandas_version", "0.15.2"), ("encoding", "UTF-8"), ("errors", "strict"):
        g.attrs[name] = np.bytes_(value)
    g.attrs["ndim"], g.attrs["nblocks"] = 2, 1000000
with new("halfnew.h5") as f:
    put(f.create_group("good"), "id", np.arange(5, dtype="i4"))
    put(f.create_group("later"), "x", np.arange(3, dtype="f8"))
name = os.path.join(HERE, "halfnew.h5")
with open(name, "rb") as f:
    data = f.read()
at = data.index(b"\x05\x00\x08\x00\x01\x00\x00\x00\x02\x02\x02", data.index(b"\x11\x20\x3f\x00"))  # the fill value message after a float64
with open(name, "rb+") as f:
    f.seek(at)
    f.write(b"\xee\x00\x08\x00\x80")  # an unknown message that must be understood

# Columns that are sound as far as their descriptions go, of which the values can't be read: a deflated chunk, a checksum, text whose
# heap is broken, a number that no member of an enumeration has, a file that is missing.
with new("unreadable.hdf5") as f:
    g = f.create_group("t")
    put(g, "good", np.arange(6))
    put(g, "also", np.arange(6) / 4, chunks=(2,), compression="gzip")
    places = [put(g, "deflated", np.arange(6) * 1001, chunks=(2,), compression="gzip").id.get_chunk_info(1).byte_offset]
    places += [put(g, "sums", np.arange(6), chunks=(2,), fletcher32=True).id.get_chunk_info(2).byte_offset]
    put(g, "text", np.array(["word %d" % i for i in range(6)], dtype=object), dtype=h5py.string_dtype())
    e = g.create_dataset("enum", (6,), dtype=h5py.enum_dtype({"a": 0, "b": 1}, basetype="i1"), track_times=False)
    e.id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([0, 1, 0, 9, 1, 0], "i1"), mtype=e.id.get_type())
    g.create_dataset("far", (6,), dtype="i4", external=[("no such file.raw", 0, 24)], track_times=False)
with open(os.path.join(HERE, "unreadable.hdf5"), "rb+") as f:
    b = f.read()
    places += [b.index(b"GCOL") + 24]  # the size of the first object
    for at in places:
        f.seek(at)
        f.write(bytes([b[at] ^ 0xFF] * 2))

# A column for each kind of defect, which the tests make; those of the last three are in the file. Compressed by gzip -9n.
with new("defects.h5", libver="earliest") as f:
    g = f.create_group("t")
    put(g, "good", np.arange(6))
    put(g, "filter", np.arange(6), chunks=(3,), compression="gzip")
    put(g, "index", np.arange(6), chunks=(3,))
    put(g, "sums", np.arange(6) + 1000, chunks=(3,), fletcher32=True)
    put(g, "heap", np.array(["word %d" % i for i in range(6)], dtype=object), dtype=h5py.string_dtype())
    g.create_dataset("external", (6,), dtype="i4", external=[("no such file.raw", 0, 24)], track_times=False)
    g.create_dataset("fill", (6,), dtype="i8", chunks=(3,), fillvalue=0x1122334455667788, track_times=False)
    put(g, "place", np.arange(6) + 0x5A5A5A5A)
    put(g, "attribute", np.arange(6)).attrs["defective"] = np.int32(5)
    put(g, "text", np.array([b"ab", b"\xff\xfe", b"c", b"d", b"e", b"f"]))
    g.create_dataset("region", (6,), dtype=h5py.regionref_dtype, track_times=False)
    e = g.create_dataset("enum", (6,), dtype=h5py.enum_dtype({"a": 0, "b": 1}, basetype="i1"), track_times=False)
    e.id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([0, 1, 0, 9, 1, 0], "i1"), mtype=e.id.get_type())

# Names that SQL takes for one, a keyword, and datasets outside of tables.
with new("sql/names.h5") as f:
    for i, n in enumerate(("Run", "run")):
        g = f.create_group(n)
        put(g, "A", np.arange(3, dtype="i4") + 100 * i)
        put(g, "a", np.arange(3, dtype="i4") + 100 * i + 10)
    g = f.create_group("table")
    put(g, "x", np.arange(4, dtype="i4"))
    put(g, "y", np.arange(4) / 2)
    g = f.create_group("loose")
    put(g, "matrix", np.arange(12, dtype="i4").reshape(4, 3))
    put(g, "ID", np.arange(2, dtype="i4"))
    put(g, "id", np.arange(5, dtype="i4"))

# No table at all.
with new("sql/loose.h5") as f:
    put(f, "matrix", np.arange(12, dtype="i4").reshape(4, 3))
    put(f, "cube", np.arange(24, dtype="i2").reshape(2, 3, 4))
    put(f, "answer", 42)
    put(f, "words", np.array([b"a", b"bc", b"d", b"", b"e"]), chunks=(2,), compression="gzip")

# A table of vaex whose columns have different lengths.
with new("sql/uneven.h5") as f:
    for name, rows in (("x", 5), ("y", 3)):
        put(f.create_group("table/columns/" + name), "data", np.arange(rows, dtype="i4"))
