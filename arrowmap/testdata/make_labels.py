#!/usr/bin/env python3
"""Writes files of one schema whose labels differ, and one with nulls that have values under them, beside itself.

anndata 0.13.4, pandas 3.1.1 and h5py 3.16.0, HDF5 2.0.0, made them: the same tables have other categories, the same in
another order, none (all missing), and as many as take two bytes. h5py alone made those of words, whose enumerations differ.
"""
import os

import anndata
import h5py
import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))


def labels(name, values, **kw):
    obs = pd.DataFrame({"c": pd.Categorical(values, **kw), "v": np.arange(len(values))}, index=[f"r{i}" for i in range(len(values))])
    anndata.AnnData(obs=obs).write_h5ad(os.path.join(HERE, name))


labels("labels_a.h5", ["c", "b", None])
labels("labels_b.h5", ["b", "x", "c"], categories=["x", "c", "b"])
labels("labels_none.h5", [None, None])
labels("labels_many.h5", [f"l{i}" for i in range(130)] + [None])

with h5py.File(os.path.join(HERE, "undernulls.h5"), "w") as f:
    t = f.create_group("t")
    for unit in ("s", "ns"):
        t.create_dataset(unit, data=np.array([5, np.iinfo("i8").min, -1], "i8"), track_times=False).attrs["dtype"] = f"timedelta64[{unit}]"
    t.create_dataset("v", data=np.arange(3), track_times=False)
    d = f.create_group("d")  # the second label is null
    d.create_dataset("codes", data=np.array([2, 1, 0, 2], "i1"), track_times=False)
    d.create_dataset("labels", data=np.array([5, np.iinfo("i8").min, 7], "i8"), track_times=False).attrs["dtype"] = "timedelta64[s]"

for name, words, values in (("labels_words_a.h5", {"lo": 0, "hi": 1}, [0, 1, 1]), ("labels_words_b.h5", {"hi": 0, "mid": 5, "lo": 7}, [7, 5, 0])):
    word = h5py.enum_dtype(words, basetype="i1")
    with h5py.File(os.path.join(HERE, name), "w") as f:
        f.create_dataset("t/one", data=np.array(values, "i1"), dtype=word, track_times=False)
        f.create_dataset("t/pair", data=np.array([values, values[::-1]], "i1").T, dtype=word, track_times=False)
        s = f.create_dataset("t/inner", (3,), dtype=np.dtype([("k", "i4"), ("w", word)]), track_times=False)
        s[...] = np.array(list(zip(range(3), values)), dtype=s.dtype)
