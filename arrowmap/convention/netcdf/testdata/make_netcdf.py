#!/usr/bin/env python3
"""Writes the files of this folder, compressed: python make_netcdf.py [netcdf] [xarray] [signs].

Made with netCDF4 1.7.5.1.post1 and xarray 2026.9.0 with h5netcdf 1.8.2 (numpy 2.4.6, pandas 3.1.1), and, with the suffix
_old, with netCDF4 1.7.2 and xarray 2025.1.2 with h5netcdf 1.4.1 (numpy 2.2.6, pandas 2.3.3). What must be read of them is in
netcdf_test.go."""
import gzip
import os
import sys

import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))
suffix = ""


def pack(name):
    with open(name, "rb") as f, gzip.GzipFile(name + ".gz", "wb", 9, mtime=0) as z:
        z.write(f.read())
    os.remove(name)


def make(d, name, t, dims, fill=None):
    while d.parent is not None and not all(x in d.dimensions for x in dims):
        name, d = d.name + "/" + name, d.parent
    growing = any(d.dimensions[x].isunlimited() for x in dims)
    return d.createVariable(name, t, dims, fill_value=fill, chunksizes=[2] * len(dims) if growing else None)


def variable(d, name, t, values, dims=("n",), **attributes):
    fill = attributes.pop("_FillValue", None)
    v = make(d, name, t, dims, fill)
    v.set_auto_maskandscale(False)
    v.setncatts(attributes)
    v[:] = np.array(values, t) if t != str else np.array(values, object)
    return v


def netcdf():
    import netCDF4

    global suffix
    suffix = "" if netCDF4.__version__.startswith("1.7.5") else "_old"

    def attributes(d):  # those that make no sense, and limits in packed and unpacked units
        d.createDimension("n", 6)
        packed = [-100, 0, 3, 50, 100, 101]
        f4 = np.float32
        variable(d, "blank", "i2", packed, scale_factor=" ", add_offset=5.0)
        variable(d, "digits", "i2", packed, scale_factor="0.5", missing_value="101")
        variable(d, "two", "i2", packed, scale_factor=np.array([0.5, 0.25]))
        variable(d, "three", "i2", packed, valid_range=np.array([0, 1, 2], "i2"), valid_min=np.int16(0))
        variable(d, "reversed", "i2", packed, valid_range=np.array([50, 0], "i2"))
        variable(d, "nan", "f4", packed, valid_max=f4(np.nan))
        variable(d, "endless", "i4", packed, valid_min=0.0, valid_max=1e20)
        variable(d, "below", "u1", [0, 1, 2, 3, 254, 255], valid_range=np.array([-1, 254], "i2"))
        variable(d, "bytes", "i1", [0, 1, 2, 3, -2, -1], _Unsigned="true", valid_range=np.array([0, -2], "i1"))
        variable(d, "packed", "i2", packed, scale_factor=f4(0.1), valid_range=np.array([0, 50], "i2"))
        variable(d, "unpacked", "i2", packed, scale_factor=f4(0.1), valid_range=np.array([0, 10], "f4"))
        variable(d, "negative", "i2", packed, scale_factor=-0.1, valid_min=-0.3, valid_max=10.0)
        variable(d, "outside", "i2", packed, scale_factor=1000.0, valid_max=np.int32(100000))
        variable(d, "floats", "f4", packed, scale_factor=0.1, valid_range=np.array([0.0, 5.0]))

    def text(d):  # fills of text and characters, one text, characters in compounds
        d.createDimension("n", 4)
        d.createDimension("length", 5)
        variable(d, "s", str, ["x", "NA", "", "größe"], _FillValue="NA")
        variable(d, "m", str, ["x", "none", "", "NA"], missing_value="none")
        variable(d, "c", "S1", [list("abc**"), list("*****"), list("a*c**"), list("abcde")], ("n", "length"), _FillValue="*")
        variable(d, "plain", "S1", [list("abc  "), [""] * 5, list("a c  "), list("abcde")], ("n", "length"))
        variable(d, "flag", "S1", list("AB-D"), _FillValue="-")
        variable(d, "name", "S1", list("hello"), ("length",))
        t = np.dtype([("name", "S6"), ("x", "f4"), ("tags", "S1", (2, 3))])
        rows = np.zeros(4, t)
        for i, s in enumerate(["a", "abc", "abcdef", ""]):
            rows["name"][i] = s
            rows["tags"][i] = [list("xyz"), list("uv") + [""]]
        rows["x"] = [1, 2, 3, 4]
        d.createVariable("rows", d.createCompoundType(t, "row"), ("n",))[:] = rows

    def lengths(d):  # variables of several lengths along unlimited dimensions
        for name in "t", "x", "never":
            d.createDimension(name, None)
        d.createDimension("y", 2)
        variable(d, "a", "f4", [1, 2], ("t",))
        variable(d, "b", "i2", [[1, 2, 3], [4, 5, 6]], ("t", "x"))
        variable(d, "byte", "u1", [7], ("t",))
        variable(d, "chars", "S1", [list("hi")], ("t", "y"))
        variable(d, "filled", "S1", [list("hi")], ("t", "y"), _FillValue="*")
        variable(d, "s", str, ["only"], ("t",))
        variable(d, "packed", "i2", [3], ("t",), scale_factor=0.5)
        make(d, "x", "i4", ("x",))
        make(d, "time", "i8", ("t", "x")).units = "days since 2000-01-01"
        make(d, "text", str, ("t", "x"))
        make(d, "empty", "f8", ("never",))
        kind = d.createEnumType("i1", "kinds", {"A": 0, "B": 1})
        make(d, "kind", kind, ("t",), 0)[0] = 1
        make(d, "lists", d.createVLType("i4", "list"), ("t",))[0] = np.array([1, 2], "i4")
        pair = np.dtype([("p", "f4"), ("q", "i2")])
        make(d, "pairs", d.createCompoundType(pair, "pair"), ("t",))[0:1] = np.array([(1, 2)], pair)
        g = d.createGroup("g")
        variable(g, "v", "f8", [1, 2, 3, 4], ("t",))
        variable(g, "w", "f8", [[1, 2, 3, 4]], ("t", "x"))

    def times(d):  # impossible ones, boundaries, references
        d.createDimension("n", 4)
        d.createDimension("two", 2)
        days = "days since 2000-01-01"
        variable(d, "far", "i8", [1, 2**62, -2**63, 3], units=days)
        variable(d, "infinite", "f8", [1, np.inf, -1e300, np.nan], units=days)
        variable(d, "unsigned", "u8", [1, 2**63 + 5, 2**64 - 1, 3], units="seconds since 2000-01-01")
        variable(d, "zone", "i4", [1, 2, 3, 4], units="Seconds since 2000-01-01 15:00:06 0:00")
        variable(d, "east", "i4", [1, 2, 3, 4], units="hours since 2000-01-01 15:00:06 1:30")
        variable(d, "within", "i4", [1, 2, 3, 4], units="days since 2000-01-01 00:00:00.250")
        variable(d, "time", "f8", [0, 1, 2, 3], units="hours since 2024-01-01", calendar="proleptic_gregorian", bounds="cells")
        variable(d, "cells", "f8", [[0, 1], [1, 2], [2, 3], [3, 4]], ("n", "two"))
        variable(d, "noleap", "i4", [0, 1, 2, 3], units=days, calendar="noleap", climatology="season")
        variable(d, "season", "i4", [[0, 1], [1, 2], [2, 3], [3, 4]], ("n", "two"))

    for what in attributes, text, lengths, times:
        name = what.__name__ + suffix + ".nc"
        with netCDF4.Dataset(name, "w") as d:
            what(d)
        pack(name)


def xarray():
    import xarray as xr

    suffix = "" if xr.__version__.startswith("2026") else "_old"
    n = ("n",)
    spans = np.array([1, "NaT", 36], "m8[h]")
    d = xr.Dataset({
        "days": (n, np.array(["2024-01-01", "NaT", "2024-03-01"], "M8[ns]")),
        "seconds": (n, np.array(["2024-01-01T00:00:01", "NaT", "2024-03-01"], "M8[ns]")),
        "nanos": (n, np.array(["2024-01-01T00:00:00.000000001", "NaT", "2024-03-01"], "M8[ns]")),
        "flag": (n, np.array([True, False, True])),
        "span": (n, spans.astype("m8[s]")),
        "grid": (("n", "k"), np.arange(6).reshape(3, 2).astype("m8[D]").astype("m8[ns]")),
        "text": (n, np.array(["a", "", "é"], object)),
    })
    if suffix == "":  # earlier versions write durations without dtype
        d["fractions"] = (n, np.array([1800, 5400, 7201], "m8[s]"))
        d["narrow"] = (n, np.array([1, 2, 3], "m8[D]").astype("m8[ms]"))
        d["packed"] = (n, np.array([10, 20, 30], "m8[s]"))
        d.fractions.encoding.update(units="hours", dtype="float64")
        d.narrow.encoding.update(units="days", dtype="int32")
        d.packed.encoding.update(units="seconds", scale_factor=0.5, dtype="int16", _FillValue=-1)
    name = "xarray" + suffix + ".nc"
    d.to_netcdf(name, engine="h5netcdf")
    pack(name)


def signs():
    import xarray as xr

    suffix = "" if xr.__version__.startswith("2026") else "_old"
    n = ("n",)
    d = xr.Dataset({name: (n, np.array([0, 63.5, np.nan, -60])) for name in ("signed", "limited")})
    d["unsigned"] = (n, np.array([0, 63.5, np.nan, 120]))
    d.signed.encoding.update(dtype="u1", _Unsigned="false", _FillValue=np.uint8(255), scale_factor=0.5)
    d.limited.encoding.update(dtype="u2", _Unsigned="false", _FillValue=np.uint16(65535))
    d.limited.attrs["valid_range"] = np.array([2**16 - 60, 60], "u2")
    d.unsigned.encoding.update(dtype="i1", _Unsigned="true", _FillValue=np.int8(-1), scale_factor=0.5)
    name = "signs" + suffix + ".nc"
    d.to_netcdf(name, engine="h5netcdf")
    pack(name)


for what in sys.argv[1:] or ["netcdf", "xarray", "signs"]:
    {"netcdf": netcdf, "xarray": xarray, "signs": signs}[what]()
