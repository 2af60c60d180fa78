"""Dask: a partition for each split, read by tasks of threads and of processes."""
import h5py
import numpy as np
import pandas as pd
import pytest

import h5arrow
from conftest import SAMPLE

pytest.importorskip("dask.dataframe")
from h5arrow.dask import read_h5  # noqa: E402


def test_values():
    frame = read_h5(SAMPLE, split_bytes=1 << 20)
    want = h5arrow.open(SAMPLE).table().to_pandas(types_mapper=pd.ArrowDtype)
    assert frame.npartitions == 3 and len(frame) == 50000
    got = frame.compute(scheduler="threads").reset_index(drop=True)
    pd.testing.assert_frame_equal(got, want, check_dtype=False)
    assert [str(t) for t in frame.dtypes] == [str(t) for t in got.dtypes]  # what was promised


def test_processes(tmp_path):
    for k in range(2):
        with h5py.File(tmp_path / ("%d.h5" % k), "w") as f:
            f["t/x"], f["t/y"] = np.arange(1000) + 1000 * k, np.arange(1000) % 7
    frame = read_h5(str(tmp_path / "*.h5"), "/t", columns=["x"], split_bytes=1024)
    assert frame.npartitions > 4
    assert sorted(frame.compute(scheduler="processes", num_workers=2)["x"]) == list(range(2000))


def test_filter():
    frame = read_h5([SAMPLE, SAMPLE], columns=["zone", "fare"], where="fare > 40")
    assert len(frame) == 30 and list(frame.columns) == ["zone", "fare"]
    assert read_h5(SAMPLE, where="fare > 40")._name == read_h5(SAMPLE, where="fare > 40")._name


def test_no_rows(tmp_path):
    h5arrow.write({"x": np.arange(0), "s": np.array([], "U1")}, tmp_path / "none.h5")
    frame = read_h5(tmp_path / "none.h5", filename=True)
    assert len(frame) == 0 and list(frame.columns) == ["x", "s", "filename"]
