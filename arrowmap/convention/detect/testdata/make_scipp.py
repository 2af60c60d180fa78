"""Writes a data set of scipp: two arrays that share coordinates, masks, units, times, text and vectors.

    python make_scipp.py scipp.h5

Run with scipp 26.9.0, h5py 3.16.0 for scipp.h5, and with scipp 24.11.1, h5py 3.16.0 for scipp_old.h5.
"""
import sys

import numpy as np
import scipp as sc

image = sc.DataArray(sc.array(dims=["y", "x"], values=[[1, 2], [3, 4], [5, 6]], unit="counts", dtype="int32"), name="image")
image.coords["y"] = sc.array(dims=["y"], values=[0.5, 1.5, 2.5], unit="mm")
image.coords["x"] = sc.array(dims=["x"], values=[7, 8], unit=None)
image.masks["y"] = sc.array(dims=["y"], values=[False, True, False])
line = sc.DataArray(sc.array(dims=["y"], values=[1.0, np.nan, 3.0], variances=[0.1, 0.2, 0.3], unit="m/s^2"), name="line")
line.coords["lab"] = sc.array(dims=["y"], values=["a", "", "é"])
line.coords["t"] = sc.datetimes(dims=["y"], values=np.array(["2024-01-01", "1969-12-31T23:59:59", "NaT"], "M8[s]"))
line.coords["v"] = sc.vectors(dims=["y"], values=np.arange(9.0).reshape(3, 3), unit="one")
line.coords["edges"] = sc.array(dims=["y"], values=[0, 1, 2, 3], unit="h")
line.coords["zero"] = sc.scalar(1.5)
both = sc.Dataset({"p": line["y", :2].copy(), "q": line["y", :2].copy() * 2.0})
sc.DataGroup({"image": image, "line": line, "set": both, "alone": sc.array(dims=["n"], values=[1.5, 2.5], unit="ns")}).save_hdf5(sys.argv[1])
