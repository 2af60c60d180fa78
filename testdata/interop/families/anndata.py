"""AnnData files, by anndata: data frames with categories and masks, dense and sparse matrices."""
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pyarrow as pa
import scipy.sparse as sp
from caselib import arrow, dictionary, floats, ints, text

from .pandas import series_truth


def make(F):
    warnings.simplefilter("ignore")
    n, r = F.rows, F.rng("anndata")
    ad.settings.allow_write_nullable_strings = True
    m = 41
    k = r.random(n) < 0.25
    base, f8 = ints(r, "i4", n), floats(r, "f8", n)
    s = ["s%d" % i for i in range(n)]
    flag = r.random(n) < 0.5
    obs = pd.DataFrame({"count": ints(r, "i8", n), "score": f8, "flag": flag, "name": s,
                        "cat": pd.Categorical([["T", "B", None, "größe"][i % 4] for i in range(n)]),
                        "grade": pd.Categorical([["lo", "mid", None, "hi"][i % 4] for i in range(n)], categories=["lo", "mid", "hi"], ordered=True),
                        "many": pd.Categorical(["c%03d" % (i % 300) for i in range(n)]),
                        "ni": pd.array(np.where(k, 0, base), "Int32"), "nu": pd.array(np.where(k, 0, base.astype("u1")), "UInt8"), "nb": pd.array(flag, "boolean"),
                        "ns": pd.array(s, "string")}, index=["cell%d" % i for i in range(n)])
    for c in ("ni", "nu", "nb", "ns"):
        obs.loc[obs.index[k], c] = pd.NA
    obs.index.name = "barcode"
    var = pd.DataFrame({"gene": ["g%d" % i for i in range(m)], "len": ints(r, "u2", m)}, index=["ENS%d" % i for i in range(m)])
    dense = np.where(r.random((n, m)) < 0.1, r.integers(1, 50, (n, m)), 0).astype("f4")
    x = sp.csr_matrix(dense)
    many = pd.Categorical(obs.many)
    want = {"barcode": text(obs.index), "count": arrow(obs["count"].to_numpy()), "score": arrow(f8), "flag": arrow(flag), "name": text(s),
            "cat": series_truth(obs["cat"]), "grade": series_truth(obs.grade), "many": dictionary(many.codes, list(many.categories), pa.int16()),
            "ni": arrow(base, k), "nu": arrow(base.astype("u1"), k), "nb": arrow(flag, k), "ns": text(None if h else v for v, h in zip(s, k))}
    lists = [[{"index": int(j), "value": float(v)} for j, v in zip(x.indices[a:b], x.data[a:b])] for a, b in zip(x.indptr[:-1], x.indptr[1:])]
    item = pa.struct([("index", pa.int32()), ("value", pa.float32())])
    for tag, kw in (("", {}), ("_gzip", dict(compression="gzip"))):
        fn = "anndata%s.h5ad" % tag
        a = ad.AnnData(X=x, obs=obs, var=var, obsm={"pca": dense[:, :4].astype("f8")}, layers={"dense": dense})
        a.write_h5ad(F.path(fn), convert_strings_to_categoricals=False, **kw)
        F.case("anndata_obs" + tag, fn, want, table="/obs", notes="the index first, under its stored name; code -1 and mask True are null")
        F.case("anndata_var" + tag, fn, {"_index": text(var.index), "gene": text(var.gene), "len": arrow(var.len.to_numpy())}, table="/var")
        F.case("anndata_csr" + tag, fn, {"X": pa.array(lists, pa.list_(item))}, table="/X", notes="csr_matrix: one column named after the group, list<struct<index, value>>; indptr are the offsets")
        F.case("anndata_dense" + tag, fn, {"dense": arrow(dense), "pca": arrow(dense[:, :4].astype("f8"))}, datasets=["/layers/dense", "/obsm/pca"])
    F.case("anndata_none_chosen", "anndata.h5ad", error="usage", notes="obs and var are both tables")
    a = ad.AnnData(X=None, obs=obs[["cat"]].iloc[:0], var=var.iloc[:0])
    a.write_h5ad(F.path("anndata_empty.h5ad"))
    F.case("anndata_no_rows", "anndata_empty.h5ad", {"_index": text([]), "len": arrow(np.zeros(0, "u2"))}, table="/var", args=["--columns", "_index,len"])
