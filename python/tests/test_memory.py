"""Nothing is copied that need not be, and nothing is kept that was released."""
import gc
import os
import shutil
import threading

import h5py
import numpy as np
import pyarrow as pa
import pytest

import h5arrow
from conftest import mapped, run
from h5arrow import _lib


@pytest.fixture
def copy(sample, tmp_path):
    """A file that no other test maps."""
    return shutil.copy(sample, tmp_path / "copy.h5")


def test_addresses(copy):
    t = h5arrow.open(copy)["/table"].to_pyarrow()
    gc.collect()  # the file and its table are gone
    ranges = mapped(copy)
    assert len(ranges) == 1

    def inside(column, buffer):
        address = t[column].chunk(0).buffers()[buffer].address
        return any(a <= address < b for a, b in ranges)

    for column in ("pickup", "passengers", "distance", "fare", "tip"):
        assert inside(column, 1), column
    assert inside("zone", 2) and not inside("zone", 1)  # offsets are copied and checked
    assert not inside("meter", 1) and not inside("tip", 0)
    del t
    gc.collect()
    assert mapped(copy) == []


def test_copy(copy):
    t = h5arrow.open(copy, copy=True)["/table"].to_pyarrow()
    gc.collect()
    assert mapped(copy) == [] and t.num_rows == 50000
    shared = h5arrow.open(copy, io="read")["/table"]
    assert {c.delivery for c in shared.columns if c.name == "fare"} != {"mapped"} and mapped(copy) == []
    assert shared.to_pyarrow() == t


def test_cut_short(copy):
    """With copy, a file that is cut short is an error."""
    f = h5arrow.open(copy, copy=True)
    t = f["/table"].select(["pickup", "fare"])
    os.truncate(copy, 4096)
    with pytest.raises(OSError) as e:
        t.to_pyarrow()
    assert "cut short" in str(e.value)


@pytest.mark.parametrize("mode", [[], ["-X", "faulthandler"], ["-X", "dev"]])
def test_cut_short_with_faulthandler(copy, mode):
    """A faulthandler that was there before the library sees nothing of it."""
    code = """
import os, sys, h5arrow
f = h5arrow.open(sys.argv[1], copy=True)
t = f["/table"].select(["pickup", "fare"])
os.truncate(sys.argv[1], 4096)
try: list(t.to_batches())
except OSError as e: print("error:", e)
"""
    done = run(code, copy, python=mode)
    assert "cut short" in done.stdout and done.stderr == ""


def test_anonymous_memory(tmp_path):
    """A mapped table of 200 MB takes little anonymous memory."""
    name = str(tmp_path / "large.h5")
    with h5py.File(name, "w") as f:
        for k in range(5):
            f["t/x%d" % k] = np.full(5_000_000, k, "f8")
    code = """
import sys, pyarrow as pa, h5arrow
def anonymous(): return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon"))
before = anonymous()
t = h5arrow.open(sys.argv[1])["/t"].to_pyarrow()
print(t.nbytes >> 20, (anonymous() - before) >> 10)
"""
    size, anonymous = map(int, run(code, name).stdout.split())
    assert size == 190 and anonymous < 20, anonymous


def state():
    gc.collect()
    s = _lib.stats()
    anonymous = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
    return s, len(os.listdir("/proc/self/fd")), anonymous


def test_threads(copy):
    """1,000 opens and releases from 8 threads leave nothing behind."""
    want = h5arrow.open(copy)["/table"].select(["fare", "meter", "zone"]).to_pyarrow()
    failed = []

    def work(n):
        try:
            for i in range(n):
                with h5arrow.open(copy) as f:
                    t = f["/table"].select(["fare", "meter", "zone"])
                    if i % 3 == 0:
                        next(iter(t.to_batches()))
                    elif i % 3 == 1:
                        t.__arrow_c_stream__(), t.__arrow_c_schema__()  # not taken
                    got = pa.table(t)
                assert got == want
        except BaseException as e:
            failed.append(e)

    def all_threads(n):
        threads = [threading.Thread(target=work, args=(n,)) for _ in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]

    all_threads(10)
    before, fds, anonymous = state()
    all_threads(125)
    after, fds2, anonymous2 = state()
    assert not failed, failed
    assert (after["handles"], after["mappings"], after["bytes"]) == (before["handles"], before["mappings"], before["bytes"])
    assert after["goroutines"] <= before["goroutines"] + 2 and fds2 == fds
    assert anonymous2 < anonymous + (32 << 10), (anonymous, anonymous2)
