"""How files and tables are shown."""
from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._core import File, Table

_HEADS = ("column", "type", "storage", "delivery", "nulls")


def _rows(table: Table) -> list[tuple[str, ...]]:
    out = []
    for c in table.columns:
        delivery = c.delivery + (": " + c.reason if c.reason else "")
        out.append((c.name, c.type or "-", " ".join((c.storage,) + c.filters), delivery, c.nulls))
    return out


def _title(table: Table) -> str:
    known = table._describe()
    rows = "filtered rows" if known["rows"] is None else "{:,} rows".format(known["rows"])
    return "%s: %d columns, %s (%s)" % (known["path"], len(known["columns"]), rows, known["convention"] or "no convention")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\\x%02x" % ord(c) for c in text)


def table_text(table: Table, indent: str = "") -> str:
    if any(f.closed for f in table._files):
        return "<h5arrow.Table of a closed file>"
    rows = [_HEADS] + _rows(table)
    widths = [max(len(_printable(r[i])) for r in rows) for i in range(len(_HEADS))]
    lines = [_printable(_title(table))]
    lines += ["  " + "  ".join(_printable(x).ljust(w) for x, w in zip(r, widths)).rstrip() for r in rows]
    return "\n".join(indent + line for line in lines)


def table_html(table: Table) -> str:
    if any(f.closed for f in table._files):
        return "<p>table of a closed file</p>"
    def cells(tag: str, row: Any) -> str:
        return "<tr>%s</tr>" % "".join("<%s>%s</%s>" % (tag, html.escape(_printable(x)), tag) for x in row)
    body = "".join(cells("td", r) for r in _rows(table))
    return "<p>%s</p><table><thead>%s</thead><tbody>%s</tbody></table>" % (html.escape(_title(table)), cells("th", _HEADS), body)


def _file_title(f: File) -> str:
    return "%s: %s bytes, %d table%s" % (f.name, "{:,}".format(f.size), len(f), "" if len(f) == 1 else "s")


def file_text(f: File) -> str:
    if f.closed:
        return "<h5arrow.File %s, closed>" % f.name
    lines = [_printable(_file_title(f))]
    if f.problem:
        lines.append("not all tables were found: %s" % f.problem)
    return "\n".join(lines + [table_text(t) for t in f.tables])


def file_html(f: File) -> str:
    if f.closed:
        return "<p>%s, closed</p>" % html.escape(f.name)
    problem = "<p>not all tables were found: %s</p>" % html.escape(str(f.problem)) if f.problem else ""
    return "<p>%s</p>%s%s" % (html.escape(_printable(_file_title(f))), problem, "".join(map(table_html, f.tables)))
