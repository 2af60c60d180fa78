#!/usr/bin/env python3
"""Writes the interoperability cases of pandas and PyTables with pandas 3, as make_cases.py does with pandas 2.

    pandas3_cases.py OUTDIR

The family was written for pandas 2, which gives missing text as None and counts times in nanoseconds; pandas 3 gives NaN,
and times have the unit of their type.
"""
import os
import sys

import numpy as np
import pandas as pd
import pyarrow as pa

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "testdata", "interop"))
import caselib  # noqa: E402
import make_cases  # noqa: E402
from families import conventions  # noqa: E402

pandas2_truth = conventions.series_truth


def series_truth(s):
    """What is expected of a column."""
    if isinstance(s.dtype, pd.DatetimeTZDtype):
        t = pa.timestamp(s.dtype.unit, str(s.dtype.tz))
        return pa.array(s.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().view("i8"), t, mask=s.isna().to_numpy())
    if s.dtype.kind in "mM":
        unit = np.datetime_data(s.dtype)[0]
        t = pa.timestamp(unit) if s.dtype.kind == "M" else pa.duration(unit)
        return pa.array(s.to_numpy().view("i8"), t, mask=s.isna().to_numpy())
    return pandas2_truth(s.astype(object) if isinstance(s.dtype, pd.StringDtype) else s)


conventions.series_truth = series_truth
for name in ("anndata", "netcdf", "matlab"):  # other writers than pandas
    setattr(conventions, name, lambda family: None)
sys.argv[1:] = [sys.argv[1], "--only", "conventions"]
make_cases.main()
