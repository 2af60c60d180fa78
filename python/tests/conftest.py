"""What the tests share. They run with the installed package and the files of testdata."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = str(ROOT / "testdata" / "sample.h5")


@pytest.fixture
def sample():
    """The path of the sample file."""
    return SAMPLE


def run(code, *args, python=(), check=True, timeout=120, **env):
    """Run a program in a process of its own."""
    done = subprocess.run([sys.executable, *python, "-c", code, *args], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **env}, cwd=ROOT)
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def mapped(path):
    """The address ranges at which a file is mapped in this process."""
    path, out = os.path.realpath(path), []
    for line in open("/proc/self/maps"):
        parts = line.split(None, 5)
        if len(parts) == 6 and parts[5].strip() == path:
            out.append(tuple(int(x, 16) for x in parts[0].split("-")))
    return out
