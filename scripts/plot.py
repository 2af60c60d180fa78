#!/usr/bin/env python3
"""plot.py RESULTS OUT.svg: draws the ratios in RESULTS, the output of compare.py, as bars; shorter is faster.

Each bar is h5arrow's time for a job divided by another program's. The line at 1 is the other program.
"""
import html
import re
import sys

LINE = re.compile(r"^(?P<job>.+?)\s{2,}h5arrow (?P<ours>\d+) ms\s+(?P<peers>.*)$")
PEER = re.compile(r"(?P<who>[\w+ ()]+?) (?P<ms>\d+) ms \((?P<ratio>[\d.]+)x\)")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = []
    for line in open(sys.argv[1], encoding="utf-8"):
        m = LINE.match(line.rstrip())
        if m:
            rows += [(m["job"].strip(), p["who"].strip(), float(p["ratio"])) for p in PEER.finditer(m["peers"])]
    if not rows:
        sys.exit("no line of compare.py in " + sys.argv[1])
    left, scale, step = 330, 360, 22
    width, height = left + int(scale * 1.3) + 60, 50 + step * len(rows)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (width, height),
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="20" font-weight="bold">time of h5arrow divided by the peer\'s, whole processes (shorter is faster)</text>']
    for k in (0.25, 0.5, 0.75, 1):
        x = left + scale * k
        out.append('<line x1="%g" y1="30" x2="%g" y2="%d" stroke="%s"/><text x="%g" y="%d" text-anchor="middle" fill="#555">%g</text>'
                   % (x, x, height - 18, "#c33" if k == 1 else "#ddd", x, height - 5, k))
    last = None
    for i, (job, who, ratio) in enumerate(rows):
        y = 34 + step * i
        if job != last:
            out.append('<text x="10" y="%d">%s</text>' % (y + 13, html.escape(job)))
            last = job
        out.append('<text x="%d" y="%d" text-anchor="end" fill="#333">%s</text>' % (left - 6, y + 13, html.escape(who)))
        w = scale * min(ratio, 1.3)
        out.append('<rect x="%d" y="%d" width="%g" height="%d" fill="#3b6ea5"/><text x="%g" y="%d" fill="#222">%.2f</text>'
                   % (left, y + 2, w, step - 6, left + w + 4, y + 13, ratio))
    out.append("</svg>")
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
