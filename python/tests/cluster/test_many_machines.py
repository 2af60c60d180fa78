"""The programs of docs/many-machines.md print what the page says. H5ARROW_UPDATE=1 writes the page."""
from conftest import ROOT
from test_docs import compare


def test_page(monkeypatch):
    monkeypatch.chdir(ROOT)
    compare(ROOT / "docs" / "many-machines.md", 3)
