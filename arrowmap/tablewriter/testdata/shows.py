"""Prints the values of each column of tables as programs read them: shows.py PROGRAM FILE [PROGRAM FILE ...]. A line for each column: its
name, and its values: null, numbers, 0 and 1 for booleans, nanoseconds for times, text as it is. Before each program's lines: "== PROGRAM",
after them "== missing" if it is not installed, or "== failed" and the reason."""
import sys
import traceback
import warnings

import numpy as np

warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=DeprecationWarning)
UNITS = {"days": 86400 * 10**9, "seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3, "nanoseconds": 1}


def show(v):
    if v is None or v is np.ma.masked or v.__class__.__name__ in ("NAType", "NaTType"):
        return "null"
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, str):
        return v
    if isinstance(v, (np.datetime64, np.timedelta64)):
        return "null" if np.isnat(v) else str(v.astype(v.dtype.name.split("[")[0] + "[ns]").astype(np.int64))
    if hasattr(v, "asm8"):  # pandas' times
        return show(v.asm8)
    if isinstance(v, (list, np.ndarray)):
        return "[" + " ".join(show(x) for x in v) + "]"
    if isinstance(v, (float, np.floating)):
        return "null" if np.isnan(v) else np.format_float_positional(v, trim="-")
    return str(int(v))


def line(name, values):
    print(name, "|".join(show(v) for v in values))


def frame(df):
    for name in df.columns:
        line(name, list(df[name]))


def by_pandas(file):
    import pandas

    frame(pandas.read_hdf(file, "table"))
    with pandas.HDFStore(file, "r") as s:
        assert len(s.select("table", start=1, stop=3)) == 2 and s.get_storer("table").nrows == len(s["table"])


def by_pytables(file):
    import tables

    with tables.open_file(file) as f:
        t = f.root.table.table
        for i, names in enumerate(getattr(t.attrs, k + "_kind") for k in t.colnames[1:]):
            block = t.colnames[i + 1]
            mark, category = f.root.table._v_attrs.nan_rep, getattr(t.attrs, block + "_meta") == "category"
            labels = f.get_node(f"/table/meta/{block}/meta/table").col("values") if category else None
            time = getattr(t.attrs, block + "_dtype")
            for k, name in enumerate(names):
                values = list(t.col(block)[:, k])
                if time.startswith(("datetime64", "timedelta64")):
                    values = list(np.array(values).astype(time))
                if category:
                    values = [None if c < 0 else labels[c] for c in values]
                line(name, [None if isinstance(v, bytes) and v.decode() == mark else v for v in values])


def variable(name, values, attrs, labels):
    """Numbers of netCDF that the program leaves as they are."""
    fill, ns = attrs.get("_FillValue"), UNITS.get(str(attrs.get("units", "")).split(" ")[0], None)
    fill = fill[0] if isinstance(fill, np.ndarray) else fill

    def one(v):
        if isinstance(v, (list, np.ndarray)):
            return [one(x) for x in v]
        v = v.decode() if isinstance(v, bytes) else v
        if v is None or v is np.ma.masked or fill is not None and v == fill:
            return None
        return labels[int(v)] if labels else v if ns is None else int(v) * ns

    line(name, [one(v) for v in values])


def by_netcdf4(file):
    import netCDF4

    with netCDF4.Dataset(file) as f:
        for name, v in f.variables.items():
            labels = {k: n for n, k in v.datatype.enum_dict.items()} if isinstance(v.datatype, netCDF4.EnumType) else None
            variable(name, v[:].tolist(), {a: v.getncattr(a) for a in v.ncattrs()}, labels)


def by_h5netcdf(file):
    import h5netcdf

    with h5netcdf.File(file) as f:
        for name, v in f.variables.items():
            enum = getattr(v.datatype, "enum_dict", None)
            variable(name, list(v[:]), dict(v.attrs), enum and {k: n for n, k in enum.items()})


def by_xarray(file, engine):
    import xarray

    with xarray.open_dataset(file, engine=engine) as f:
        for name, v in f.variables.items():
            values = list(v.values)
            if "flag_meanings" in v.attrs and v.dtype != bool and v.attrs["flag_meanings"] != "false true":
                words = v.attrs["flag_meanings"].split()
                values = [None if np.isnan(x) else words[int(x)] for x in values]
            line(name, values)


def by_anndata(file):
    import anndata

    frame(anndata.read_h5ad(file).obs)


def element(o):
    """A column of AnnData's or of a plain table's, by a program that knows datasets only."""
    kind = o.attrs.get("encoding-type", "")
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind == "categorical":
        labels = list(o["categories"][:])
        return [None if c < 0 else labels[c] for c in o["codes"][:]]
    if kind.startswith("nullable"):
        return [None if m else v for v, m in zip(o["values"][:], o["mask"][:])]
    return list(o[:])


def by_datasets(module, file):
    f = module.File(file)
    text = lambda s: s.decode() if isinstance(s, bytes) else s
    if "obs" in f:
        for name in f["obs"].attrs["column-order"]:
            line(text(name), element(f["obs"][text(name)]))
        return
    import json

    g = f["table"]
    for name in json.loads(text(g.attrs["h5arrow.columns"])):
        d = g[name]
        nulls = text(d.attrs.get("h5arrow.nulls", ""))
        labels = list(g[text(d.attrs["h5arrow.labels"])][:]) if "h5arrow.labels" in d.attrs else None
        mask = g[nulls[5:]][:] if nulls.startswith("mask:") else [False] * d.shape[0]
        unit = text(d.attrs.get("dtype", ""))
        values = list(np.asarray(d[:]).view(unit)) if unit.startswith(("datetime64", "timedelta64")) else list(d[:])
        line(name, [None if m else labels[v] if labels else v for v, m in zip(values, mask)])


def read(program, file):
    if program.startswith("xarray"):
        by_xarray(file, program[7:])
    elif program in ("h5py", "pyfive"):
        by_datasets(__import__(program), file)
    else:
        {"pandas": by_pandas, "tables": by_pytables, "netCDF4": by_netcdf4, "h5netcdf": by_h5netcdf, "anndata": by_anndata}[program](file)


def main(args):
    for program, file in zip(args[::2], args[1::2]):
        print("==", program)
        try:
            read(program, file)
        except ModuleNotFoundError:
            print("== missing")
        except Exception:
            print("== failed", traceback.format_exc())


main(sys.argv[1:])
