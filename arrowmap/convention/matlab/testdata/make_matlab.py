"""Writes the files that the tests of package matlab read, beside this file, gzipped. Each run writes those of one writer:

    python make_matlab.py matio        objects.mat.gz          by mat-io 1.0.2 (numpy 2.4.6, pandas 3.1.1)
    python make_matlab.py matio        objects_0.7.1.mat.gz    by mat-io 0.7.1 (numpy 2.4.6, pandas 2.3.3): its version is in the name
    python make_matlab.py hdf5storage  hdf5storage.mat.gz      by hdf5storage 0.2.2 (h5py 3.16.0)
    python make_matlab.py hdf5storage  hdf5storage_0.1.19.mat.gz   by hdf5storage 0.1.19 (numpy 1.26.4)
    python make_matlab.py shapes       shapes_2.mat.gz ...     by h5py 3.16.0: what MATLAB writes and the others don't, as MATLAB's
                                                               own files have it, in each version of the metadata of objects

libmatio.mat.gz is by libmatio 1.5.23: make_libmatio.sh.
"""

import gzip
import importlib.metadata
import os
import sys
import tempfile

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def keep(name, path):
    with open(path, "rb") as f, gzip.GzipFile(os.path.join(here, name + ".gz"), "wb", mtime=0) as z:
        z.write(f.read())


def write(name, fn):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.mat")
        fn(path)
        keep(name, path)


def matio():
    import matio
    import pandas as pd

    text = np.dtypes.StringDType(na_object=np.nan)
    old = not importlib.metadata.version("mat-io").startswith("1.")
    name = "objects_%s.mat" % importlib.metadata.version("mat-io") if old else "objects.mat"
    log = pd.DataFrame({
        "site": ["North", "", "Süd 😀"],
        "kind": pd.Categorical(["u", "v", "u"], categories=["v", "u"], ordered=True),
        "when": np.array(["2024-01-01", "NaT", "2024-01-03T12:00"], "M8[ms]"),
        "took": np.array([1, "NaT", 3], "m8[s]"),
        "ok": [True, False, True],
        "n": np.array([1, 2, 3], "u2"),
    }, index=["r1", "r2", "r3"])
    cells = np.empty((3, 1), object)
    for i, s in enumerate(["x", "yy", np.nan]):
        cells[i, 0] = np.array([[s]], dtype=text)
    times = np.empty((2, 1), object)
    times[0, 0] = np.array([["2024-01-01"]], "M8[ms]")
    times[1, 0] = np.array([["2024-01-01T00:00:00.5"]], "M8[ms]")
    d = {
        "log": log,
        "one": pd.DataFrame({"a": [1], "s": ["x"]}),
        "tt": pd.DataFrame({"v": [1.0, 2.0]}, index=pd.DatetimeIndex(["2024-01-01", "2024-01-02"], name="When")),
        "td": pd.DataFrame({"v": ["a", "b"]}, index=pd.TimedeltaIndex(np.array([1, 2], "m8[s]"))),
        "micro": np.array(["2024-01-01T00:00:00.123456", "NaT", "1969-12-31T23:59:59.999999"], "M8[us]"),
        "nano": np.array(["NaT", "1970-01-01T00:00:00.000001501"], "M8[ns]"),
        "cat": pd.Categorical(["a", None, "b", "a"], categories=["a", "b"]),
        "strs": np.array(["x", "", "hé😀"] if old else ["x", np.nan, "", "hé😀"], dtype=text),
        "matrix": np.array([["a", "bb", "c"], ["d", "", "f"]], dtype=text),
        "cells": cells if not old else np.array([["x"]], dtype=text),
        "times": times,
        "st": {"t": log.reset_index(drop=True), "x": np.arange(3.0).reshape(3, 1), "tag": "hello", "when": np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "M8[ms]")},
    }
    write(name, lambda path: matio.save_to_mat(path, d, version="v7.3"))


def hdf5storage():
    import hdf5storage as hs

    d = {
        "ints": np.array([1, 2, 3], "i8"), "matrix": np.array([[1, 2, 3], [4, 5, 6]], "i4"), "column": np.arange(3.0).reshape(3, 1), "scalar": 5,
        "text": "hello", "wide": "hé😀", "ascii": b"bytes", "bytes": "byé".encode(), "texts": np.array(["ab", "c", "def"]), "wides": np.array(["a😀", "", "def"]),
        "texts2": np.array([["ab", "c"], ["d", "efg"], ["h", ""]]), "byteses": np.array([b"ab", b"c", b"def"]), "others": np.array(["é".encode(), b"c", b"def"]),
        "bools": np.array([True, False, True]), "list": ["a", "b😀", ""], "record": np.array([(1, 2.5), (3, 4.5)], dtype=[("p", "i4"), ("q", "f8")]), "empty": np.array([]),
    }
    version = importlib.metadata.version("hdf5storage")
    if version.startswith("0.1"):  # which refuses bytes that are not ASCII
        del d["bytes"], d["others"]

    def make(path):
        hs.writes({"/" + k: v for k, v in d.items()}, filename=path)

    write("hdf5storage.mat" if version.startswith("0.2") else "hdf5storage_%s.mat" % version, make)


class Objects:
    """A file with objects of classes as MATLAB writes it: names, classes and objects as FileWrapper__ has them."""

    def __init__(self, f, version):
        self.f, self.version, self.count = f, version, 0
        self.refs = f.create_group("#refs#")
        self.names, self.classes, self.defaults = [], [None], [None]
        self.blocks, self.objects, self.cells = {True: [[]], False: [[]]}, [(0, 0, 0)], []

    def name(self, s):
        if s not in self.names:
            self.names.append(s)
        return self.names.index(s) + 1

    def kind(self, name, **defaults):
        if name not in self.classes:
            self.classes.append(name)
            self.defaults.append(defaults)
        return self.classes.index(name)

    def put(self, where, name, value):
        """Writes a value: text, a number, an array in MATLAB's shape, a list for a cell array, a dict for a struct."""
        if isinstance(value, dict):
            g = where.create_group(name)
            g.attrs["MATLAB_class"] = np.bytes_("struct")
            for k, v in value.items():
                self.put(g, k, v)
            return g
        if isinstance(value, list):
            if not value:
                return self.empty(where, name, "cell", (0, 0))
            refs = [self.ref(v) for v in value]
            d = where.create_dataset(name, data=np.array(refs, dtype=h5py.ref_dtype).reshape(len(refs), 1), dtype=h5py.ref_dtype)
            d.attrs["MATLAB_class"] = np.bytes_("cell")
            return d
        if isinstance(value, str):
            if value == "":
                return self.empty(where, name, "char", (0, 0))
            units = np.frombuffer(value.encode("utf-16-le"), "u2").reshape(-1, 1)
            d = where.create_dataset(name, data=units)
            d.attrs["MATLAB_class"] = np.bytes_("char")
            d.attrs["MATLAB_int_decode"] = np.int32(2)
            return d
        a = np.asarray(value)
        a = a.reshape(1, 1) if a.ndim == 0 else a
        if a.size == 0:
            return self.empty(where, name, "double", a.shape)
        if a.dtype == complex:
            c = np.zeros(a.shape, [("real", "f8"), ("imag", "f8")])
            c["real"], c["imag"] = a.real, a.imag
            a = c
        d = where.create_dataset(name, data=a.T if a.dtype != bool else a.T.astype("u1"))
        kind = {"bool": "logical", "float64": "double"}.get(a.dtype.name, "double" if a.dtype.names else a.dtype.name)
        d.attrs["MATLAB_class"] = np.bytes_(kind)
        if kind == "logical":
            d.attrs["MATLAB_int_decode"] = np.int32(1)
        return d

    def empty(self, where, name, kind, shape):
        d = where.create_dataset(name, data=np.array(shape, "u8"))
        d.attrs["MATLAB_class"] = np.bytes_(kind)
        d.attrs["MATLAB_empty"] = np.uint8(1)
        return d

    def ref(self, value):
        self.count += 1
        return self.put(self.refs, "r%d" % self.count, value).ref

    def object(self, kind, saved=False, **properties):
        """Makes an object, and returns its handle."""
        block = []
        for k, v in properties.items():
            self.cells.append(self.ref(v))
            block += [self.name(k), 1, len(self.cells) - 1]
        blocks = self.blocks[saved]
        blocks.append(block)
        self.objects.append((self.kind(kind), len(blocks) - 1 if saved else 0, 0 if saved else len(blocks) - 1))
        return np.array([[0xDD000000], [2], [1], [1], [len(self.objects) - 1], [self.kind(kind)]], "u4")

    def variable(self, name, handle):
        d = self.f.create_dataset(name, data=handle.T)
        d.attrs["MATLAB_class"] = np.bytes_(self.classes[handle[-1, 0]])
        d.attrs["MATLAB_object_decode"] = np.int32(3)

    def close(self):
        classes = [(0, 0, 0, 0)]
        for c in self.classes[1:]:
            space, _, c = c.rpartition(".")
            classes.append((self.name(space) if space else 0, self.name(c), 0, 0))
        names = b"".join(n.encode() + b"\0" for n in self.names)
        names += bytes(-len(names) % 8)

        def blocks(of):
            out = []
            for b in of:
                out += [len(b) // 3] + b
                out += [0] * (len(out) % 2)
            return np.array(out if len(of) > 1 else [], "<i4").tobytes()

        regions = [np.array(classes, "<i4").tobytes(), blocks(self.blocks[True]),
                   np.array([(c, 0, 0, s, n, i) for i, (c, s, n) in enumerate(self.objects)], "<i4").tobytes(),
                   blocks(self.blocks[False]), np.zeros(2 * len(self.objects), "<i4").tobytes(), b"", bytes(8)]
        offsets = [40 + len(names)]
        for r in regions:
            offsets.append(offsets[-1] + len(r))
        meta = np.array([self.version, len(self.names)] + offsets, "<i4").tobytes() + names + b"".join(regions)
        n = len(self.classes)
        trailing = [self.ref([{} for _ in range(n)])] if self.version >= 4 else []
        if self.version >= 3:
            trailing.append(self.ref(np.zeros((n, 1), "i4")))
        trailing.append(self.ref([self.defaults[i] or {} for i in range(n)]))
        cells = [self.ref(np.frombuffer(meta, "u1").reshape(-1, 1)), self.ref("")] + self.cells + trailing
        d = self.f.create_group("#subsystem#").create_dataset("MCOS", data=np.array(cells, dtype=h5py.ref_dtype).reshape(1, -1), dtype=h5py.ref_dtype)
        d.attrs["MATLAB_class"] = np.bytes_("FileWrapper__")
        d.attrs["MATLAB_object_decode"] = np.int32(3)


def text(*strings, shape=None):
    """The integers in which MATLAB saves strings; None is missing."""
    units = [np.frombuffer((s or "").encode("utf-16-le"), "u2") for s in strings]
    head = [1, 2] + list(shape or (len(strings), 1)) + [2**64 - 1 if s is None else len(u) for s, u in zip(strings, units)]
    body = np.concatenate(units)
    body = np.concatenate([body, np.zeros(-len(body) % 4, "u2")]).view("u8")
    return np.concatenate([np.array(head, "u8"), body]).reshape(1, -1)


def day(s):
    return float(np.datetime64(s, "ms").astype("i8"))


def column(*values):
    return np.array(values).reshape(-1, 1)


def timetable(o, times, rows, **variables):
    return o.object("timetable", saved=True, any={
        "arrayProps": {"Description": "by rate"}, "data": list(variables.values()), "numDims": 2.0, "dimNames": ["Time", "Variables"],
        "varNames": list(variables), "numRows": float(rows), "numVars": float(len(variables)), "varUnits": ["V"] * len(variables), "rowTimes": times})


def table(o, rows, variables, rownames=(), **props):
    return o.object("table", data=list(variables.values()), ndims=2.0, nrows=float(rows), rownames=list(rownames), nvars=float(len(variables)),
                    varnames=list(variables), props=props)


def shapes(version):
    def make(path):
        with h5py.File(path, "w", userblock_size=512, libver="latest") as f:
            o = Objects(f, version)
            o.kind("datetime", tz="", fmt="")
            o.kind("duration", millis=0.0, fmt="hh:mm:ss")
            o.kind("categorical", isOrdinal=False, isProtected=False)
            zone = "America/New_York"
            hi = day("2024-03-01T00:00:00.25")
            o.variable("zoned", o.object("datetime", data=column(hi, np.nan, np.inf), tz=zone))
            o.variable("low", o.object("datetime", data=column(complex(hi, 1e-6), complex(hi, 0), complex(np.nan, 0))))
            o.variable("far", o.object("datetime", data=column(complex(day("9999-12-31"), 2.5e-4), complex(0, 0))))
            o.variable("row", o.object("datetime", data=np.array([[day("2024-01-01"), day("2024-01-02")]])))
            o.variable("leap", o.object("datetime", data=column(0.0), tz="UTCLeapSeconds"))
            o.variable("zero", o.object("duration", fmt="s"))
            o.variable("spans", o.object("duration", millis=np.array([[0.5, 1], [1000, np.nan]])))
            o.variable("calendar", o.object("calendarDuration", components={"months": column(1.0, np.nan), "days": 15.0, "millis": column(500.0, 0)}))
            o.variable("grades", o.object("categorical", categoryNames=["low", "high"], codes=column(*np.array([2, 0, 1], "u1")), isOrdinal=True))
            o.variable("grid", o.object("categorical", categoryNames=["a", "b"], codes=np.array([[1, 2], [0, 1]], "u1")))
            o.variable("string", o.object("string", saved=True, any=text("x", None, "", "hé😀")))
            o.variable("strings2", o.object("string", saved=True, any=text("a", "b", None, "d", shape=(2, 2))))
            o.variable("nostrings", o.object("string", saved=True, any=np.array([[1, 2, 0, 1]], "u8")))
            o.variable("user", o.object("my.Class", a=1.0))
            start = o.object("datetime", data=day("2024-01-31"))
            o.variable("rate", timetable(o, {"origin": o.object("duration", millis=2000.0), "specifiedAsRate": True, "stepSize": 0.0, "sampleRate": 44100.0}, 3, v=column(1.0, 2, 3)))
            step = o.object("duration", millis=1500.0)
            o.variable("steps", timetable(o, {"origin": start, "specifiedAsRate": False, "stepSize": step, "sampleRate": 0.0}, 3, v=column(1.0, 2, 3)))
            months = o.object("calendarDuration", components={"months": 1.0, "days": 0.0, "millis": 0.0})
            o.variable("months", timetable(o, {"origin": start, "specifiedAsRate": False, "stepSize": months, "sampleRate": 0.0}, 3, v=column(1.0, 2, 3)))
            inner = table(o, 2, {"p": column(1.0, 2), "q": o.object("string", saved=True, any=text("x", None))})
            o.variable("deep", table(o, 2, {
                "inner": inner, "wide": np.array([[1, 2], [3, 4]], "i2"), "cells": ["one", ""], "mixed": [1.0, "two"], "obj": o.object("my.Class", a=2.0),
                "s": {"a": column(5.0, 6), "b": ["x", "y"]}, "more": [o.object("string", saved=True, any=text("s")), o.object("string", saved=True, any=text(None))],
            }, rownames=["r1", "r2"], DimensionNames=["Id", "Variables"], Description="all of it", VariableUnits=["", "m", "", "", "", "", ""],
                VariableDescriptions=["", "two columns", "", "", "", "", ""]))
            o.variable("norows", table(o, 0, {"x": np.zeros((0, 1)), "t": o.object("datetime", data=np.zeros((0, 1))), "s": o.object("string", saved=True, any=np.array([[1, 2, 0, 1]], "u8"))}))
            o.variable("nothing", table(o, 0, {}))
            one = o.put(f, "single", {"x": 1.0, "tags": np.zeros(0)})
            del one["tags"]
            h = o.object("string", saved=True, any=text("a", "b", "c", shape=(1, 3)))
            d = one.create_dataset("tags", data=h.T)
            d.attrs["MATLAB_class"] = np.bytes_("string")
            d.attrs["MATLAB_object_decode"] = np.int32(3)
            members = o.put(f, "members", {"EnumerationInstanceTag": np.uint32(0xDD000000), "ClassName": np.uint32(1), "ValueNames": column(*np.array([o.name("Red"), o.name("Blue")], "u4")),
                                           "Values": [], "ValueIndices": column(*np.array([1, 0, 1], "u4")), "BuiltinClassName": np.uint32(0)})
            members.attrs["MATLAB_class"] = np.bytes_("Color")
            members.attrs["MATLAB_object_decode"] = np.int32(3)
            o.close()
        with open(path, "r+b") as f:
            f.write(b"MATLAB 7.3 MAT-file" if version > 2 else b"MATLAB 5.0 MAT-file")
    write("shapes_%d.mat" % version, make)


if __name__ == "__main__":
    for what in sys.argv[1:]:
        if what == "shapes":
            for version in (2, 3, 4):
                shapes(version)
        else:
            {"matio": matio, "hdf5storage": hdf5storage}[what]()
