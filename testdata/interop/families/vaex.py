"""Tables by vaex itself: types, masks, bitmaps, NaT, names."""
import os
import tempfile
import warnings

import numpy as np
import pyarrow as pa
from caselib import arrow, dictionary, floats, holes, ints, text, words

NAT = np.iinfo("i8").min


def make(F):
    os.environ.setdefault("VAEX_HOME", os.path.join(tempfile.gettempdir(), "vaex-home"))
    import vaex
    good(F, vaex)
    null_index(F, vaex)


def good(F, vaex):
    n, r = F.rows, F.rng("vaex")

    def export(name, cols, expected=None, notes="", **kw):
        df = vaex.from_arrays(**cols)
        df.export_hdf5(F.path(name + ".hdf5"), **kw)
        F.case(name, name + ".hdf5", expected, table="/table", notes=notes)
    num = {k: (floats(r, k, n) if "f" in k else ints(r, k, n)) for k in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")}
    num = {"c_" + k: v for k, v in num.items()}
    num["flag"] = r.random(n) < 0.5
    export("vaex_numbers", num, {k: arrow(v) for k, v in num.items()})
    export("vaex_numbers_be", {k: v for k, v in num.items() if k not in ("c_i1", "c_u1", "flag")},
           {k: arrow(v) for k, v in num.items() if k not in ("c_i1", "c_u1", "flag")}, byteorder=">")
    m = {k: holes(r, n) for k in ("f8", "f4", "i4", "i8", "u1", "b")}
    val = {"f8": floats(r, "f8", n), "f4": floats(r, "f4", n), "i4": ints(r, "i4", n), "i8": ints(r, "i8", n), "u1": ints(r, "u1", n), "b": r.random(n) < 0.5}
    export("vaex_masked", {"m_" + k: np.ma.array(val[k], mask=m[k]) for k in val}, {"m_" + k: arrow(val[k], m[k]) for k in val},
           notes="numpy masked columns: mask datasets; NaN is not null")
    v2, m2 = floats(r, "f8", (n, 3)), holes(r, n * 3).reshape(n, 3)
    i2, p2 = ints(r, "i4", (n, 2)), np.ones((n, 2), bool)
    export("vaex_masked_2d", {"a": np.ma.array(v2, mask=m2), "b": np.ma.array(i2, mask=p2), "c": i2},
           {"a": arrow(v2, m2), "b": arrow(i2, p2), "c": arrow(i2)}, notes="a mask of the data's shape makes the items null, not the rows")
    cols, want = {}, {}
    for t in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"):
        v, k = (floats(r, t, n) if "f" in t else ints(r, t, n)), holes(r, n)
        if t in ("i8", "u8"):  # vaex takes integers with nulls through float64: above 2^53 it writes other numbers
            v = (v >> np.array(11, t)).astype(t)
        cols["n_" + t] = want["n_" + t] = arrow(v, k)
    cols["n_bool"] = want["n_bool"] = arrow(val["b"], m["b"])
    for u in ("s", "ms", "us", "ns"):
        cols["ts_" + u] = want["ts_" + u] = pa.array(r.integers(-10**9, 10**15, n), pa.timestamp(u), mask=holes(r, n))
        cols["du_" + u] = want["du_" + u] = pa.array(r.integers(-10**9, 10**15, n), pa.duration(u), mask=holes(r, n))
    export("vaex_arrow_nulls", cols, want, notes="Arrow columns: null_bitmap datasets")
    s, k = words(r, n), holes(r, n)
    s2, s3 = [None if h else x for x, h in zip(s, k)], [None if i % 5 == 0 else "" if i % 5 == 1 else x for i, x in enumerate(s)]
    export("vaex_strings", {"plain": text(s), "nulls": text(s2), "empty": text(s3), "large": text(s2, pa.large_string())},
           {"plain": text(s), "nulls": text(s2), "empty": text(s3), "large": text(s2)})
    np_t = r.integers(-10**15, 10**15, n)
    np_t[::7] = NAT
    cols, want = {}, {}
    for u in ("s", "ms", "us", "ns"):
        cols["t_" + u], cols["d_" + u] = np_t.view("M8[%s]" % u), np_t.view("m8[%s]" % u)
        want["t_" + u] = pa.array(np_t, pa.timestamp(u), mask=np_t == NAT)
        want["d_" + u] = pa.array(np_t, pa.duration(u), mask=np_t == NAT)
    export("vaex_times_nat", cols, want, notes="numpy datetime64/timedelta64: NaT is null")
    codes = r.integers(0, 4, n)
    labels = ["red", "", "größe", "z"]
    export("vaex_dictionary", {"d": dictionary(codes, labels, pa.int32())}, {"d": dictionary(codes, labels, pa.int32())})
    lab_null = text(["x", None, "z", "y"])
    export("vaex_dictionary_null_label", {"d": dictionary(codes, lab_null, pa.int32())}, {"d": dictionary(codes, lab_null, pa.int32())},
           notes="a null in the dictionary: those rows are null")
    odd = {"a b": np.arange(n), "größe": np.arange(n) * 2.0, "x.y": np.arange(n, dtype="u1")}
    df = vaex.from_dict(odd)
    df.export_hdf5(F.path("vaex_names.hdf5"))
    F.case("vaex_names", "vaex_names.hdf5", {k: arrow(v) for k, v in odd.items()}, table="/table", notes="names with a space, a dot, non-ASCII")
    df = vaex.from_arrays(x=np.arange(n), y=np.arange(n) * 0.5)
    df.export_hdf5(F.path("vaex_group.hdf5"), group="/deep/down")
    F.case("vaex_group", "vaex_group.hdf5", {"x": arrow(np.arange(n)), "y": arrow(np.arange(n) * 0.5)}, table="/deep/down")
    F.case("vaex_group_default", "vaex_group.hdf5", {"x": arrow(np.arange(n)), "y": arrow(np.arange(n) * 0.5)}, notes="no selection: the only table")
    one = vaex.from_arrays(x=np.ma.array([5], mask=[True]), s=text(["é"]))
    one.export_hdf5(F.path("vaex_one_row.hdf5"))
    F.case("vaex_one_row", "vaex_one_row.hdf5", {"x": arrow(np.array([5]), [True]), "s": text(["é"])}, table="/table")
    df = vaex.from_arrays(x=np.arange(n), y=pa.array(np.arange(n) * 3, mask=k))
    df = df[df.x % 3 == 0]
    df.export_hdf5(F.path("vaex_filtered.hdf5"))
    keep = np.arange(n) % 3 == 0
    F.case("vaex_filtered", "vaex_filtered.hdf5", {"x": arrow(np.arange(n)[keep]), "y": arrow((np.arange(n) * 3)[keep], k[keep])}, table="/table")


def null_index(F, vaex):
    df = vaex.from_arrays(d=pa.array(["a", "b", None, "c"] * 75).dictionary_encode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        df.export_hdf5(F.path("vaex_dictionary_null_index.hdf5"))
    F.case("vaex_dictionary_null_index", "vaex_dictionary_null_index.hdf5", error="corrupt", table="/table",
           notes="vaex writes a null index as -2147483648 without a mask: an index out of range, not a null")
