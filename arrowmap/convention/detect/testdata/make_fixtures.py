"""Writes by h5py what the programs of each convention write, as small as it goes.

    python make_fixtures.py    # beside this file
"""

import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
text = h5py.string_dtype()


def file(name, **kw):
    return h5py.File(os.path.join(here, name), "w", libver="latest", track_order=False, **kw)


def gadget():
    with file("gadget.h5") as f:
        h = f.create_group("Header")
        h.attrs["Redshift"] = 0.5
        h.attrs["NumPart_ThisFile"] = np.array([0, 2], "i4")
        g = f.create_group("PartType1")
        g["Coordinates"] = np.array([[1, 2, 3], [4, 5, 6]], "f4")
        g["Coordinates"].attrs["unit"] = "kpc"
        g["Velocities"] = np.array([[-1, -2, -3], [-4, -5, -6]], "f8")
        g["ParticleIDs"] = np.array([7, 8], "u8")
        g["Tidal"] = np.arange(8, dtype="f4").reshape(2, 2, 2)


def amuse():
    with file("amuse.h5") as f:
        g = f.create_group("particles/0000000001")
        g.attrs["number_of_particles"] = 2
        g["keys"] = np.array([11, 12], "u8")
        a = g.create_group("attributes")
        a["mass"] = [0.5, 1.5]
        a["mass"].attrs["units"] = "MSun"
        a["x"] = [1.0, 2.0]


def gwosc():
    with file("gwosc.h5") as f:
        f["meta/GPSstart"] = 1126259446
        s = f.create_dataset("strain/Strain", data=np.array([1e-21, np.nan, 3e-21]))
        s.attrs["Xspacing"] = 1 / 4096
        q = f.create_group("quality/simple")
        q["DQmask"] = np.array([127, 5, 0], "u4")
        q["DQShortnames"] = np.array([b"DATA", b"CBC_CAT1", b"BURST_CAT1"])
        q["DQDescriptions"] = np.array([b"data present", b"passes cbc", b"passes burst"])
        i = f.create_group("quality/injections")
        i["Injmask"] = np.array([23, 16], "u4")
        i.create_dataset("InjShortnames", data=["NO_CBC_HW_INJ"], dtype=text)


def icesat():
    """No _NCProperties: the netCDF library's default fills mean nothing."""
    with file("icesat.h5") as f:
        for beam in ("gt1l", "gt1r"):
            g = f.create_group(beam + "/heights")
            t = g.create_dataset("delta_time", data=[0.5, 1.5, 2.5])
            t.attrs["units"] = "seconds since 2018-01-01"
            t.make_scale("delta_time")
            for name, data, fill in (
                ("h_ph", np.array([1, 3.4028235e38, 9.96921e36], "f4"), np.float32(3.4028235e38)),
                ("quality_ph", np.array([0, 127, -127], "i1"), np.int8(127)),
                ("conf", np.arange(6, dtype="i1").reshape(3, 2), None),
            ):
                d = g.create_dataset(name, data=data)
                d.dims[0].attach_scale(t)
                if fill is not None:
                    d.attrs["_FillValue"] = fill
            f.create_group(beam + "/geolocation")["segment_id"] = np.array([1, 2], "i4")


def hdfeos():
    odl = """GROUP=SwathStructure
\tGROUP=SWATH_1
\t\tSwathName="OMI"
\t\tGROUP=DataField
\t\t\tOBJECT=DataField_1
\t\t\t\tDataFieldName="Ozone"
\t\t\t\tDimList=("nTimes","nXtrack")
\t\t\tEND_OBJECT=DataField_1
\t\t\tOBJECT=DataField_2
\t\t\t\tDataFieldName="Levels"
\t\t\t\tDimList=("nLevels")
\t\t\tEND_OBJECT=DataField_2
\t\tEND_GROUP=DataField
\t\tGROUP=GeoField
\t\t\tOBJECT=GeoField_1
\t\t\t\tGeoFieldName="Time"
\t\t\t\tDimList=("nTimes")
\t\t\tEND_OBJECT=GeoField_1
\t\tEND_GROUP=GeoField
\tEND_GROUP=SWATH_1
END_GROUP=SwathStructure
"""
    with file("hdfeos.h5") as f:
        f.create_dataset("HDFEOS INFORMATION/StructMetadata.0", data=np.bytes_(odl))
        s = f.create_group("HDFEOS/SWATHS/OMI")
        o = s.create_dataset("Data Fields/Ozone", data=np.array([[1, -1], [2, -2], [3, 4]], "f4"))
        o.attrs["_FillValue"] = np.array([-1], "f4")
        o.attrs["MissingValue"] = np.array([-2], "f4")
        s["Data Fields/Levels"] = np.array([10, 20], "i2")
        s["Geolocation Fields/Time"] = [0.0, 1.0, 2.0]
        g = f.create_group("HDFEOS/GRIDS/Daily/Data Fields")
        g["NO2"] = np.array([[1, 2]], "i4")


def nexus():
    with file("nexus.h5") as f:
        e = f.create_group("entry")
        e.attrs["NX_class"] = "NXentry"
        d = e.create_group("data")
        d.attrs.update(NX_class="NXdata", signal="counts")
        d.attrs.create("axes", ["two_theta", "detector"], dtype=text)
        d["counts"] = np.array([[1, 2], [3, 4], [5, 6]], "i4")
        d["counts_errors"] = np.ones((3, 2), "f4")
        d["two_theta"] = [10.0, 10.5, 11.0]
        d["detector"] = np.array([0, 1], "i4")
        old = e.create_group("old")
        old.attrs["NX_class"] = np.bytes_(b"NXdata")
        old["y"] = np.array([7, 8], "i4")
        old["y"].attrs["signal"] = 1
        old["y"].attrs["axes"] = "x"
        old["x"] = [0.25, 0.75]
        log = e.create_group("temperature")
        log.attrs["NX_class"] = "NXlog"
        log["value"] = np.array([290, 291], "f4")
        log["time"] = [0.0, 60.0]
        log["cue_index"] = np.array([0], "u4")
        ev = e.create_group("events")
        ev.attrs["NX_class"] = "NXevent_data"
        ev["event_id"] = np.array([5, 6, 5, 7], "u4")
        ev["event_time_offset"] = np.array([1, 2, 3, 4], "f4")
        ev["event_time_zero"] = [100.0, 200.0, 300.0]
        ev["event_index"] = np.array([0, 2, 2], "u8")


def tenx():
    with file("tenx.h5") as f:
        m = f.create_group("matrix")
        m["barcodes"] = np.array([b"AAAC-1", b"AAAG-1", b"AAAT-1"])
        m["data"] = np.array([3, 1, 2], "i4")
        m["indices"] = np.array([0, 1, 1], "i8")
        m["indptr"] = np.array([0, 2, 2, 3], "i8")
        m["shape"] = np.array([2, 3], "i4")
        t = m.create_group("features")
        t["_all_tag_keys"] = np.array([b"genome"])
        t["feature_type"] = np.array([b"Gene Expression"] * 2)
        t["genome"] = np.array([b"GRCh38"] * 2)
        t["id"] = np.array([b"ENSG1", b"ENSG2"])
        t["name"] = np.array([b"A1BG", b"NAT2"])


def loom():
    with file("loom.h5") as f:
        f["matrix"] = np.array([[1, 0, 2], [0, 3, 0]], "f4")
        f["row_attrs/Gene"] = np.array(["Actb", "Gad1"], dtype=object)
        f["col_attrs/CellID"] = np.array(["c1", "c2", "c3"], dtype=object)
        f["col_attrs/Age"] = np.array([1, 2, 3], "i4")
        f["layers/spliced"] = np.array([[1, 0, 1], [0, 1, 0]], "i2")
        f.create_group("attrs")["LOOM_SPEC_VERSION"] = "3.0.0"


def sparse():
    """A matrix as HiCExplorer writes it, and one with names in its own group and no shape."""
    with file("sparse.h5") as f:
        f["intervals/chr_list"] = np.array([b"1", b"1", b"X"])
        f["intervals/start_list"] = np.array([0, 10, 0])
        f["intervals/end_list"] = np.array([10, 20, 10])
        f["intervals/extra_list"] = np.array([1.0, 0.5, 1.0])
        f["correction_factors"] = np.array([0.5, np.nan, 2])
        m = f.create_group("matrix")
        m["data"], m["indices"] = np.array([3, 1, 2], "i4"), np.array([0, 2, 1], "i4")
        m["indptr"], m["shape"] = np.array([0, 2, 2, 3], "i4"), np.array([3, 3])
        g = f.create_group("g/words")
        g["data"], g["indices"], g["indptr"] = np.array([0.5, 1.5]), np.array([7, 9], "u2"), np.array([0, 0, 2], "i8")
        g.create_dataset("names", data=["none", "two"], dtype=text)


def astropy():
    """What Table.write(..., serialize_meta=True) writes: a masked column, a masked array column, a unit."""
    with file("astropy.h5") as f:
        t = np.dtype([("a", "i8"), ("a.mask", "?"), ("flux", "f4"), ("v", "i2", 2), ("v.mask", "?", 2), ("name", "S3")])
        f["t"] = np.array([(1, False, 0.5, (1, 2), (False, True), b"x"), (2, True, 1.5, (3, 4), (True, False), b"yy")], t)
        lines = [
            "datatype:",
            "- {name: a, datatype: int64}",
            "- {name: a.mask, datatype: bool}",
            "- {name: flux, unit: !astropy.units.Unit {unit: Jy}, datatype: float32, description: 'of it, all'}",
            "- name: v",
            "  unit: m / s",
            "- {name: v.mask, datatype: bool}",
            "- {name: name, datatype: string}",
            "meta:",
            "  __serialized_columns__:",
            "    a:",
            "      __class__: astropy.table.column.MaskedColumn",
            "      data: !astropy.table.SerializedColumn {name: a}",
            "      mask: !astropy.table.SerializedColumn {name: a.mask}",
            "    v:",
            "      __class__: astropy.table.column.MaskedColumn",
            "      data: !astropy.table.SerializedColumn {name: v}",
            "      mask: !astropy.table.SerializedColumn {name: v.mask}",
        ]
        f["t.__table_column_meta__"] = np.array([l.encode() for l in lines])


def arkouda():
    def mark(o, kind, is_bool=None):
        o.attrs["ObjType"] = kind
        if is_bool is not None:
            o.attrs["isBool"] = is_bool

    def strings(f, path, values, starts):
        g = f.create_group(path)
        mark(g, 2)
        g["values"] = np.frombuffer(values, "u1")
        mark(g["values"], 1, 0)
        g["segments"] = np.array(starts, "i8")
        mark(g["segments"], 1, 0)

    with file("arkouda.h5") as f:
        f.create_group("_arkouda_metadata")
        f["n"] = np.array([1, 2, 3], "i8")
        mark(f["n"], 1, 0)
        f["ok"] = np.array([1, 0, 1], "u1")
        mark(f["ok"], 1, 1)
        strings(f, "s", b"one\0\0three\0", [0, 4, 5])
        g = f.create_group("lists")
        mark(g, 3)
        g["lists_values"] = np.array([1.5, 2.5, 3.5])
        g["lists_segments"] = np.array([0, 2, 2], "i8")
        c = f.create_group("kind")
        mark(c, 4)
        c["codes"] = np.array([1, 2, 0], "i8")
        c["NA_Codes"] = np.array([2], "i8")
        strings(c, "categories", b"red\0blue\0N/A\0", [0, 4, 9])
    with file("arkouda_uneven.h5") as f:
        f["a"] = np.array([1, 2], "i8")
        mark(f["a"], 1)
        strings(f, "b", b"x\0", [0])


def openpmd():
    with file("openpmd.h5") as f:
        f.attrs.update(openPMD="1.1.0", basePath="/data/%T/", particlesPath="particles/", meshesPath="meshes/")
        e = f.create_group("data/100/particles/electrons")
        e["position/x"] = np.array([1, 2], "f4")
        e["position/y"] = np.array([3, 4], "f4")
        e["position/x"].attrs["unitSI"] = 1e-6
        e["position"].attrs["unitDimension"] = np.array([1, 0, 0, 0, 0, 0, 0.0])
        for r in ("mass", "positionOffset/x"):
            g = e.create_group(r)
            g.attrs.update(value=2.5, shape=np.array([2], "u8"))
        e.create_group("charge").attrs.update(value=np.int32(-1), shape=np.array([2], "u8"))
        e["weighting"] = np.array([10, 20], "f8")
        p = e.create_group("particlePatches")
        p["numParticles"] = np.array([2], "u8")
        p["numParticlesOffset"] = np.array([0], "u8")


def missing():
    """rhdf5-NA.OK, missing-value-placeholder in a plain group, and a data frame of alabaster."""
    with file("missing.h5") as f:
        g = f.create_group("plain")
        g["r"] = np.array([1, -(2**31), 3], "i4")
        g["r"].attrs["rhdf5-NA.OK"] = np.array([1], "u1")
        g["n"] = np.array([1.0, np.nan, 3.0])
        g["n"].attrs["missing-value-placeholder"] = np.nan
        g["s"] = np.array(["a", "NA", "c"], dtype=object)
        g["s"].attrs["missing-value-placeholder"] = "NA"
        g["i"] = np.array([1, 2, -1], "i2")
        g["i"].attrs["missing-value-placeholder"] = np.int16(-1)
        d = f.create_group("data_frame")
        d.attrs["row-count"] = np.uint64(3)
        d["column_names"] = np.array(["flag", "kind", "value"], dtype=object)
        d["row_names"] = np.array(["r1", "r2", "r3"], dtype=object)
        b = d.create_dataset("data/0", data=np.array([1, 0, -1], "i1"))
        b.attrs["type"] = "boolean"
        b.attrs["missing-value-placeholder"] = np.int8(-1)
        k = d.create_group("data/1")
        k.attrs.update(type="factor", ordered=np.int8(1))
        k["codes"] = np.array([0, 255, 1], "u1")
        k["codes"].attrs["missing-value-placeholder"] = np.uint8(255)
        k["levels"] = np.array(["low", "high"], dtype=object)
        v = d.create_dataset("data/2", data=[0.5, 1.5, 2.5])
        v.attrs["type"] = "number"


def anndata():
    def encode(o, kind, **more):
        o.attrs.update({"encoding-type": kind, "encoding-version": "0.2.0", **more})

    with file("anndata.h5ad") as f:
        encode(f, "anndata")
        f["X"] = np.array([[1, 2], [3, 4], [5, 6]], "f4")
        encode(f["X"], "array")
        for name, index in (("obs", ["a", "b", "c"]), ("var", ["g1", "g2"])):
            g = f.create_group(name)
            encode(g, "dataframe", _index="_index")
            g.attrs.create("column-order", np.array([]) if name == "var" else ["n"], dtype="f8" if name == "var" else text)
            g["_index"] = np.array(index, dtype=object)
        n = f.create_group("obs/n")
        encode(n, "nullable-integer")
        n["values"] = np.array([1, 1, 3], "i8")
        n["mask"] = np.array([False, True, False])
        m = f.create_group("obsm")
        encode(m, "dict")
        m["X_pca"] = np.arange(6.0).reshape(3, 2)
        encode(m["X_pca"], "array")
        k = m.create_group("flags")
        encode(k, "nullable-boolean")
        k["values"] = np.array([True, False, True])
        k["mask"] = np.array([False, False, True])
        d = m.create_group("df")
        encode(d, "dataframe", _index="id")
        d.attrs.create("column-order", [], dtype="f8")
        d["id"] = np.array(["a", "b", "c"], dtype=object)
        u = f.create_group("uns")
        encode(u, "dict")
        u["colors"] = np.array(["red", "blue"], dtype=object)
        encode(u["colors"], "string-array")
        u["three"] = np.array([1, 2, 3], "i4")
        encode(u["three"], "array")
        a = u.create_group("ragged")
        encode(a, "awkward-array")
        a["node0-data"] = np.array([1, 2], "i4")
    with file("anndata_old.h5ad") as f:
        x = f.create_group("X")
        x.attrs.update(h5sparse_format="csr", h5sparse_shape=np.array([2, 3]))
        x["data"] = np.array([1, 2], "f4")
        x["indices"] = np.array([0, 2], "i4")
        x["indptr"] = np.array([0, 1, 2], "i4")
        f["obs"] = np.array([(b"c1", 1, 0.5), (b"c2", -1, 1.5)], [("index", "S2"), ("louvain", "i1"), ("n", "f8")])
        f["var"] = np.array([(b"g1",), (b"g2",), (b"g3",)], [("index", "S2")])
        f["uns/louvain_categories"] = np.array([b"0", b"1"])
        f["obsm"] = np.array([((1, 2),), ((3, 4),)], [("X_pca", "f4", 2)])


def hdmf():
    with file("hdmf.h5") as f:
        f.attrs["neurodata_type"] = "NWBFile"
        f["file_create_date"] = np.array(["2024-01-01"], dtype=object)
        u = f.create_group("units")
        u.attrs["neurodata_type"] = "Units"
        u.attrs.create("colnames", ["spikes", "waves", "quality"], dtype=text)
        u["id"] = np.array([0, 1], "i4")
        u["quality"] = np.array(["good", "bad"], dtype=object)
        u["spikes"] = [0.1, 0.2, 0.3]
        u["spikes_index"] = np.array([1, 3], "u1")
        u["waves"] = np.array([1, 2, 3, 4], "i2")
        u["waves_index"] = np.array([2, 3, 4], "u2")
        u["waves_index_index"] = np.array([3, 3], "u1")
        s = f.create_group("acquisition/ts")
        s.attrs["neurodata_type"] = "ElectricalSeries"
        s["data"] = np.array([[1, 2], [3, 4], [5, 6]], "f4")
        s["timestamps"] = [0.0, 0.5, 1.0]
        s["electrodes"] = np.array([0, 1], "i8")


def matlab():
    """A user block, dimensions reversed, cells and arrays of structs by reference."""

    def var(g, name, data, kind, **more):
        g[name] = data
        g[name].attrs["MATLAB_class"] = np.bytes_(kind)
        g[name].attrs.update(more)
        return g[name].ref

    def chars(s):
        return np.frombuffer(s.encode("utf-16-le"), "u2").reshape(-1, 1)

    empty = {"MATLAB_empty": np.uint8(1)}
    with file("cells.mat", userblock_size=512) as f:
        refs = f.create_group("#refs#")

        def cells(g, name, parts, **more):
            data = np.array(parts, h5py.ref_dtype).reshape(1, -1)
            g.create_dataset(name, data=data, dtype=h5py.ref_dtype)
            g[name].attrs.update(more)

        cell = {"MATLAB_class": np.bytes_("cell")}
        s = f.create_group("s")
        s.attrs["MATLAB_class"] = np.bytes_("struct")
        var(s, "x", np.array([[1.0, 2.0, 3.0]]), "double")
        var(s, "ok", np.array([[1, 0, 1]], "u1"), "logical", MATLAB_int_decode=np.int32(1))
        var(s, "title", chars("three rows"), "char", MATLAB_int_decode=np.int32(2))
        nothing = np.zeros(2, "u8")
        cells(s, "names", [var(refs, "a", chars("é€"), "char"), var(refs, "b", nothing, "char", **empty),
                           var(refs, "c", chars("\U0001f600"), "char")], **cell)
        cells(s, "lists", [var(refs, "d", np.array([[1, 2]], "i2"), "int16"), var(refs, "e", nothing, "double", **empty),
                           var(refs, "f", np.array([[3]], "i2"), "int16")], **cell)
        cells(s, "flags", [var(refs, "g", np.array([[1]], "u1"), "logical"), var(refs, "h", nothing, "double", **empty),
                           var(refs, "i", np.array([[0]], "u1"), "logical")], **cell)
        cells(s, "mixed", [var(refs, "j", np.array([[1.0]]), "double"), var(refs, "k", chars("k"), "char"),
                           var(refs, "l", np.array([[1.0]]), "double")], **cell)
        people = f.create_group("people")
        people.attrs["MATLAB_class"] = np.bytes_("struct")
        cells(people, "age", [var(refs, "m", np.array([[40.0]]), "double"), var(refs, "n", np.array([[41.0]]), "double")])
        cells(people, "name", [var(refs, "o", chars("Ann"), "char"), var(refs, "p", chars("Bo"), "char")])
        var(f, "v", np.array([[1, 2]], "i4"), "int32")
        var(f, "w", np.array([[1, 2, 3]], "i4"), "int32")
        var(f, "nothing", nothing, "double", **empty)
        z = f.create_group("sparse_zeros")
        z.attrs.update(MATLAB_class=np.bytes_("double"), MATLAB_sparse=np.uint64(4))
        z["jc"] = np.zeros(3, "u8")
    with open(os.path.join(here, "cells.mat"), "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file".ljust(116) + b"\0" * 8 + b"\x00\x02IM")


def order():
    """Objects that two conventions claim, beside those of the other files: order_test.go says which one is to win."""
    with file("order.h5") as f:
        d = f.create_group("entry/data")  # NXdata with dimension scales, as beamlines write it for other viewers
        d.attrs.update(NX_class="NXdata", signal="counts", axes="energy")
        d["counts"] = np.array([[1, 2], [3, 4], [5, 6]], "i4")
        d["energy"] = [10.0, 10.5, 11.0]
        d["energy"].make_scale("energy")
        d["counts"].dims[0].attach_scale(d["energy"])
        d["live_time"] = [1.0, 1.0]
        g = f.create_group("HDFEOS/GRIDS/Daily")  # a grid that the augmentation tool gave netCDF's dimensions
        g["YDim"] = [-45.0, 45.0]
        g["YDim"].make_scale("YDim")
        no2 = g.create_dataset("Data Fields/NO2", data=np.array([1, -9999], "i4"))
        no2.attrs["MissingValue"] = np.array([-9999], "i4")
        no2.dims[0].attach_scale(g["YDim"])
        v = f.create_group("data")  # vaex before its second layout
        v.attrs["column_order"] = "y,x"
        v["x"] = [1.0, 2.0]
        v["y"] = [3.0, 4.0]


def lengths():
    """Groups whose datasets have several lengths, in the shapes of mdtraj, kallisto and NXtomo."""
    with file("lengths.h5") as f:
        t = f.create_group("traj")
        t["cell_lengths"] = np.ones((3, 3), "f4")
        t["time"] = np.array([0, 1, 2], "f4")
        t["topology"] = [b"{}"]
        a = f.create_group("aux")
        a["bias_normalized"] = np.arange(5) / 2
        a["bias_observed"] = np.arange(5, dtype="i4")
        a["eff_lengths"] = [9.5, 8.5, 7.5]
        a["fld"] = np.arange(7, dtype="i4")
        a["ids"] = [b"x", b"yy", b"z"]
        a["call"] = [b"quant"]
        a["index_version"] = np.array([10], "i4")
        d = f.create_group("detector")
        d["data"] = np.arange(8, dtype="u2").reshape(4, 2)
        d["image_key"] = np.array([2, 1, 0, 0], "u1")
        d["size"] = np.array([2, 2], "i4")
        n = f.create_group("labels")  # of dimensions; beside a group of that name the label says nothing
        for name, rows, label in ("t", 4, "time"), ("u", 4, "time"), ("gain", 3, "channel"), ("offset", 3, "channel"), ("x", 2, "x"), ("y", 2, "x"):
            n[name] = np.arange(rows, dtype="i2")
            n[name].dims[0].label = label
        s = f.create_group("single")  # not tables
        s["n"], s["m"], s["v"] = [1], [2], [1.0, 2.0]
        f["unlike/a"], f["unlike/b"] = [1, 2], [3]


def stack():
    """Groups of one schema: episodes as robomimic writes them, reads as in fast5 files, and three, which are not enough."""
    with file("stack.h5") as f:
        for k, rows in enumerate((2, 0, 3, 1, 1)):
            g = f.create_group("data/demo_%d" % k)
            g.attrs["num_samples"] = rows
            if k != 3:
                g.attrs["success"] = k == 2
            g.attrs["score"] = k if k < 3 else k + 0.5
            g.attrs["model"] = np.arange(2)
            g.attrs["key"] = "k%d" % k
            g["actions"] = np.arange(2 * rows, dtype="f4").reshape(rows, 2) + 10 * k
            g["rewards"] = np.arange(rows) + k / 4
            g["obs/pos"] = np.arange(rows, dtype="i4") - k
        for name in "dcab":
            r = f.create_group("read_" + name)
            r.attrs["run_id"] = "run"
            raw = r.create_group("Raw")
            raw.attrs["read_id"] = name * 2
            raw.attrs["start"] = ord(name)
            raw["Signal"] = np.array([ord(name), 1], "i2")
        for k in range(3):
            f["three/x%d/v" % k] = [k]


def stack_odd():
    """Groups of one schema whose attributes are of several types, and links among them that are not hard."""
    with file("stack_odd.h5") as f:
        data = f.create_group("data")
        marks = h5py.enum_dtype({"no": 0, "yes": 1}, basetype="i1")
        for k in range(5):
            g = data.create_group("e_%d" % k)
            g["x"] = np.arange(k, dtype="i4") + 10 * k
            g.create_dataset("marks", data=np.arange(2 * k, dtype="i1").reshape(k, 2) % 2, dtype=marks)
            g.attrs["number"] = np.int16(k) if k % 2 else k + 0.5
            g.attrs["word"] = k if k < 3 else "three" if k == 3 else 2.5
            g.attrs["flag"] = (k == 2) if k < 4 else 7
            g.attrs["list"] = k if k == 1 else np.arange(2)
            g.attrs["empty"] = h5py.Empty("f4")
        other = f.create_group("other/e_9")
        other["x"] = np.arange(2, dtype="i4")
        other.create_dataset("marks", data=np.array([[0, 1], [1, 1]], "i1"), dtype=h5py.enum_dtype({"yes": 0, "no": 1}, basetype="i1"))
        data["again"] = data["e_1"]
        data["circle"] = data
        data["soft"] = h5py.SoftLink("/data/e_2")
        data["lost"] = h5py.SoftLink("/nowhere")
        data["far"] = h5py.ExternalLink("nowhere.h5", "/")


def stack_notes():
    """Groups of netCDF of which one has an attribute that makes no sense."""
    import netCDF4

    with netCDF4.Dataset(os.path.join(here, "stack_notes.nc"), "w") as f:
        for k in range(4):
            g = f.createGroup("month_%d" % k)
            g.createDimension("obs", 2)
            v = g.createVariable("t", "i2", ("obs",))
            v.set_auto_maskandscale(False)
            v.scale_factor = 0.5
            if k == 2:
                v.valid_range = np.array([0, 1, 2], "i2")
            v[:] = [2 * k, 2 * k + 1]


def imported():
    """What h5arrow import writes: a table of vaex with columns that vaex lacks, and a plain one."""
    with file("imported.h5") as f:
        t = f.create_group("table")
        t.attrs["type"] = "table"
        c = t.create_group("columns")
        c.attrs["column_order"] = "n,l,s,b,d,z,e"
        c["n/data"] = np.array([1, -128, 3], "i1")
        c["n/data"].attrs.update({"_FillValue": np.int8(-128), "h5arrow.nulls": "sentinel"})
        c["n"].attrs.update({"unit": "m", "h5arrow.metadata": '{"unit":"km","type":"odd"}'})
        c["d/data"] = np.array([150, 0, -5])
        c["d"].attrs["ARROW:schema"] = decimal_field
        a = t.create_group("arrow")
        a["l/indices"] = np.array([0, 2, 2, 3], "i4")
        a["l/null_bitmap"] = np.array([0b101], "u1")
        a["l/items/data"] = np.array([1.5, 2.5, 3.5])
        a["l"].attrs["type"] = "list"
        a["s/fields/0/data"] = [7, 8, 9]
        a["s/fields/0/null_bitmap"] = np.array([0b110], "u1")
        a["s"].attrs.update({"type": "struct", "fields": '["a/b"]'})
        a["b/data"] = np.frombuffer(b"\xff\x00", "S1")
        a["b/data"].attrs["dtype"] = "str"
        a["b/indices"] = np.array([0, 1, 1, 2], "i4")
        a["b"].attrs["type"] = "binary"
        a["z/data"] = np.zeros(3, "u1")
        a["z"].attrs["type"] = "null"
        a["e/items/data"] = np.arange(6, dtype="i2")
        a["e"].attrs.update({"type": "fixed_size_list", "size": 2})
    with file("plain.h5") as f:
        g = f.create_group("plain")
        g.attrs["h5arrow.columns"] = '["x","t","k"]'
        g["x"] = [1.5, 0.0, 2.5]
        g["x"].attrs["h5arrow.nulls"] = "mask:x_mask"
        g["x_mask"] = [False, True, False]
        g.create_dataset("t", data=["a", "", "c"], dtype=text)
        g["t"].attrs.update({"alias": "a/b", "h5arrow.nulls": "bitmap:t_mask"})
        g["t_mask"] = np.array([0b101], "u1")
        g["k"] = np.array([1, 0, 1], "i1")
        g["k"].attrs["h5arrow.labels"] = "k_labels"
        g.create_dataset("k_labels", data=["no", "yes"], dtype=text)


# The schema of one field of decimal128(10, 2) that Arrow writes, in base64.
decimal_field = "/////3gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgABgAHAAwAAAAQABAAAAAAAAEHEAAAABwAAAAEAAAAAAAAAAAAAAAAAAAACAAMAAQACAAIAAAACgAAAAIAAAA="

for make in (gadget, amuse, gwosc, icesat, hdfeos, nexus, tenx, loom, astropy, arkouda, openpmd, missing, anndata, hdmf, matlab, sparse, order, lengths, stack, stack_odd, stack_notes, imported):
    make()
