"""The programs of docs/python.md print what the page says. H5ARROW_UPDATE=1 writes the page."""
import contextlib
import doctest
import io
import os
import re

from conftest import ROOT

PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(r"```python\n(.*?)```\n\n```output\n(.*?)```", re.S)


def compare(page, at_least):
    """Run the programs of a page, which has at least so many, and compare what they print."""
    names, text = {}, page.read_text(encoding="utf-8")
    programs = BLOCK.findall(text)
    assert len(programs) == text.count("```python") >= at_least

    def printed(match):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(match[1], str(page), "exec"), names)
        lines = "\n".join(line.rstrip() for line in out.getvalue().rstrip().split("\n"))
        return "```python\n%s```\n\n```output\n%s\n```" % (match[1], lines)

    got = BLOCK.sub(printed, text)
    if os.environ.get("H5ARROW_UPDATE") == "1":
        page.write_text(got, encoding="utf-8")
    else:
        assert got == text


def test_page(monkeypatch):
    monkeypatch.chdir(ROOT)
    compare(PAGE, 8)


def test_readme(monkeypatch):
    monkeypatch.chdir(ROOT)
    done = doctest.testfile(str(ROOT / "README.md"), module_relative=False, encoding="utf-8")
    assert done.attempted == 4 and done.failed == 0
