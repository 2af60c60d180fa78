#!/usr/bin/env python3
"""summary.py: reads the JSON summary of `h5arrow convert --json` from standard input and prints it as a table."""
import json
import sys


def main():
    s = json.load(sys.stdin)
    rows = [("column", "type", "delivery", "copied bytes", "nulls")]
    rows += [(c["name"], c["type"], c["delivery"], "{:,}".format(c["copied_bytes"]), "{:,}".format(c["null_count"])) for c in s["columns"]]
    width = [max(len(r[i]) for r in rows) for i in range(5)]
    for r in rows:
        print("  ".join([r[i].ljust(width[i]) for i in range(3)] + [r[i].rjust(width[i]) for i in (3, 4)]))
    mapped = sum(c["delivery"] == "mapped" for c in s["columns"])
    copied = sum(c["copied_bytes"] for c in s["columns"])
    print("{:,} rows in {} batches; {} of {} columns mapped, {:,} of {:,} bytes copied; {:.1f} ms".format(
        s["rows"], s["batches"], mapped, len(s["columns"]), copied, s["bytes_out"], 1e3 * s["seconds"]))


if __name__ == "__main__":
    main()
