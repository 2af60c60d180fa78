"""AnnData with data frames and with awkward arrays, BIOM tables, cooler and Loom files by their writers, as small as it goes.

    python make_biology.py SUFFIX    # awkwardSUFFIX.h5ad.gz, biomSUFFIX.biom.gz, coolerSUFFIX.cool.gz, ... beside this file

Without a suffix by anndata 0.13.4 with awkward 2.14.0, biom-format 2.1.18, cooler 0.11.0 and loompy 3.0.8; with the suffix _old
by anndata 0.9.2 with awkward 2.5.2, anndata 0.8.0 (obs), biom-format 2.1.14, cooler 0.9.3 and loompy 3.0.4. What is not installed
is left out.
"""

import gzip
import os
import sys

import h5py
import numpy as np
import pandas as pd

here = os.path.dirname(os.path.abspath(__file__))
suffix = sys.argv[1] if len(sys.argv) > 1 else ""


def pack(name):
    """Compresses what a writer wrote."""
    path = os.path.join(here, name)
    with open(path, "rb") as f, open(path + ".gz", "wb") as z:
        z.write(gzip.compress(f.read(), 9, mtime=0))
    os.remove(path)


def awkward(name):
    import anndata as ad
    import awkward as ak
    import scipy.sparse as sp

    a = ad.AnnData(sp.csr_matrix(np.array([[0, 1], [2, 0], [0, 0]], "f4")), obs=pd.DataFrame(index=list("abc")), var=pd.DataFrame(index=["g1", "g2"]))
    a.layers["c"] = sp.csc_matrix(np.array([[0, 1], [2, 0], [0, 3]], "f4"))
    c = ak.contents
    num = c.NumpyArray(np.array([1, 2, 3]))
    m = a.obsm
    m["bits"] = ak.Array(c.BitMaskedArray(ak.index.IndexU8(np.array([5], "u1")), num, True, 3, True))
    m["bitsmsb"] = ak.Array(c.BitMaskedArray(ak.index.IndexU8(np.array([0xA0], "u1")), num, False, 3, False))
    m["bool"] = ak.Array([[True], [], [False, True]])
    m["bytes"] = ak.Array([b"ab", b"", b"\xff"])
    m["bytesmask"] = ak.mask(ak.Array([1, 2, 3]), [True, False, True])
    m["cat"] = ak.str.to_categorical(ak.Array(["x", "y", "x"]))
    m["catopt"] = ak.str.to_categorical(ak.Array(["x", None, "x"]))
    m["deep"] = ak.Array([[[1], [2, 3]], [], [[]]])
    m["empty"] = ak.Array([[], [], []])
    m["lists"] = ak.Array([[1.0, 2.0], [], [3.0]])
    m["none"] = ak.Array([None, None, None])
    m["opt"] = ak.Array([1, None, 3])
    m["optlist"] = ak.Array([[1, None], None, [None]])
    m["optrec"] = ak.Array([{"a": 1, "b": [True]}, None, {"a": 3, "b": []}])
    m["opttext"] = ak.Array(["x", None, "é"])
    m["rec"] = ak.Array([{"a": 1, "b": [1, 2], "c": {"d": "x"}}, {"a": 2, "b": [], "c": {"d": ""}}, {"a": 3, "b": [5], "c": {"d": "ü"}}])
    m["reclist"] = ak.Array([[{"x": 1, "y": None}], [], [{"x": 2, "y": "z"}, {"x": 3, "y": "w"}]])
    m["regular"] = ak.to_regular(ak.Array([[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]), axis=None)
    m["text"] = ak.Array(["a", "", "zz"])
    m["tuple"] = ak.Array([(1, "x"), (2, "y"), (3, "z")])
    m["union"] = ak.Array([1, "a", 2.5])
    m["unmasked"] = ak.Array(c.UnmaskedArray(num))
    a.uns["two"] = ak.Array([[1], [2, 3]])
    a.write_h5ad(os.path.join(here, name))
    pack(name)


def obs(name):
    import anndata as ad

    frame = pd.DataFrame({"i": [1, 2, 3], "f": [0.5, np.nan, -1.5], "ok": [True, False, True], "text": ["a", "é", ""], "cat": pd.Categorical(["u", None, "v"]),
                          "ordered": pd.Categorical(["lo", "hi", "lo"], ["lo", "hi"], ordered=True), "flags": pd.array([True, None, False], "boolean"),
                          "n": pd.array([2**60, None, -5], "Int64"), "numbers": pd.Categorical([3, 1, 3])}, index=["c1", "c2", "ü"])
    a = ad.AnnData(np.array([[1, 2], [3, 4], [5, 6]], "f4"), obs=frame, var=pd.DataFrame({"g": [1, 2]}, index=["g1", "g2"]))
    a.obsm["pca"] = np.array([[0.5, 1], [1.5, 2], [2.5, 3]])
    a.obsm["frame"] = frame[["i"]]
    a.write_h5ad(os.path.join(here, name))
    pack(name)


def loom(name):
    import loompy

    path = os.path.join(here, name)
    loompy.create(path, {"": np.array([[1, 2, 3], [4, 5, 6]], "f4"), "raw": np.array([[0, 2, 0], [4, 0, 6]], "i2")},
                  {"Gene": np.array(["g1", "g2"]), "n": np.array([1, 2])}, {"CellID": np.array(["a", "b", "c"]), "xy": np.arange(6.0).reshape(3, 2)})
    pack(name)


def biom(name):
    import biom

    t = biom.Table(np.array([[0, 1.5], [3, 2], [0, 0]]), ["O1", "Oé", "O3"], ["S1", "S2"],
                   observation_metadata=[{"taxonomy": ["k__A", "", "p__B"], "conf": 0.9, "ids": "i"}, {"taxonomy": ["k__ü"], "conf": 0.5, "ids": "j"},
                                         {"taxonomy": [], "conf": float("nan"), "ids": "k"}],
                   sample_metadata=[{"a/b": "x", "ok": True, "n": 1}, {"a/b": "y", "ok": False, "n": 2}])
    with h5py.File(os.path.join(here, name), "w") as f:
        t.to_hdf5(f, "make_biology.py")
    pack(name)


def cooler(name):
    import cooler

    bins = pd.DataFrame({"chrom": ["chr1"] * 3 + ["chr2"] * 2, "start": [0, 10, 20, 0, 10], "end": [10, 20, 25, 10, 15], "weight": [1.0, np.nan, 0.5, 2, 3]})
    pixels = pd.DataFrame({"bin1_id": [0, 0, 1, 4], "bin2_id": [0, 2, 3, 4], "count": [3, 1, 2, 7], "aaa": [0.5, 1, 2, 3]})
    path = os.path.join(here, name)
    cooler.create_cooler(path, bins, pixels, columns=["count", "aaa"], dtypes={"aaa": "f4"}, ordered=True)
    # Plain numbers with enum_path: the names are too long for the header of an enumeration.
    bins["chrom"] = ["n" * 30000 + str(i // 2) for i in range(5)]
    cooler.create_cooler(path + "::/many", bins[["chrom", "start", "end"]], pixels[["bin1_id", "bin2_id", "count"]], ordered=True, mode="a")
    pack(name)


for make, name in ((awkward, "awkward%s.h5ad"), (obs, "obs%s.h5ad"), (loom, "loom%s.loom"), (biom, "biom%s.biom"), (cooler, "cooler%s.cool")):
    try:
        make(name % suffix)
    except ImportError as e:
        print(name % suffix, e, file=sys.stderr)
