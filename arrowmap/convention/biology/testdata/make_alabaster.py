"""Writes a data frame by dolomite-base, the Python twin of Bioconductor's alabaster.

    python make_alabaster.py alabaster.h5    # beside this file; compressed by gzip -9n

Run with dolomite-base 0.5.2 for alabaster.h5, and with dolomite-base 0.2.4 for alabaster_old.h5. Lists of booleans are doubles in both.
"""
import os
import shutil
import sys
import tempfile

import biocframe
import biocutils
import dolomite_base
import numpy as np

np.NaN = np.nan  # dolomite-base 0.2.4 was written for NumPy 1
here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(tempfile.mkdtemp(), "frame")
factor = biocutils.Factor.from_sequence(["b", "ä", None, "b"], levels=["ä", "b", "unused"], ordered=True)
columns = {
    "n": [1, None, -3, 4], "full": np.array([1, 2, 3, 4], "u2"), "masked": np.ma.array([10, 20, 30, 40], mask=[0, 0, 1, 0]),
    "x": np.array([1.5, np.nan, -2, 0]), "xm": np.ma.array([0.5, np.nan, 2, 3], mask=[1, 0, 0, 0]), "xl": [0.25, None, 1.0, 2.0],
    "flag": np.array([True, False, True, True]), "flags": np.ma.array([True, False, True, False], mask=[0, 1, 0, 0]), "truth": [True, None, False, True],
    "s": ["é", None, "NA", ""], "f": factor,
}
kinds = {"n": biocutils.IntegerList, "xl": biocutils.FloatList, "truth": biocutils.BooleanList, "s": biocutils.StringList}
columns = {k: kinds[k](v) if k in kinds else v for k, v in columns.items()}
dolomite_base.save_object(biocframe.BiocFrame(columns, row_names=["r1", "r2", "ü", "日"]), folder)
shutil.move(os.path.join(folder, "basic_columns.h5"), os.path.join(here, sys.argv[1]))
