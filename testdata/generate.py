#!/usr/bin/env python3
"""Writes the HDF5 files of this folder, what is in them (expected/*.json), and SHA256SUMS.

    build/venv-pandas2/bin/python testdata/generate.py [--only NAME,...]

It ran once: its output is committed, and tests compare it with SHA256SUMS. With the versions of h5py and vaex in
interop/requirements-pandas2.txt the output is the same except for time stamps and unused bytes. The values in expected/*.json are
those in memory when the file was written; types, storage and chunk indexes are as libhdf5 describes them. This project read
none of them.

expected/NAME.json:
  superblock    version of the superblock, and userblock: the number of bytes before it
  objects       path -> {kind, ...}
    group       links: [name, "hard"] | [name, "soft", target] | [name, "external", file, target], in the order of the file: creation order where
                it is tracked (`tracked`), else by name
    dataset     type (as `h5arrow inspect` prints it), shape (null: a null dataspace), maxshape (-1: unlimited; only where it differs), layout,
                chunks, index, filters (numbers), fill (user-defined only), values (absent if there are none to compare with);
                written, instead of values: the item's index in C order -> value; all others have the fill value
    type        a committed datatype: type
  attributes of each object: name -> {type, shape, values}
  tables        path -> {rows, columns: [{name, type (as pyarrow prints it), values}]}, for files that are tables by some convention

values: nested lists in C order; integers, enums and bitfields as integers, floats as numbers or "NaN", "Infinity", "-Infinity", "-0.0"; text as strings,
opaque bytes in hex, complex as [re, im], compound as lists of members, references as paths ("" for a null reference), null where a table says null.
"""
import argparse
import ctypes
import glob
import hashlib
import json
import math
import os
import sys
import tempfile

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5o, h5p, h5r, h5s, h5t

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(os.path.dirname(h5py.__file__)), "h5py.libs", "libhdf5-*.so*"))[0])
for call, result, arguments in (
        ("H5Tget_precision", ctypes.c_size_t, [ctypes.c_int64]), ("H5Tget_offset", ctypes.c_int, [ctypes.c_int64]),
        ("H5Dget_chunk_index_type", ctypes.c_int, [ctypes.c_int64, ctypes.POINTER(ctypes.c_int)]),
        ("H5Pset_shared_mesg_nindexes", ctypes.c_int, [ctypes.c_int64, ctypes.c_uint]),
        ("H5Pset_shared_mesg_index", ctypes.c_int, [ctypes.c_int64, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint])):
    getattr(LIB, call).restype, getattr(LIB, call).argtypes = result, arguments
INDEXES = {0: "btree-v1", 1: "single", 2: "implicit", 3: "fixed-array", 4: "extensible-array", 5: "btree-v2"}
LAYOUTS = {h5d.COMPACT: "compact", h5d.CONTIGUOUS: "contiguous", h5d.CHUNKED: "chunked", h5d.VIRTUAL: "virtual"}
PADDING = {h5t.STR_NULLTERM: "nullterm", h5t.STR_NULLPAD: "nullpad", h5t.STR_SPACEPAD: "spacepad"}
IEEE = {16: (15, 10, 5, 0, 10), 32: (31, 23, 8, 0, 23), 64: (63, 52, 11, 0, 52)}


# ---- describing --------------------------------------------------------------------------------------------------

def type_text(t):
    """Returns the type as `h5arrow inspect` prints it."""
    kind, bits = t.get_class(), t.get_size() * 8

    def order():
        return {h5t.ORDER_LE: "le", h5t.ORDER_BE: "be"}.get(t.get_order(), "")
    if kind in (h5t.INTEGER, h5t.BITFIELD):
        letter = "b" if kind == h5t.BITFIELD else "u" if t.get_sign() == h5t.SGN_NONE else "i"
        precision, offset = LIB.H5Tget_precision(t.id), LIB.H5Tget_offset(t.id)
        return "%s%d%s%s" % (letter, bits, order() if bits > 8 else "", "" if (precision, offset) == (bits, 0) else "[p%d@%d]" % (precision, offset))
    if kind == h5t.FLOAT:
        fields = t.get_fields()
        return "f%d%s%s" % (bits, order(), "" if IEEE.get(bits) == fields else "[fields %s bias %d]" % (fields, t.get_ebias()))
    if kind == h5t.STRING:
        length = "vstr" if t.is_variable_str() else "str%d" % t.get_size()
        return "%s(%s,%s)" % (length, "utf8" if t.get_cset() == h5t.CSET_UTF8 else "ascii", PADDING[t.get_strpad()])
    if kind == h5t.OPAQUE:
        return "opaque%d(%r)" % (t.get_size(), t.get_tag().decode())
    if kind == h5t.COMPOUND:
        return "compound%d{%s}" % (t.get_size(), ", ".join(
            "%s@%d:%s" % (t.get_member_name(i).decode(), t.get_member_offset(i), type_text(t.get_member_type(i))) for i in range(t.get_nmembers())))
    if kind == h5t.REFERENCE:
        return "ref%d" % t.get_size()
    if kind == h5t.ENUM:
        return "enum(%s){%s}" % (type_text(t.get_super()), ", ".join(
            "%s=%d" % (t.get_member_name(i).decode(), t.get_member_value(i)) for i in range(t.get_nmembers())))
    if kind == h5t.VLEN:
        return "vlen<%s>" % type_text(t.get_super())
    if kind == h5t.ARRAY:
        return "array%s<%s>" % (list(t.get_array_dims()), type_text(t.get_super()))
    if kind == getattr(h5t, "COMPLEX", None):
        return "complex<%s>" % type_text(t.get_super())
    raise ValueError("class %d" % kind)


def plain(v):
    """Returns a value for JSON."""
    if v is None or isinstance(v, (bool, str, int)):
        return v
    if isinstance(v, bytes):
        return v.decode("utf-8")
    if isinstance(v, np.void) and v.dtype.names:
        return [plain(v[n]) for n in v.dtype.names]
    if isinstance(v, np.void):
        return bytes(v).hex()
    if isinstance(v, (complex, np.complexfloating)):
        return [plain(v.real), plain(v.imag)]
    if isinstance(v, (float, np.floating)):
        v = float(v)
        if math.isnan(v):
            return "NaN"
        return v if math.isfinite(v) and (v or math.copysign(1, v) > 0) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(v, "-0.0")
    if isinstance(v, (np.bool_, np.integer)):
        return int(v)
    if isinstance(v, np.ndarray) and v.ndim == 0:
        return plain(v[()])
    if isinstance(v, (np.ndarray, list, tuple)):
        return [plain(x) for x in v]
    raise TypeError(type(v))


def describe(d):
    """Returns what libhdf5 says about a dataset."""
    plist, space = d.get_create_plist(), d.get_space()
    out = {"kind": "dataset", "type": type_text(d.get_type()), "shape": None}
    if space.get_simple_extent_type() != h5s.NULL:
        out["shape"] = list(space.get_simple_extent_dims())
        maxshape = list(space.get_simple_extent_dims(True))
        if maxshape != out["shape"]:
            out["maxshape"] = [-1 if m == h5s.UNLIMITED else m for m in maxshape]
    out["layout"] = "external" if plist.get_external_count() else LAYOUTS[plist.get_layout()]
    if out["layout"] == "chunked":
        index = ctypes.c_int()
        LIB.H5Dget_chunk_index_type(d.id, ctypes.byref(index))
        out["chunks"], out["index"] = list(plist.get_chunk()), INDEXES[index.value]
    if plist.get_nfilters():
        out["filters"] = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    return out


# ---- writing -----------------------------------------------------------------------------------------------------

class Fixture:
    """An HDF5 file and the description of its contents."""

    def __init__(self, name, low="earliest", high="v108", userblock=0, shared=False, tracked=False):
        self.name, self.path = name, os.path.join(HERE, name + ".h5")
        create, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
        create.set_obj_track_times(False)
        create.set_userblock(userblock)
        if tracked:
            create.set_link_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
        if shared:  # dataspaces, datatypes, fill values, filters and attributes in one index, from 8 bytes on
            LIB.H5Pset_shared_mesg_nindexes(create.id, 1)
            LIB.H5Pset_shared_mesg_index(create.id, 0, 0x182A, 8)
        bounds = {"earliest": h5f.LIBVER_EARLIEST, "v108": h5f.LIBVER_V18, "v110": h5f.LIBVER_V110, "latest": h5f.LIBVER_LATEST}
        access.set_libver_bounds(bounds[low], bounds[high])
        access.set_fclose_degree(h5f.CLOSE_STRONG)
        self.f = h5py.File(h5f.create(self.path.encode(), h5f.ACC_TRUNC, create, access))
        self.objects, self.userblock, self.tables = {}, userblock, None
        self.group("/", tracked)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            for path, o in self.objects.items():
                if o["kind"] == "group":
                    self.links(path, o)
        self.f.close()
        if kind is None:
            write_json(self.name, {"superblock": superblock(self.path, self.userblock), "userblock": self.userblock, "objects": self.objects},
                       self.tables)

    def links(self, path, o):
        g = self.f[path].id
        names = []
        g.links.iterate(names.append, idx_type=h5py.h5.INDEX_CRT_ORDER if o.get("tracked") else h5py.h5.INDEX_NAME)
        for n in names:
            kind = g.links.get_info(n).type
            name = n.decode()
            if kind == h5py.h5l.TYPE_HARD:
                o["links"].append([name, "hard"])
            elif kind == h5py.h5l.TYPE_SOFT:
                o["links"].append([name, "soft", g.links.get_val(n).decode()])
            else:
                o["links"].append([name, "external"] + [x.decode() for x in g.links.get_val(n)])

    def parent(self, path):
        up, leaf = path.rsplit("/", 1)
        if up and up not in self.objects:
            self.group(up)
        return self.f[up or "/"].id, leaf.encode()

    def group(self, path, tracked=False, dense=None):
        self.objects[path] = {"kind": "group", "links": []}
        if tracked:
            self.objects[path]["tracked"] = True
        if path == "/":
            return
        where, leaf = self.parent(path)
        create = h5p.create(h5p.GROUP_CREATE)
        create.set_obj_track_times(False)
        if tracked:
            create.set_link_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
        if dense:
            create.set_link_phase_change(*dense)
        h5g.create(where, leaf, gcpl=create)

    def dataset(self, path, type, values, shape=None, maxshape=None, raw=None, record=True, dense=None, fill=None, memory=None, space=None, **plist):
        """Writes a dataset. type: an h5t type or a numpy dtype. memory: the dtype of values, if numpy can't tell. raw: bytes of
        the type to write instead of values. plist: arguments of the creation list's set_* functions."""
        tid = type if isinstance(type, h5t.TypeID) else h5t.py_create(np.dtype(type), logical=True)
        create = h5p.create(h5p.DATASET_CREATE)
        create.set_obj_track_times(False)
        if dense:
            create.set_attr_phase_change(*dense)
        for k, v in plist.items():
            getattr(create, "set_" + k)(*(v if isinstance(v, tuple) and k != "chunk" else (v,)))
        if fill is not None:
            create.set_fill_value(np.asarray(fill))
        if shape is None:
            shape = np.shape(values)
        if space is None:
            space = h5s.create(h5s.SCALAR) if shape == () else h5s.create_simple(shape, maxshape)
        where, leaf = self.parent(path)
        d = h5d.create(where, leaf, tid, space, create)
        if raw is not None:
            d.write(h5s.ALL, h5s.ALL, np.frombuffer(raw, np.uint8).copy(), mtype=tid)
        elif values is not None and np.size(values):
            d.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(values) if shape != () else np.asarray(values), mtype=None if memory is None else h5t.py_create(np.dtype(memory)))
        out = describe(d)
        if fill is not None:
            out["fill"] = plain(np.asarray(fill))
        if record:
            out["values"] = plain(values)
        self.objects[path] = out
        return d

    def attribute(self, path, name, type, values, shape=None, expected=None, space=None):
        tid = type if isinstance(type, h5t.TypeID) else h5t.py_create(np.dtype(type), logical=True)
        if shape is None:
            shape = np.shape(values)
        null = space is not None
        if space is None:
            space = h5s.create(h5s.SCALAR) if shape == () else h5s.create_simple(shape)
        a = h5a.create(self.f[path].id, name.encode(), tid, space)
        if not null:
            a.write(np.asarray(values, dtype=None if isinstance(type, h5t.TypeID) else type))
        out = {"type": type_text(a.get_type()), "shape": None if null else list(shape), "values": expected}
        if expected is None and not null:
            out["values"] = plain(values)
        self.objects[path].setdefault("attributes", {})[name] = out

    def alias(self, path, other):
        """Makes other another hard link to path."""
        where, leaf = self.parent(other)
        where.links.create_hard(leaf, self.f.id, path.encode())

    def soft(self, path, target):
        where, leaf = self.parent(path)
        where.links.create_soft(leaf, target.encode())

    def outside(self, path, file, target):
        where, leaf = self.parent(path)
        where.links.create_external(leaf, file.encode(), target.encode())


def superblock(path, at):
    with open(path, "rb") as f:
        f.seek(at + 8)
        return f.read(1)[0]


def write_json(name, content, tables=None):
    if tables is not None:
        content["tables"] = tables
    with open(os.path.join(HERE, "expected", name + ".json"), "w", encoding="utf-8") as f:
        f.write(squeeze(content) + "\n")


def squeeze(v, indent=""):
    """Returns JSON with one line for each member of an object that has objects in it, and everything else on one line."""
    if isinstance(v, dict) and any(isinstance(x, dict) or isinstance(x, list) and x and isinstance(x[0], dict) for x in v.values()):
        inner = indent + " "
        return "{\n" + ",\n".join("%s%s: %s" % (inner, json.dumps(k, ensure_ascii=False), squeeze(x, inner)) for k, x in v.items()) + "\n" + indent + "}"
    if isinstance(v, list) and v and isinstance(v[0], dict):
        inner = indent + " "
        return "[\n" + ",\n".join(inner + squeeze(x, inner) for x in v) + "\n" + indent + "]"
    return json.dumps(v, ensure_ascii=False, separators=(",", ":"))


def fixed(size, pad, cset=h5t.CSET_UTF8):
    t = h5t.C_S1.copy()
    t.set_size(size)
    t.set_strpad(pad)
    t.set_cset(cset)
    return t


def variable(cset=h5t.CSET_UTF8):
    return fixed(h5t.VARIABLE, h5t.STR_NULLTERM, cset)


def extremes(dtype, n):
    """Returns n values, with the least and the greatest of the type."""
    dt = np.dtype(dtype)
    if dt.kind == "f":
        info = np.finfo(dt.newbyteorder("="))
        special = [0.0, -0.0, 1.5, -2.25, np.nan, np.inf, -np.inf, info.max, info.tiny, info.smallest_subnormal]
        return np.array((special * (n // len(special) + 1))[:n], dt)
    info = np.iinfo(dt)
    return np.array(([info.min, info.max, 0, 1, info.max // 3, info.min // 3] * (n // 6 + 1))[:n], dt)


# ---- the files ---------------------------------------------------------------------------------------------------

def numbers(x, n=10):
    for order in "<>":
        for t in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"):
            if order == ">" and t[1] == "1":
                continue
            x.dataset("/numbers/" + t + {"<": "le", ">": "be"}[order] * (t[1] != "1"), order + t, extremes(order + t, n))
    for bits, t, a in ((8, h5t.STD_B8LE, "u1"), (16, h5t.STD_B16BE, ">u2"), (32, h5t.STD_B32LE, "<u4"), (64, h5t.STD_B64BE, ">u8")):
        v = extremes(a, n)
        x.dataset("/numbers/bits%d" % bits, t, v, raw=v.tobytes())
    wide = h5t.STD_I32LE.copy()
    wide.set_size(3)
    wide.set_precision(24)
    v = [0, 1, -1, 2**23 - 1, -2**23]
    x.dataset("/numbers/i3", wide, v, raw=b"".join(int(i).to_bytes(3, "little", signed=True) for i in v))
    part = h5t.STD_U16BE.copy()
    part.set_precision(10)
    part.set_offset(3)
    v = [0, 1, 1023, 512]
    x.dataset("/numbers/u10", part, v, raw=b"".join((i << 3).to_bytes(2, "big") for i in v))
    brain = h5t.IEEE_F32LE.copy()
    brain.set_fields(15, 7, 8, 0, 7)
    brain.set_size(2)
    brain.set_ebias(127)
    v = np.array([0, 1, -2.5, 3.140625, np.inf], "<f4")
    x.dataset("/numbers/bfloat16", brain, v, raw=(v.view("<u4") >> 16).astype("<u2").tobytes())
    v = np.array([0, 1.5, -2.25, 1e300], np.longdouble)
    x.dataset("/numbers/f10", np.longdouble, v)
    x.dataset("/numbers/scalar", "<f8", np.float64(6.5))
    x.dataset("/numbers/matrix", "<i4", np.arange(24, dtype="<i4").reshape(4, 3, 2))


def texts(x):
    words = ["plain", "", "größe", "日本", "x" * 11, " lead", "tail  "]
    for name, pad, fillbyte in (("nullterm", h5t.STR_NULLTERM, b"\0"), ("nullpad", h5t.STR_NULLPAD, b"\0"), ("spacepad", h5t.STR_SPACEPAD, b" ")):
        want = [w.rstrip(" ") if name == "spacepad" else w for w in words]
        x.dataset("/text/" + name, fixed(12, pad), want, raw=b"".join(w.encode().ljust(12, fillbyte) for w in words))
    x.dataset("/text/full", fixed(3, h5t.STR_NULLPAD, h5t.CSET_ASCII), ["abc", "ab", ""], raw=b"abcab\0\0\0\0")
    x.dataset("/text/variable", variable(), np.array(words + ["long " * 200], object), memory=h5py.string_dtype())
    x.dataset("/text/unwritten", variable(), None, shape=(4,), record=False)
    x.objects["/text/unwritten"]["values"] = [""] * 4
    x.dataset("/text/chunked", variable(), np.array([w * 3 for w in words], object), chunk=(3,), deflate=4,
              memory=h5py.string_dtype())
    x.dataset("/text/grid", variable(h5t.CSET_ASCII), np.array([["a", "b"], ["c", "d"], ["", "f"]], object),
              memory=h5py.string_dtype("ascii"))


def sequences(x):
    v = np.empty(5, object)
    for i in range(5):
        v[i] = np.arange(i * i, dtype="<i4")
    x.dataset("/sequences/ints", h5t.py_create(h5py.vlen_dtype("<i4"), logical=True), v, memory=h5py.vlen_dtype("<i4"))
    v = np.empty(3, object)
    for i in range(3):
        v[i] = np.arange(i + 1, dtype="<f8") / 4
    x.dataset("/sequences/doubles_be", h5t.py_create(h5py.vlen_dtype(">f8"), logical=True), v, chunk=(2,),
              memory=h5py.vlen_dtype("<f8"))
    x.dataset("/sequences/unwritten", h5t.py_create(h5py.vlen_dtype("<i4"), logical=True), None, shape=(3,), record=False)
    x.objects["/sequences/unwritten"]["values"] = [[], [], []]


def structures(x):
    inner = np.dtype([("x", "<i2"), ("y", ">f4")])
    outer = np.dtype({"names": ["id", "pair", "name", "cube", "flag"], "formats": ["<u4", inner, "S5", ("<i1", (2, 3)), "?"],
                      "offsets": [0, 8, 16, 24, 31], "itemsize": 40})
    v = np.zeros(4, outer)
    for i in range(4):
        v[i] = (i, (i * 10, i / 2), b"n" * i, np.arange(6).reshape(2, 3) + i, i % 2)
    x.dataset("/types/compound", outer, v, memory=outer)
    x.dataset("/types/compound_chunked", outer, v, chunk=(3,), shuffle=(), deflate=1, memory=outer)
    v = np.array([1 + 2j, -0.5j, 3], "<c16")
    x.dataset("/types/complex", np.dtype([("r", "<f8"), ("i", "<f8")]), v.view([("r", "<f8"), ("i", "<f8")]))
    colours = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 40}, "<i2")
    x.dataset("/types/enum", colours, np.array([0, 40, 1, 1], "<i2"), memory=colours)
    x.dataset("/types/bool", "?", np.array([True, False, True]))
    x.dataset("/types/array", np.dtype(("<i4", (2, 2))), np.arange(12, dtype="<i4").reshape(3, 2, 2), shape=(3,),
              memory=("<i4", (2, 2)))
    opaque = h5t.create(h5t.OPAQUE, 5)
    opaque.set_tag(b"five bytes")
    x.dataset("/types/opaque", opaque, ["0001020304", "ff00ff00ff"], raw=bytes.fromhex("0001020304ff00ff00ff"))
    moment = h5t.create(h5t.OPAQUE, 8)
    moment.set_tag(b"NUMPY:datetime64[ms]")
    v = np.array([0, 1_700_000_000_000], "<i8")
    x.dataset("/types/numpy_time", moment, [t.tobytes().hex() for t in v], raw=v.tobytes())
    targets = ["/sequences/ints", "", "/sequences", "/types/enum"]
    refs = np.empty(4, h5py.ref_dtype)
    for i, t in enumerate(targets):
        if t:
            refs[i] = x.f[t].ref
        else:
            refs[i] = h5py.Reference()
    d = x.dataset("/types/reference", h5t.STD_REF_OBJ, None, shape=(4,), record=False)
    d.write(h5s.ALL, h5s.ALL, refs)
    x.objects["/types/reference"]["values"] = targets
    region = np.empty(1, h5py.regionref_dtype)
    region[0] = x.f["/numbers/matrix"].regionref[1:3, :, 0]
    d = x.dataset("/types/region", h5t.STD_REF_DSETREG, None, shape=(1,), record=False)
    d.write(h5s.ALL, h5s.ALL, region)
    committed = h5t.py_create(colours, logical=True)
    where, leaf = x.parent("/types/colour")
    committed.commit(where, leaf)
    x.objects["/types/colour"] = {"kind": "type", "type": type_text(committed)}
    x.dataset("/types/committed", committed, np.array([40, 0], "<i2"), raw=np.array([40, 0], "<i2").tobytes())


def layouts(x):
    a = (np.arange(60, dtype="<i4") ** 2).reshape(20, 3)
    x.dataset("/layouts/compact", "<i4", a, layout=h5d.COMPACT)
    x.dataset("/layouts/contiguous", "<i4", a)
    x.dataset("/layouts/chunked", "<i4", a, chunk=(7, 2))
    x.dataset("/layouts/deflate", "<i4", a, chunk=(7, 2), deflate=6)
    x.dataset("/layouts/all", "<i4", a, chunk=(7, 3), shuffle=(), deflate=9, fletcher32=())
    x.dataset("/layouts/fletcher32", "<i2", a.astype("<i2"), chunk=(5, 3), fletcher32=())
    x.dataset("/layouts/shuffle", "<f8", a.astype("<f8"), chunk=(4, 3), shuffle=())
    x.dataset("/layouts/nbit", "<i4", a, chunk=(10, 3), filter=(5, 0))
    x.dataset("/layouts/scaleoffset", "<i4", a, chunk=(10, 3), scaleoffset=(h5py.h5z.SO_INT, 0))
    d = x.f.create_dataset("/layouts/lzf", data=np.repeat(a, 5, axis=0), chunks=(50, 3), compression="lzf")
    x.objects["/layouts/lzf"] = dict(describe(d.id), values=plain(np.repeat(a, 5, axis=0)))
    # A chunk for which a filter was skipped (its bit in the mask), and a chunk that was never written.
    d = x.dataset("/layouts/skipped", "<i4", None, shape=(9,), chunk=(3,), deflate=1, fill=np.int32(-7), record=False)
    h5py.Dataset(d)[0:3] = [1, 2, 3]
    d.write_direct_chunk((6,), np.array([7, 8, 9], "<i4").tobytes(), filter_mask=1)
    x.objects["/layouts/skipped"]["values"] = [1, 2, 3, -7, -7, -7, 7, 8, 9]
    many = np.arange(300, dtype="<u2")
    x.dataset("/layouts/many", "<u2", many, chunk=(2,))  # 150 chunks: a B-tree of several levels
    x.dataset("/layouts/resizable", "<i4", a, maxshape=(h5s.UNLIMITED, 5), chunk=(8, 5))
    x.dataset("/layouts/empty", "<i4", np.zeros((0, 3), "<i4"))
    x.dataset("/layouts/empty_chunked", "<f8", np.zeros(0), maxshape=(h5s.UNLIMITED,), chunk=(16,))
    x.dataset("/layouts/null", "<i4", None, space=h5s.create(h5s.NULL))
    x.dataset("/layouts/unwritten", "<f4", None, shape=(5,), fill=np.float32(2.5), record=False)
    x.objects["/layouts/unwritten"]["values"] = [2.5] * 5
    x.dataset("/layouts/fill_undefined", "<i8", np.arange(4, dtype="<i8"), fill_time=h5d.FILL_TIME_NEVER)


def attributes(x):
    x.group("/attributes")
    at = "/attributes"
    x.attribute(at, "int", "<i4", np.int32(-5))
    x.attribute(at, "ints_be", ">i8", np.array([1, 2, 3]))
    x.attribute(at, "matrix", "<f8", np.arange(6.0).reshape(2, 3))
    x.attribute(at, "fixed", np.dtype("S8"), np.bytes_(b"fixed"), expected="fixed")
    x.attribute(at, "variable", h5py.string_dtype(), "größe")
    x.attribute(at, "words", h5py.string_dtype(), np.array(["a", "", "ccc"], object))
    x.attribute(at, "bool", "?", np.bool_(True))
    pair = np.dtype([("a", "<i4"), ("b", "<f8")])
    x.attribute(at, "compound", pair, np.array([(1, 2.5), (3, -4.0)], pair))
    x.attribute(at, "null", "<i4", None, space=h5s.create(h5s.NULL))
    x.attribute(at, "größe", "<u1", np.uint8(7))
    ref = np.empty((), h5py.ref_dtype)
    ref[()] = x.f["/attributes"].ref
    x.attribute(at, "reference", h5py.ref_dtype, ref, expected="/attributes")


def old():
    with Fixture("old", "earliest", "v108") as x:
        numbers(x)
        texts(x)
        sequences(x)
        structures(x)
        layouts(x)
        attributes(x)
        x.attribute("/numbers/u1", "units", h5py.string_dtype(), "m/s")
        x.group("/links")
        x.alias("/numbers/u1", "/links/alias")
        x.alias("/numbers", "/links/group_alias")
        x.alias("/", "/links/root")  # a cycle
        x.soft("/links/soft", "/numbers/i4le")
        x.soft("/links/relative", "soft")
        x.soft("/links/dangling", "/nowhere")
        x.soft("/links/loop", "/links/loop")
        x.outside("/links/outside", "linked.h5", "/inside/values")
        x.outside("/links/outside_dangling", "missing.h5", "/x")
        x.group("/links/empty")
    with Fixture("linked") as x:
        x.dataset("/inside/values", "<i4", np.arange(6, dtype="<i4"))


def indexes(x):
    """Writes each chunk index of the newer formats, with and without filters, with missing chunks."""
    unlimited = h5s.UNLIMITED
    a = np.arange(40, dtype="<i4")
    for name, filters in (("", {}), ("_deflate", {"shuffle": (), "deflate": 3})):
        x.dataset("/index/single" + name, "<i4", a, chunk=(40,), **filters)
        x.dataset("/index/fixed_one" + name, "<i4", a, maxshape=(50,), chunk=(50,), **filters)
        x.dataset("/index/fixed" + name, "<i4", a, chunk=(7,), **filters)
        x.dataset("/index/extensible" + name, "<i4", np.arange(500, dtype="<i4"), maxshape=(unlimited,), chunk=(4,), **filters)
        x.dataset("/index/btree" + name, "<i4", np.arange(450, dtype="<i4").reshape(30, 15), maxshape=(unlimited, unlimited), chunk=(3, 4), **filters)
        sparse(x, "/index/fixed_sparse" + name, (3000,), None, (2,), [0, 1, 7, 1499, 1024], filters)
        sparse(x, "/index/extensible_sparse" + name, (6000,), (unlimited,), (2,), [0, 3, 4, 5, 200, 2999], filters)
        sparse(x, "/index/btree_sparse" + name, (64, 64), (unlimited, unlimited), (8, 8), [0, 9, 63], filters)
    x.dataset("/index/implicit", "<i4", a, chunk=(6,), alloc_time=h5d.ALLOC_TIME_EARLY)
    x.dataset("/index/grid", "<i2", np.arange(5 * 6 * 7, dtype="<i2").reshape(5, 6, 7), chunk=(2, 4, 3))
    x.dataset("/index/unwritten", "<i4", None, shape=(20,), maxshape=(unlimited,), chunk=(4,), fill=np.int32(9), record=False)
    x.objects["/index/unwritten"]["values"] = [9] * 20


def sparse(x, path, shape, maxshape, chunk, present, filters):
    """Writes a few chunks (by index in C order) of a dataset."""
    a = np.full(shape, -1, "<i2")
    d = x.dataset(path, "<i2", None, shape=shape, maxshape=maxshape, chunk=chunk, fill=np.int16(-1), record=False,
                  **filters)
    grid = [-(-s // c) for s, c in zip(shape, chunk)]
    for number in present:
        at = np.unravel_index(number, grid)
        where = tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, chunk))
        a[where] = np.arange(a[where].size, dtype="<i2").reshape(a[where].shape) + number
        h5py.Dataset(d)[where] = a[where]
    flat = a.reshape(-1)
    x.objects[path]["written"] = {str(i): int(flat[i]) for i in np.flatnonzero(flat != -1)}


def new():
    with Fixture("new", "v110", "v110", tracked=True) as x:
        indexes(x)
        x.group("/dense")
        for i in range(40):
            x.dataset("/dense/column %02d" % (i * 7 % 40), "<i4", np.arange(3, dtype="<i4") + i)
        x.group("/dense_tracked", tracked=True)
        for i in range(20):
            x.soft("/dense_tracked/link %02d" % (i * 7 % 20), "/dense/column %02d" % i)
        x.group("/compact_tracked", tracked=True)
        for n in "zebra", "apple", "mango":
            x.dataset("/compact_tracked/" + n, "<u1", np.arange(4, dtype="u1"))
        x.group("/compact")
        x.alias("/dense/column 00", "/compact/alias")
        x.outside("/compact/outside", "linked.h5", "/inside/values")
        d = "/attributes"
        x.dataset(d, "<f8", np.arange(4.0), dense=(0, 0))
        for i in range(30):
            x.attribute(d, "attribute %02d" % i, "<i4", np.arange(i % 5 + 1, dtype="<i4") * i)
        x.attribute(d, "large", "<i2", np.arange(3000, dtype="<i2") % 1000)  # too large for the heap's blocks
        x.attribute(d, "text", h5py.string_dtype(), "dense text")
        x.dataset("/contiguous", "<f4", np.linspace(0, 1, 9, dtype="<f4"))
        x.dataset("/compact_layout", "<f4", np.linspace(0, 1, 9, dtype="<f4"), layout=h5d.COMPACT)
        texts(x)


def latest():
    with Fixture("latest", "latest", "latest") as x:
        indexes(x)
        numbers(x, 6)
        sequences(x)
        structures(x)
        x.group("/native")
        if hasattr(h5t, "COMPLEX_IEEE_F32LE"):
            v = np.array([1 + 2j, -0.5j], "<c8")
            x.dataset("/native/complex", h5t.COMPLEX_IEEE_F32LE, v, raw=v.tobytes())
        attributes(x)


def shared():
    with Fixture("shared", "v110", "v110", shared=True) as x:
        colours = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 40}, "<i2")
        for i in range(4):
            path = "/set%d" % i
            x.dataset(path, colours, np.array([0, 40, 1], "<i2"), memory=colours, chunk=(2,), deflate=4, fill=None)
            x.attribute(path, "description", h5py.string_dtype(), "the same text every time")
            x.attribute(path, "range", "<f8", np.arange(8.0))


def userblock():
    with Fixture("userblock", userblock=1024) as x:
        x.dataset("/contiguous", "<i8", np.arange(20, dtype="<i8"))
        x.dataset("/chunked", "<i8", np.arange(20, dtype="<i8") * 3, chunk=(8,), deflate=2)
        x.dataset("/text", variable(), np.array(["in", "the", "heap"], object), memory=h5py.string_dtype())
    with open(os.path.join(HERE, "userblock.h5"), "r+b") as f:
        f.write(b"These 1024 bytes are not HDF5.\n" + b"\x89HDF\r\n\x1a\n")  # a signature where readers do not look for it


def vds():
    for name, base in (("vds_a", 0), ("vds_b", 100), ("vds_p0", 200), ("vds_p1", 300)):
        with Fixture(name) as x:
            x.dataset("/data", "<i4", np.arange(10, dtype="<i4") + base)
            x.dataset("/grid", "<i4", (np.arange(10, dtype="<i4") + base).reshape(2, 5), chunk=(2, 2), deflate=1)
    with Fixture("vds", "v110", "v110") as x:
        a, b = np.arange(10) + 0, np.arange(10) + 100

        def virtual(path, shape, sources, values, maxshape=None, fill=-1):
            layout = h5py.VirtualLayout(shape=shape, dtype="<i4", maxshape=maxshape)
            for where, source in sources:
                layout[where] = source
            d = x.f.create_virtual_dataset(path, layout, fillvalue=fill)
            x.objects[path] = dict(describe(d.id), fill=fill, values=plain(values))

        def source(name, dataset="data", shape=(10,)):
            return h5py.VirtualSource(name, dataset, shape=shape)
        virtual("/stacked", (20,), [(slice(0, 10), source("vds_a.h5")), (slice(10, 20), source("vds_b.h5"))], np.concatenate([a, b]))
        virtual("/rows", (2, 10), [(0, source("vds_a.h5")), (1, source("vds_b.h5"))], np.stack([a, b]))
        virtual("/strided", (20,), [(slice(0, 20, 2), source("vds_a.h5")), (slice(1, 20, 2), source("vds_b.h5"))], np.stack([a, b], 1).reshape(-1))
        virtual("/gap", (14,), [(slice(0, 5), source("vds_a.h5")[5:]), (slice(9, 14), source("vds_b.h5")[:5])], np.concatenate([a[5:], [-1] * 4, b[:5]]))
        virtual("/chunked_source", (4, 5), [(slice(0, 2), source("vds_a.h5", "grid", (2, 5))), (slice(2, 4), source("vds_b.h5", "grid", (2, 5)))],
                np.concatenate([a, b]).reshape(4, 5))
        virtual("/missing", (20,), [(slice(0, 10), source("vds_missing.h5")), (slice(10, 20), source("vds_b.h5"))], np.concatenate([[-1] * 10, b]))
        x.dataset("/own", "<i4", np.arange(5, dtype="<i4"))
        virtual("/same_file", (5,), [(slice(0, 5), source(".", "own", (5,)))], np.arange(5))
        # printf-style: a block of ten rows from each of vds_p0.h5, vds_p1.h5, ... that exists
        space, src = h5s.create_simple((20,), (h5s.UNLIMITED,)), h5s.create_simple((10,))
        space.select_hyperslab((0,), (h5s.UNLIMITED,), stride=(10,), block=(10,))
        create = h5p.create(h5p.DATASET_CREATE)
        create.set_obj_track_times(False)
        create.set_virtual(space, b"vds_p%b.h5", b"/data", src)
        d = h5d.create(x.f.id, b"printf", h5t.STD_I32LE, h5s.create_simple((20,), (h5s.UNLIMITED,)), create)
        x.objects["/printf"] = dict(describe(d), values=plain(np.concatenate([np.arange(10) + 200, np.arange(10) + 300])))


def external():
    values = np.arange(25, dtype="<i4") * 11
    raw = b"HEAD" + values[:10].tobytes() + b"between" + values[10:].tobytes()
    with open(os.path.join(HERE, "external.raw"), "wb") as f:
        f.write(raw)
    with Fixture("external") as x:
        def stored(path, parts, shape, want):
            create = h5p.create(h5p.DATASET_CREATE)
            create.set_obj_track_times(False)
            for name, offset, size in parts:
                create.set_external(name, offset, size)
            d = h5d.create(x.f.id, path.encode(), h5t.STD_I32LE, h5s.create_simple(shape), create)
            out = describe(d)
            out["external"] = [[n.decode(), o, s] for n, o, s in parts]
            if want is not None:
                out["values"] = plain(want)
            x.objects["/" + path] = out
        stored("two_parts", [(b"external.raw", 4, 40), (b"external.raw", 51, 60)], (25,), values)
        stored("one_part", [(b"external.raw", 4, 40)], (10,), values[:10])
        stored("missing", [(b"external_missing.raw", 0, 40)], (10,), None)


def moments(a):
    return [None if v == np.iinfo("i8").min else int(v) for v in a]


def vaex_file():
    os.environ.setdefault("VAEX_HOME", tempfile.mkdtemp(prefix="vaex-"))
    import pyarrow as pa
    import vaex
    n = 21  # not a multiple of 8
    i = np.arange(n)
    hole, nat = i % 4 == 1, np.iinfo("i8").min
    t = i.astype("i8") * 1_000_000_007
    t[::5] = nat
    text = ["%s-%d" % ("äb🙂"[k % 3], k) for k in i]
    nulls = [None if k % 3 == 0 else "" if k % 3 == 1 else s for k, s in zip(i, text)]
    labels = ["red", "", "größe"]
    columns = {  # name: (what is passed to vaex, Arrow type, values)
        "f8": (i * 0.5, "double", i * 0.5), "f4": ((i * 0.25).astype("f4"), "float", i * 0.25),
        "i1": (i.astype("i1") - 10, "int8", i - 10), "u2": (i.astype("u2") * 3000, "uint16", i * 3000), "i8": (i * 2**40, "int64", i * 2**40),
        "flag": (i % 3 == 0, "bool", [bool(k % 3 == 0) for k in i]),
        "masked": (np.ma.array(i.astype("i4"), mask=hole), "int32", [None if h else int(k) for k, h in zip(i, hole)]),
        "nullable": (pa.array(i * 1.5, mask=hole), "double", [None if h else k * 1.5 for k, h in zip(i, hole)]),
        "nullable_bool": (pa.array(i % 2 == 0, mask=hole), "bool", [None if h else bool(k % 2 == 0) for k, h in zip(i, hole)]),
        "when": (t.view("M8[ns]"), "timestamp[ns]", moments(t)), "took": (t.view("m8[ms]"), "duration[ms]", moments(t)),
        "text": (pa.array(text), "string", text), "text_nulls": (pa.array(nulls), "string", nulls),
        "text_large": (pa.array(nulls, pa.large_string()), "string", nulls),
        "label": (pa.DictionaryArray.from_arrays(pa.array(i % 3, pa.int32()), pa.array(labels)), "string", [labels[k % 3] for k in i]),
        "grid": (np.arange(n * 2, dtype="i2").reshape(n, 2), "fixed_size_list<item: int16>[2]", np.arange(n * 2).reshape(n, 2)),
    }
    path = os.path.join(HERE, "vaex.h5")
    with tempfile.TemporaryDirectory() as tmp:  # vaex needs its own suffix
        vaex.from_arrays(**{k: c[0] for k, c in columns.items()}).export_hdf5(os.path.join(tmp, "x.hdf5"))
        os.replace(os.path.join(tmp, "x.hdf5"), path)
    table = {"rows": n, "columns": [{"name": k, "type": c[1], "values": plain([bool(v) if isinstance(v, (bool, np.bool_)) else v for v in c[2]])}
                                    for k, c in columns.items()]}
    write_json("vaex", {"superblock": superblock(path, 0), "userblock": 0, "tables": {"/table": table}})


def vaex_hand():
    """Writes vaex's layout as other programs do: chunked masks of each width and byte order, bitmaps whose last bits are set."""
    n = 37
    i = np.arange(n)
    with Fixture("vaex_hand") as x:
        def column(name, type, data, attrs=None, **plist):
            x.dataset("/table/columns/%s/data" % name, type, data, **plist)
            for k, v in (attrs or {}).items():
                x.attribute("/table/columns/%s/data" % name, k, h5py.string_dtype(), v)
            names.append(name)
        names, out = [], []

        def table(name, type, values):
            out.append({"name": name, "type": type, "values": plain([bool(v) if isinstance(v, (bool, np.bool_)) else v for v in values])})
        hole = i % 5 == 2
        for name, mask, plist in (("u1", hole.astype("u1") * 7, {}), ("bool", hole, {}), ("i8be", hole.astype(">i8") * -2**40, {}),
                                  ("chunked", hole.astype("u1"), {"chunk": (8,), "deflate": 4})):
            column("mask_" + name, "<i4", i.astype("<i4") * 3, **plist)
            x.dataset("/table/columns/mask_%s/mask" % name, mask.dtype, mask, **plist)
            table("mask_" + name, "int32", [None if h else int(k) * 3 for k, h in zip(i, hole)])
        bits = np.ones(48, bool)  # the bits past the end are set, and there is an extra byte
        bits[:n] = ~hole
        for name, plist in (("", {}), ("_chunked", {"chunk": (3,), "shuffle": (), "deflate": 1})):
            column("bitmap" + name, ">f8", (i / 4).astype(">f8"), **({"chunk": (10,), "deflate": 1} if plist else {}))
            x.dataset("/table/columns/bitmap%s/null_bitmap" % name, "u1", np.packbits(bits, bitorder="little"), **plist)
            table("bitmap" + name, "double", [None if h else k / 4 for k, h in zip(i, hole)])
        column("days", "<i8", np.where(hole, np.iinfo("i8").min, i * 100).astype("<i8"), {"dtype": "datetime64[D]"})
        table("days", "date32[day]", [None if h else int(k) * 100 for k, h in zip(i, hole)])
        column("times_be", ">i8", (i * 10**9).astype(">i8"), {"dtype": "datetime64[us]"})
        table("times_be", "timestamp[us]", i * 10**9)
        words = ["wörd" * (k % 4) for k in i]
        blob = "".join(words).encode()
        ends = np.zeros(n + 1, "<i8")
        ends[1:] = np.cumsum([len(w.encode()) for w in words])
        where = "/table/columns/words"
        x.dataset(where + "/data", "S1", ["?"], raw=blob, shape=(len(blob),), record=False, chunk=(50,), deflate=3)
        x.attribute(where + "/data", "dtype", h5py.string_dtype(), "str")
        x.dataset(where + "/indices", "<i8", ends, chunk=(16,))
        names.append("words")
        table("words", "large_string", words)
        x.attribute("/table", "type", h5py.string_dtype(), "table")
        x.attribute("/table", "description", h5py.string_dtype(), "made by hand")
        x.attribute("/table/columns", "column_order", h5py.string_dtype(), ",".join(names))
        x.tables = {"/table": {"rows": n, "columns": out}}


def sample():
    """Writes sample.h5: 50,000 invented taxi rides, by vaex; two columns are compressed by h5py."""
    os.environ.setdefault("VAEX_HOME", tempfile.mkdtemp(prefix="vaex-"))
    import pyarrow as pa
    import vaex
    rng = np.random.default_rng(20240229)
    n = 50_000
    pickup = np.int64(1_709_164_800_000) + np.cumsum(rng.integers(0, 3_000, n))
    distance = np.round(rng.gamma(2, 1.5, n), 2).astype("f4")
    fare = np.round(3 + distance * 2.1 + rng.gamma(1, 1, n), 2).astype("f4")
    tip = np.ma.array(np.round(fare * rng.choice([0, .1, .15, .2], n), 2).astype("f4"), mask=rng.random(n) < 0.12)
    zones = np.array(["Airport", "Bridge", "Castle", "Dock", "Elm Street", "Forum", "Göteborg Plaza", "Harbour"])
    notes = np.array([None, "", "lost item", "card refused", "café stop", "child seat"], object)
    path = os.path.join(HERE, "sample.h5")
    frame = vaex.from_arrays(
        pickup=pickup.view("M8[ms]"), passengers=rng.integers(1, 7, n).astype("i1"), distance=distance, fare=fare, tip=tip,
        rating=pa.array(rng.integers(1, 6, n).astype("u1"), mask=rng.random(n) < 0.4), shared=rng.random(n) < 0.2,
        zone=pa.array(zones[rng.integers(0, len(zones), n)]),
        note=pa.array(list(notes[rng.choice(len(notes), n, p=[.6, .1, .1, .1, .05, .05])])))
    with tempfile.TemporaryDirectory() as tmp:
        frame.export_hdf5(os.path.join(tmp, "x.hdf5"))
        os.replace(os.path.join(tmp, "x.hdf5"), path)
    with h5py.File(path, "r+") as f:
        columns = f["table/columns"]
        more = {"meter": np.round(np.cumsum(distance.astype("f8")), 1), "vendor": np.repeat(rng.integers(0, 3, n // 25), 25).astype("<i2")}
        for name, values in more.items():
            columns.create_dataset(name + "/data", data=values, chunks=(8192,), compression="gzip", compression_opts=6, shuffle=True)
        order = columns.attrs["column_order"]
        columns.attrs["column_order"] = order + "," + ",".join(more)
        columns["distance/data"].attrs["units"] = "km"
        f["table"].attrs["description"] = "50,000 taxi rides that nobody took"


# name of the group of files -> the function that writes it, and the files
FILES = {"old": (old, ["old.h5", "linked.h5"]), "new": (new, ["new.h5"]), "latest": (latest, ["latest.h5"]), "shared": (shared, ["shared.h5"]),
         "userblock": (userblock, ["userblock.h5"]), "vds": (vds, ["vds.h5", "vds_a.h5", "vds_b.h5", "vds_p0.h5", "vds_p1.h5"]),
         "external": (external, ["external.h5", "external.raw"]), "vaex": (vaex_file, ["vaex.h5"]), "vaex_hand": (vaex_hand, ["vaex_hand.h5"]),
         "sample": (sample, ["sample.h5"])}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="", help="groups of files, comma-separated: " + ",".join(FILES))
    only = [x for x in p.parse_args().only.split(",") if x]
    os.makedirs(os.path.join(HERE, "expected"), exist_ok=True)
    os.chdir(HERE)  # h5py looks for external files and virtual sources here
    for name, (write, _) in FILES.items():
        if not only or name in only:
            write()
    with open("SHA256SUMS", "w", encoding="utf-8") as sums:
        for name in sorted([f for _, files in FILES.values() for f in files] + glob.glob("expected/*.json")):
            with open(name, "rb") as f:
                sums.write("%s  %s\n" % (hashlib.sha256(f.read()).hexdigest(), name))


if __name__ == "__main__":
    sys.exit(main())
