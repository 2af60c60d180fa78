"""convert runs the command of the package."""
import pyarrow as pa
import pytest

import h5arrow


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
