"""Signals, forks, interpreters: what a C library may do wrong to a process."""
import os
import signal
import subprocess
import sys
import time

import h5py
import pytest

from conftest import ROOT, run
from servers import serving


@pytest.fixture
def endless(tmp_path):
    """A small file whose rows take hours to read: nothing is stored of them."""
    name = str(tmp_path / "endless.h5")
    with h5py.File(name, "w") as f:
        f.create_dataset("x", shape=(10**12,), chunks=(1 << 20,), dtype="f8")
    return name


def interrupted(code, *args):
    """Send SIGINT to a program half a second after it said that it is ready. What it calls would take hours."""
    p = subprocess.Popen([sys.executable, "-X", "dev", "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert p.stdout.readline() == "ready\n", p.stderr.read()
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=120)
    assert p.returncode == 0 and "Exception ignored" not in err, out + err
    return out


CALLS = {
    "count": "{}.num_rows",
    "batches": "list({}.to_batches())",
    "pyarrow": "{}.to_pyarrow()",
    "stream": "pa.table({})",
    "polars": "polars.DataFrame({})",
    "finalizer": "pa.table(Finalized({}))",
}


@pytest.mark.parametrize("call", CALLS)
def test_interrupt(endless, call):
    """Each call works on a table that nobody else has: what is released with it must not take the exception."""
    code = """
import sys, time, polars, pyarrow as pa, h5arrow
class Finalized:
    def __init__(self, t): self.t = t
    def __arrow_c_stream__(self, schema=None): return self.t.__arrow_c_stream__()
    def __del__(self): time.sleep(0)
t = h5arrow.open(sys.argv[1]).dataset("/x")
%s # what it imports is imported
try:
    print("ready", flush=True)
    try:
        %s
    except Exception as e:
        assert "cancel" in str(e), repr(e)
        while True: time.sleep(0.01)
except KeyboardInterrupt:
    print("interrupted")
print(t.num_rows)
""" % (CALLS[call].format("t.head(3)"), CALLS[call].format("t.filter('x > 0')"))
    assert interrupted(code, endless).split() == ["interrupted", str(10**12)]


@pytest.mark.parametrize("call", ["h5arrow.open_files(urls, union='by-name')", "h5arrow.open_files(urls[::-1])", "t.num_rows", "t.splits()",
                                  "t.slice(3, 5)", "t.to_pyarrow()", "pa.table(t)", "t.filter('x > 3').num_rows", "h5arrow.open(urls[1])"])
def test_interrupt_of_a_server(tmp_path, call):
    """A server that does not answer can be interrupted, and nothing waits for it after that."""
    for name in ("a.h5", "hang.h5"):
        with h5py.File(tmp_path / name, "w") as f:
            f["t/x"] = range(10)
    code = """
import sys, time, pyarrow as pa, h5arrow
urls = [sys.argv[1] + "/a.h5", sys.argv[1] + "/hang.h5"]
t = h5arrow.open_files(urls)
t.head(3).to_pyarrow()
running = lambda: h5arrow._lib.stats()["goroutines"]
before = running()
try:
    print("ready", flush=True)
    try:
        %s
    except Exception as e:
        assert "cancel" in str(e), repr(e)
        while True: time.sleep(0.01)
except KeyboardInterrupt:
    print("interrupted")
end = time.monotonic() + 10
while running() > before and time.monotonic() < end: time.sleep(0.01)
print(running() <= before, t.head(3).to_pyarrow().num_rows)
""" % call
    with serving(tmp_path) as url:
        assert interrupted(code, url).split() == ["interrupted", "True", "3"]


@pytest.mark.parametrize("call", ["t.filter('x > 0').num_rows", "pa.RecordBatchReader.from_stream(t.filter('x > 0')).read_all()"])
def test_own_handler(endless, call):
    """A handler that raises nothing does not end the call, one that raises its own exception does."""
    code = """
import signal, sys, time, pyarrow as pa, h5arrow
class Stop(Exception): pass
seen = []
def handler(*_):
    seen.append(1)
    if len(seen) == 2: raise Stop(seen)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
signal.signal(signal.SIGALRM, handler)
t = h5arrow.open(sys.argv[1]).dataset("/x")
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    try: %s
    except OSError: # of pyarrow; Stop is raised next
        while True: time.sleep(0.01)
except Stop as e: print("stopped", e.args[0] is seen)
"""
    assert run(code % call, endless).stdout == "stopped True\n"


def test_handlers_are_kept(sample):
    """Python's handlers of SIGINT, and of faults with faulthandler, work after the library was loaded."""
    code = """
import faulthandler, os, signal, sys, time
faulthandler.enable()
import h5arrow
h5arrow.open(sys.argv[1])["/table"].num_rows
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt: print("interrupted", flush=True)
assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
import ctypes
ctypes.string_at(0)
"""
    done = run(code, sample, check=False)
    assert done.stdout == "interrupted\n"
    assert done.returncode == -signal.SIGSEGV and "Fatal Python error: Segmentation fault" in done.stderr


def test_fork_after_import(sample):
    code = """
import os, sys, h5arrow
if os.fork() == 0:
    print(h5arrow.open(sys.argv[1])["/table"].num_rows, flush=True)
    os._exit(0)
os.wait()
"""
    assert run(code, sample, python=["-W", "ignore"]).stdout == "50000\n"


def test_fork_after_use(sample):
    """A forked child gets errors, can release what it has, and ends."""
    code = """
import gc, os, sys, pyarrow as pa, h5arrow
f = h5arrow.open(sys.argv[1])
t = f["/table"]
batches = list(t.to_batches())
arrow, stream = batches[0].to_pyarrow(), pa.RecordBatchReader.from_stream(t)
if os.fork() == 0:
    for call in (lambda: h5arrow.open(sys.argv[1]), lambda: t.head(3), lambda: batches[0].to_pyarrow()):
        try: call()
        except h5arrow.ForkError as e: print(e.kind, "spawn" in str(e))
    try: stream.read_next_batch()
    except OSError as e: print("fork" in str(e))
    print(arrow.num_rows, flush=True)
    del arrow, stream, batches, t, f
    gc.collect()
    sys.exit(0)
_, status = os.wait()
print(status, arrow.num_rows, t.num_rows)
"""
    out = run(code, sample, python=["-W", "ignore"]).stdout.split("\n")
    assert out[:6] == ["fork True"] * 3 + ["True", "50000", "0 50000 50000"], out


def test_spawn(sample, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("""
import multiprocessing, sys, h5arrow
def rows(part): return h5arrow.open(sys.argv[1])["/table"].slice(*part).to_pyarrow().num_rows
if __name__ == "__main__":
    t = h5arrow.open(sys.argv[1])["/table"]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(sum(pool.map(rows, [(s.start, s.stop) for s in t.splits(4)])))
""")
    done = subprocess.run([sys.executable, str(program), sample], capture_output=True, text=True, timeout=120)
    assert done.stdout == "50000\n", done.stderr


def test_quiet(sample):
    """Development mode has nothing to say, whatever is left open when the interpreter ends."""
    code = """
import sys, pyarrow as pa, h5arrow
f = h5arrow.open(sys.argv[1])
t = f["/table"]
table, batch, reader = pa.table(t), next(t.to_batches()), t.to_batches()
next(reader)
stream, capsule, frame = pa.RecordBatchReader.from_stream(t), t.__arrow_c_stream__(), t.__arrow_c_schema__()
print(repr(f)[:8], h5arrow.__version__ != "")
"""
    done = run(code, sample, python=["-X", "dev", "-W", "error"])
    assert done.stderr == "" and done.stdout.endswith("True\n")


def test_command(sample):
    done = subprocess.run([sys.executable, "-m", "h5arrow", "head", sample, "-n", "1", "--columns", "fare"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.split() == ["fare", "float", "5.4"], done.stderr
    done = subprocess.run([sys.executable, "-m", "h5arrow", "frob"], capture_output=True, text=True)
    assert done.returncode == 2 and "unknown command" in done.stderr
