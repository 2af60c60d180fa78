"""Builds the C library and the command, and puts both into the wheel.

The command is a program of its own, not a function of the library: it keeps its signal handling and exit status, a crash of it does
not end the interpreter, and the library stays free of gRPC and Parquet, which few Python programs need.

Environment: GO is the go command. H5ARROW_WHEEL_TAGS has the build tags; the default is libdeflate where it can be linked
statically. duckdb_arrow adds the SQL engine to the command. H5ARROW_WHEEL_PATHS=1 leaves the paths of the sources in the
programs, so that packages that were compiled before are used again: for tests.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import sysconfig

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = pathlib.Path(__file__).resolve().parent.parent


def static_libdeflate():
    """Return the path of libdeflate.a, None without it."""
    try:
        found = subprocess.run([os.environ.get("CC", "gcc"), "-print-file-name=libdeflate.a"], capture_output=True, text=True).stdout.strip()
    except OSError:
        return None
    return found if os.path.isabs(found) and os.path.exists(found) else None


def platform_tag(files):
    """Return the wheel's platform: on Linux the glibc of the newest symbol that the files use."""
    if not sys.platform.startswith("linux"):
        return re.sub(r"[.-]", "_", sysconfig.get_platform())
    minor = max(int(m) for f in files for m in re.findall(rb"GLIBC_2\.(\d+)", f.read_bytes()))
    return "manylinux_2_%d_%s" % (minor, os.uname().machine)


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        self.dir = tempfile.mkdtemp()
        out = pathlib.Path(self.dir)
        library = {"win32": "h5arrow.dll", "darwin": "libh5arrow.dylib"}.get(sys.platform, "libh5arrow.so")
        command = "h5arrow.exe" if sys.platform == "win32" else "h5arrow"
        env = dict(os.environ, CGO_ENABLED="1", GOFLAGS="")
        archive = static_libdeflate()
        tags = os.environ.get("H5ARROW_WHEEL_TAGS", "libdeflate" if archive else "")
        tags = "grpcnotrace," + tags  # without templates for pages, the linker drops methods that nothing calls
        if archive:  # the linker takes the archive, as this folder has no shared library
            static = ROOT / "build" / "static"
            static.mkdir(parents=True, exist_ok=True)
            (static / "libdeflate.a").unlink(missing_ok=True)
            (static / "libdeflate.a").symlink_to(archive)
            env["CGO_LDFLAGS"] = "-L%s %s" % (static, env.get("CGO_LDFLAGS", "-O2 -g"))
        go = [os.environ.get("GO", "go"), "build", "-buildvcs=false"]
        if os.environ.get("H5ARROW_WHEEL_PATHS") != "1":
            go.append("-trimpath")
            tags += ",nethttpomithttp2"  # URLs are read by HTTP/1.1: the second version is 2 % of a wheel whose size is limited
        link = "-s -w -buildid= -X main.release=%s" % self.metadata.version
        subprocess.run(go + ["-tags", tags, "-buildmode=c-shared", "-ldflags", link, "-o", str(out / library), "./cmd/libh5arrow"], cwd=ROOT, env=env, check=True)
        subprocess.run(go + ["-tags", tags, "-ldflags", "-s -w -buildid=", "-o", str(out / command), "./cmd/h5arrow"], cwd=ROOT, env=env, check=True)
        files = [out / library, out / command]
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + platform_tag(files)
        for f in files:
            build_data["force_include"][str(f)] = "h5arrow/" + f.name
        build_data["force_include"][str(ROOT / "cmd" / "libh5arrow" / "h5arrow.h")] = "h5arrow/h5arrow.h"

    def finalize(self, version, build_data, artifact_path):
        shutil.rmtree(self.dir, ignore_errors=True)
