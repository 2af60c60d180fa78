"""convert runs the command of the package."""
import signal
import subprocess
import sys
import time

import h5py
import pyarrow as pa
import pytest

import h5arrow
from conftest import ROOT


def test_convert(sample, tmp_path):
    out = tmp_path / "out.arrow"
    done = h5arrow.convert(sample, out, columns="fare,zone", rows="0:1000", compression="zstd")
    assert done["rows"] == 1000 and [c["name"] for c in done["columns"]] == ["fare", "zone"]
    with pa.memory_map(str(out)) as f:
        assert pa.ipc.open_file(f).read_all().num_rows == 1000
    with pytest.raises(h5arrow.ArgumentError, match="out.arrow"):
        h5arrow.convert(sample, out)
    assert h5arrow.convert([sample, sample], out, force=True)["rows"] == 100000
    assert len(h5arrow.convert(sample, tmp_path / "all", all_tables=True)["tables"]) == 1


def test_errors(sample, tmp_path):
    with pytest.raises(h5arrow.FileError, match="no such file"):
        h5arrow.convert("/nothing.h5", tmp_path / "x.arrow")
    with pytest.raises(h5arrow.ArgumentError, match="unknown flag"):
        h5arrow.convert(sample, tmp_path / "x.arrow", frobnicate=True)
    with pytest.raises(h5arrow.CorruptError):
        (tmp_path / "bad.h5").write_bytes(b"no")
        h5arrow.convert(tmp_path / "bad.h5", tmp_path / "x.arrow")


def test_progress(sample, tmp_path, capsys):
    """A function gets rows in order, and those of all where they are known."""
    for files, options, total in ((sample, {}, 50000), ([sample] * 3, {}, 150000), (sample, {"where": "fare > 3"}, None)):
        seen = []
        done = h5arrow.convert(files, tmp_path / "a.arrow", batch_rows=500, force=True, progress=lambda *a: seen.append(a), **options)
        assert seen and seen == sorted(seen, key=lambda s: s[0]) and {t for _, t in seen} == {total} and 0 < seen[-1][0] <= done["rows"]
    h5arrow.convert(sample, tmp_path / "b.arrow", batch_rows=500, progress=True)
    assert "50,000 rows" in capsys.readouterr().err
    h5arrow.convert(sample, tmp_path / "c.arrow")
    h5arrow.convert(sample, tmp_path / "all", all_tables=True, progress=True)
    assert capsys.readouterr().err == ""
    with pytest.raises(h5arrow.ArgumentError, match="no column nothing"):
        h5arrow.convert(sample, tmp_path / "d.arrow", columns="nothing", progress=print)

    def fail(rows, total):
        raise KeyError("of the function")

    with pytest.raises(KeyError, match="of the function"):
        h5arrow.convert(sample, tmp_path / "d.arrow", batch_rows=1, progress=fail)
    assert not [p for p in tmp_path.iterdir() if p.name not in ("a.arrow", "b.arrow", "c.arrow", "all")]


@pytest.mark.parametrize("progress", ["True", "False"])
def test_interrupt(tmp_path, progress):
    """Ctrl-C in Python alone, as notebooks send it, ends the command, and nothing of the file is left."""
    with h5py.File(tmp_path / "endless.h5", "w") as f:
        f.create_dataset("x", shape=(10**12,), chunks=(1 << 20,), dtype="f8")
    code = """
import sys, h5arrow
print("ready", flush=True)
try: h5arrow.convert(sys.argv[1], sys.argv[2], dataset="/x", progress=%s)
except KeyboardInterrupt: print("interrupted")
""" % progress
    p = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "endless.h5"), str(tmp_path / "x.parquet")], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert p.stdout.readline() == "ready\n", p.stderr.read()
    time.sleep(1)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert (p.returncode, out) == (0, "interrupted\n"), err
    assert [f.name for f in tmp_path.iterdir()] == ["endless.h5"]


def test_manifest(tmp_path):
    for i in range(3):
        with h5py.File(tmp_path / ("%d.h5" % i), "w") as f:
            f.attrs["run"] = i
            f["t/x"] = range(i, i + 2)
    h5arrow.write_manifest(str(tmp_path / "*.h5"), tmp_path / "m.files", file_attributes=["run"])
    for files, options in ((tmp_path / "m.files", {}), (str(tmp_path / "*.h5"), {"file_attributes": "run"})):
        assert h5arrow.convert(files, tmp_path / "out.arrow", force=True, **options)["rows"] == 6
        with pa.memory_map(str(tmp_path / "out.arrow")) as f:
            assert pa.ipc.open_file(f).read_all().to_pydict() == {"x": [0, 1, 1, 2, 2, 3], "run": [0, 0, 1, 1, 2, 2]}
