"""What the build of the wheel does."""
import pathlib
import subprocess
import sys
import zipfile

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "smallwheel.py"


def test_smallwheel(tmp_path):
    name = tmp_path / "x-1-py3-none-any.whl"
    files = {"x/__init__.py": b"", "x/libx.so": bytes(range(256)) * 400, "x/\u00e9.txt": b"text " * 999, "x-1.dist-info/RECORD": b"x,,\n"}
    with zipfile.ZipFile(name, "w", zipfile.ZIP_STORED) as z:
        for k, (path, data) in enumerate(files.items()):
            i = zipfile.ZipInfo(path, (2020 + k, 1 + k, 2, 3, 4, 6))
            i.external_attr = (0o100755 if path.endswith(".so") else 0o100644) << 16
            z.writestr(i, data)
        before = [(i.filename, i.date_time, i.external_attr, i.CRC) for i in z.infolist()]
    size = name.stat().st_size
    subprocess.run([sys.executable, str(SCRIPT), str(name)], check=True)
    assert name.stat().st_size < size / 20 and list(tmp_path.iterdir()) == [name]
    with zipfile.ZipFile(name) as z:
        assert z.testzip() is None
        assert [(i.filename, i.date_time, i.external_attr, i.CRC) for i in z.infolist()] == before
        assert {n: z.read(n) for n in z.namelist()} == files
