"""kerchunk.py make FILE: a file with datasets of many types and filters.
kerchunk.py check FILE REFERENCES COUNT: reads the arrays with zarr, and with xarray, and compares all of them with h5py; there must be COUNT of them."""
import json
import sys

import h5py
import hdf5plugin
import numpy as np


def make(name):
    rng = np.random.default_rng(1)
    with h5py.File(name, "w", userblock_size=512) as f:
        f.attrs["title"] = "a title: 3 \u00b5m \"quoted\""
        f.attrs["numbers"] = np.arange(3)
        plain = f.create_group("plain")
        for t in ("i1 <i2 >i4 <u8 u1 <f2 >f4 <f8 <c8 >c16 S5 ?").split():
            v = rng.integers(0, 2 if t == "?" else 100, (7, 5)).astype(t)
            plain["c_" + t.strip("<>?") + str(len(plain))] = v
            plain.create_dataset("g_" + t.strip("<>?") + str(len(plain)), data=v, chunks=(3, 2), compression="gzip", shuffle=True)
        plain["record"] = np.array([(1, 2.5, b"ab"), (3, 4.5, b"c")], [("a", "<i4"), ("b", ">f8"), ("c", "S2")])
        plain["enum"] = np.array([1, 2, 1], h5py.enum_dtype({"a": 1, "b": 2}, "i2"))
        plain["scalar"] = 3.5
        plain["one"] = np.int8(3)
        plain["empty"] = np.zeros((0, 4), "f4")
        plain.create_dataset("growing", (0, 3), "f4", maxshape=(None, 3), chunks=(8, 3))
        filters = f.create_group("filters")
        x = np.sin(np.arange(3000)).reshape(30, 100)
        for k, o in {"checked": dict(fletcher32=True), "both": dict(fletcher32=True, compression="gzip", shuffle=True), "zstd": hdf5plugin.Zstd(),
                     "blosc": hdf5plugin.Blosc(), "bz2": hdf5plugin.BZip2()}.items():
            filters.create_dataset(k, data=x, chunks=(7, 30), **o)
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        d = h5py.h5d.create(filters.id, b"compact", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((5,)), compact)
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(5, dtype="i4"))
        for k, fill in {"zero": 0, "seven": 7, "nan": np.nan, "inf": -np.inf}.items():
            d = filters.create_dataset("missing_" + k, (10, 10), "f4", chunks=(4, 4), fillvalue=fill)
            d[0, 0] = 1
        filters.create_dataset("none", (4,), "i8", fillvalue=-3)
        grid = f.create_group("grid")
        grid["x"], grid["time"] = np.arange(4.0), np.arange(3, dtype="i4")
        grid["x"].make_scale("x")
        grid["time"].make_scale("time")
        grid["time"].attrs["units"] = "days since 2024-01-01"
        t = grid.create_dataset("t", data=np.arange(12, dtype="i2").reshape(3, 4), chunks=(2, 2))
        t.attrs["_FillValue"], t.attrs["scale_factor"] = np.int16(5), 0.5
        t.dims[0].attach_scale(grid["time"])
        t.dims[1].attach_scale(grid["x"])
        left = f.create_group("left_out")
        left["text"] = ["a", "bc"]
        left["lists"] = np.array([np.arange(2), np.arange(3)], object).astype(h5py.vlen_dtype("i4"))
        left["reference"] = np.array([grid.ref], h5py.ref_dtype)
        left.create_dataset("lz4", data=x, chunks=(7, 30), **hdf5plugin.LZ4())
        left.create_dataset("scaled", data=np.arange(100), chunks=(10,), scaleoffset=0)
        left["gap"] = np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["i1", "i8"], "offsets": [0, 8], "itemsize": 16}))


def check(name, references, count):
    import zarr

    options = {"fo": references, "remote_protocol": "file"}
    root = zarr.open_group(zarr.storage.FsspecStore.from_url("reference://", storage_options=options, read_only=True), mode="r", zarr_format=2)
    seen = []

    def visit(path, d):
        if not isinstance(d, h5py.Dataset) or path.startswith("left_out/"):
            return
        a = root[path]
        got, want = a[...], d[...]
        if d.dtype.kind == "V" or want.dtype.kind in "iubfcS":
            np.testing.assert_array_equal(np.asarray(got), want, err_msg=path)
        assert a.shape == d.shape and a.dtype.itemsize == d.dtype.itemsize, (path, a.dtype, d.dtype)
        seen.append(path)

    with h5py.File(name) as f:
        f.visititems(visit)
        assert root.attrs["title"] == f.attrs["title"] and list(root.attrs["numbers"]) == [0, 1, 2]
    assert len(seen) == int(count), seen
    assert not any(k.startswith("left_out/") and k.endswith("zarray") for k in json.load(open(references))["refs"])
    import xarray

    with xarray.open_dataset("reference://", engine="zarr", backend_kwargs={"storage_options": options}, group="grid") as x:
        assert x["t"].dims == ("time", "x") and str(x["time"].values[1])[:10] == "2024-01-02", x
        want = np.arange(12.0).reshape(3, 4) / 2
        want[1, 1] = np.nan
        np.testing.assert_array_equal(x["t"].values, want)


{"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
