#!/usr/bin/env python3
"""Writes the files of the folder flat, compressed, and what xarray makes of them as a data frame: python make_flat.py

Made with xarray 2026.9.0, netCDF4 1.7.5.1.post1, h5py 3.16.0 (numpy 2.4.6, pandas 2.3.3). A line of NAME.tsv is a row of
Dataset.to_dataframe().reset_index(), the first line the names: times are T and nanoseconds, missing values are empty."""
import gzip
import os

import h5py
import netCDF4
import numpy as np
import pandas as pd
import xarray as xr

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "flat"))
rng = np.random.default_rng(14)


def text(v):
    if isinstance(v, bytes):
        v = v.decode()
    if v is None or v is pd.NaT or isinstance(v, float) and np.isnan(v):
        return ""
    if isinstance(v, pd.Timestamp):
        return f"T{v.value}"
    return str(v)


def expect(name):
    with xr.open_dataset(name + ".nc", engine="netcdf4") as d:
        frame = d.to_dataframe().reset_index()
    with open(name + ".tsv", "w") as f:
        print(*frame.columns, sep="\t", file=f)
        for row in frame.itertuples(index=False):
            print(*map(text, row), sep="\t", file=f)
    with open(name + ".nc", "rb") as f, gzip.GzipFile(name + ".nc.gz", "wb", 9, mtime=0) as z:
        z.write(f.read())
    os.remove(name + ".nc")


def cube():
    t = rng.normal(280, 5, (5, 4, 6)).round(2)
    t[rng.random(t.shape) < 0.2] = np.nan
    return xr.Dataset(
        {"t": (("time", "lat", "lon"), t, {"units": "K"}),
         "mask": (("lat", "lon"), (rng.random((4, 6)) < 0.5).astype("i1")),
         "co2": ("time", np.arange(400, 405, dtype="f4")),
         "drift": (("time", "lon"), np.arange(30, dtype="i4").reshape(5, 6)),
         "height": ((), 2.0)},
        coords={"time": pd.date_range("2020-01-01", periods=5, freq="6h"), "lat": np.linspace(-60, 60, 4), "lon": np.arange(6) * 60.0})


cube().to_netcdf("contiguous.nc")
expect("contiguous")
packed = {"t": dict(dtype="i2", scale_factor=0.01, add_offset=280.0, _FillValue=-32768, zlib=True, chunksizes=(2, 3, 4)),
          "drift": dict(chunksizes=(3, 3)), "time": dict(units="hours since 2019-12-31")}
cube().to_netcdf("packed.nc", encoding=packed)
expect("packed")

# Variables of one list of dimensions in chunks of several shapes, one of whole trailing dimensions.
d = xr.Dataset({k: (("a", "b", "c"), rng.integers(0, 1000, (7, 5, 9), dtype="i4")) for k in ("x", "y", "z")})
d.to_netcdf("chunks.nc", encoding={"x": dict(chunksizes=(2, 2, 4)), "y": dict(chunksizes=(3, 5, 9), zlib=True)})
expect("chunks")

# Four dimensions, of which two have no coordinates.
d = xr.Dataset({"v": (("run", "z", "y", "x"), rng.random((2, 3, 2, 4)).round(3))}, coords={"z": [10, 20, 30], "x": list("abcd")})
d.to_netcdf("four.nc")
expect("four")

# Coordinates of two dimensions, and of text in characters.
d = xr.Dataset({"v": (("time", "y", "x"), rng.random((2, 3, 4)).round(3), {"grid_mapping": "crs"}), "crs": ((), 7)},
               coords={"lat": (("y", "x"), rng.random((3, 4)).round(3)), "lon": (("y", "x"), rng.random((3, 4)).round(3)),
                       "time": pd.to_datetime(["2021-05-01", "2021-05-02"]), "name": ("y", np.array([b"one", b"two", b"three"]))})
d.to_netcdf("curvilinear.nc", encoding={"v": dict(chunksizes=(1, 2, 2))})
expect("curvilinear")

d = xr.Dataset({"v": ("time", [1.5, np.nan, 3.5]), "n": ("time", [1, 2, 3])}, coords={"time": pd.to_datetime(["2000-01-01", "2000-01-02", "NaT"])})
d.to_netcdf("one.nc")
expect("one")

# An unlimited dimension along which one variable is shorter, and one without anything.
with netCDF4.Dataset("unlimited.nc", "w") as d:
    d.createDimension("time", None)
    d.createDimension("x", 3)
    time = d.createVariable("time", "i4", ("time",))
    time.units = "days since 1999-12-31"
    time[:] = [1, 2, 3, 4, 5]
    d.createVariable("full", "f8", ("time", "x"), fill_value=-1.0, chunksizes=(2, 3))[:] = np.arange(15).reshape(5, 3)
    d.createVariable("short", "f8", ("time", "x"), fill_value=-1.0, chunksizes=(2, 2))[:3] = np.arange(9).reshape(3, 3) * 10
    d.createVariable("brief", "f8", ("time",), fill_value=-1.0)[:2] = [7, 8]
    d.createVariable("none", "f8", ("time", "x"), fill_value=-1.0)
expect("unlimited")

with netCDF4.Dataset("empty.nc", "w") as d:
    d.createDimension("time", None)
    d.createDimension("x", 3)
    d.createVariable("x", "i4", ("x",))[:] = [1, 2, 3]
    d.createVariable("v", "f8", ("time", "x"))
expect("empty")

# Dimension scales of HDF5, and fills in every value.
with h5py.File("scales.nc", "w") as f:
    f["depth"], f["lat"] = np.array([1.0, 2.5]), np.array([10, 20, 30], "i2")
    f["depth"].make_scale("depth")
    f["lat"].make_scale("lat")
    f["salt"] = np.arange(6, dtype=">f4").reshape(2, 3)
    f["salt"].attrs["_FillValue"] = np.array([4], ">f4")
    f["count"] = np.arange(6, dtype="u1").reshape(2, 3)
    for name in ("salt", "count"):
        f[name].dims[0].attach_scale(f["depth"])
        f[name].dims[1].attach_scale(f["lat"])
expect("scales")

# Bands of chunks that are large; three chunks are written, of the index of each cell. There is no frame.
with h5py.File("blocks.nc", "w") as f:
    shape, chunk = (16, 4096, 4096), (8, 64, 64)
    v = f.create_dataset("v", shape, "i4", chunks=chunk, compression="gzip", shuffle=True, fillvalue=-1)
    for k, (name, n) in enumerate(zip(("t", "y", "x"), shape)):
        f[name] = np.arange(n, dtype="i2")
        f[name].make_scale(name)
        v.dims[k].attach_scale(f[name])
    for at in ((0, 0, 0), (8, 64, 4032), (8, 4032, 4032)):
        v[tuple(slice(a, a + c) for a, c in zip(at, chunk))] = np.ravel_multi_index(np.ogrid[tuple(slice(a, a + c) for a, c in zip(at, chunk))], shape)
with open("blocks.nc", "rb") as f, gzip.GzipFile("blocks.nc.gz", "wb", 9, mtime=0) as z:
    z.write(f.read())
os.remove("blocks.nc")

# Dimensions that are never written, a product that overflows, variables whose dimensions come in another order or twice.
with h5py.File("odd.nc", "w") as f:
    for name, n in (("huge", 1 << 40), ("wide", 1 << 20), ("a", 2), ("b", 3)):
        f.create_dataset(name, (n,), "i4", chunks=(min(n, 1024),), fillvalue=7)
        f[name].make_scale(name)

    def attached(name, *dims):
        d = f.create_dataset(name, [f[x].shape[0] for x in dims], "i4", chunks=tuple(min(f[x].shape[0], 64) for x in dims), fillvalue=-5)
        for k, x in enumerate(dims):
            d.dims[k].attach_scale(f[x])
        return d

    attached("vast", "huge", "wide")
    attached("long", "huge")
    attached("ab", "a", "b")[...] = np.arange(6).reshape(2, 3)
    attached("ba", "b", "a")[...] = np.arange(6).reshape(3, 2)
    attached("aa", "a", "a")[...] = np.arange(4).reshape(2, 2)
    g = f.create_group("below")
    d = g.create_dataset("deep", data=np.arange(3))
    d.dims[0].attach_scale(f["b"])
with open("odd.nc", "rb") as f, gzip.GzipFile("odd.nc.gz", "wb", 9, mtime=0) as z:
    z.write(f.read())
os.remove("odd.nc")
