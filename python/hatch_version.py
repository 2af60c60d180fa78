"""The version of the package, from the repository."""
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent if "__file__" in globals() else pathlib.Path.cwd()


def version():
    """Return the version of a commit with a tag such as v1.2.3; else that of development, with the commit where git knows it."""
    def git(*args):
        done = subprocess.run(["git", *args], cwd=HERE, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""
    try:
        for tag in git("tag", "--points-at", "HEAD").split():
            if re.fullmatch(r"v\d+\.\d+\.\d+", tag):
                return tag[1:]
        commit = git("rev-parse", "--short=12", "HEAD")
    except OSError:  # there is no git
        commit = ""
    return "0.1.dev0" + ("+g" + commit if commit else "")
