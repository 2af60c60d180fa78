"""What the tests of clusters share: files, and a place that the processes of workers import the tests' classes from."""
import os
import pathlib
import sys
import tempfile

import h5py
import numpy as np
import pyarrow as pa
import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SAMPLE = str(ROOT / "testdata" / "sample.h5")

# Workers are started by the cluster, and have its environment.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH")]))
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

# Sessions of Ray have a folder of their own, in which it looks for clusters to join. Its path is short, as those of sockets in it are.
# Workers import this module, too, and have the folder already.
if "RAY_TMPDIR" not in os.environ:
    _RAY = tempfile.TemporaryDirectory(prefix="ray")
    os.environ["RAY_TMPDIR"] = _RAY.name
os.environ.pop("RAY_ADDRESS", None)
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # for Linux, too: its servers listen on 127.0.0.1 only

sys.path.insert(0, str(HERE.parent))


def numbers(path, start, stop, chunk=1000):
    """Write the numbers of a range, in chunks, with their remainders by 7 as text and their halves with nulls."""
    rows = np.arange(start, stop)
    with h5py.File(path, "w") as f:
        f.create_dataset("t/n", data=rows, chunks=(chunk,), compression="gzip")
        f.create_dataset("t/half", data=np.where(rows % 10 == 0, np.nan, rows / 2), chunks=(chunk,))
        f.create_dataset("t/name", data=["row %d" % (r % 7) for r in rows], dtype=h5py.string_dtype())
    return str(path)


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """The pattern of five files with the numbers from 0 to 25,000."""
    folder = tmp_path_factory.mktemp("many")
    for k in range(5):
        numbers(folder / ("%d.h5" % k), 5000 * k, 5000 * (k + 1))
    return str(folder / "*.h5")


@pytest.fixture(scope="session")
def types(tmp_path_factory):
    """A file with a column of each type, and its table."""
    import h5arrow
    table = pa.table({
        "f": [1.5, float("nan"), None, 50.0], "i": [1, 2, None, 4], "s": ["a", "b", None, "d"], "b": [True, False, None, True],
        "t": pa.array([0, 1_000_000, None, -3_000_001], pa.timestamp("us")), "tz": pa.array([0, 1_000_000, None, 3], pa.timestamp("us", "UTC")),
        "ms": pa.array([0, 1, None, 3], pa.timestamp("ms")), "ns": pa.array([0, 1999, None, -1], pa.timestamp("ns")),
        "d": pa.array([0, 1, None, 3], pa.date32()), "du": pa.array([0, 1, None, 3], pa.duration("us")),
        "u8": pa.array([0, 1, None, 255], pa.uint8()), "u16": pa.array([0, 1, None, 65535], pa.uint16()),
        "u32": pa.array([0, 1, None, 2**32 - 1], pa.uint32()), "u64": pa.array([0, 1, None, 2**64 - 1], pa.uint64()),
        "dec": pa.array([1, 2, None, 3], pa.decimal128(5, 2)), "bin": pa.array([b"a", b"\xff", None, b""]),
        "list": [[1], [2, 3], None, []], "struct": [{"a": 1}, {"a": 2}, None, {"a": None}],
        "label": pa.array(["x", "y", None, "x"]).dictionary_encode(), "half": pa.array(np.array([1, 2, 3, 4], "f2")),
        "pair": pa.array([[1, 2], [3, 4], None, [5, 6]], pa.list_(pa.int32(), 2)),
    })
    path = str(tmp_path_factory.mktemp("types") / "types.h5")
    h5arrow.write(table, path, progress=False)
    return path, table
