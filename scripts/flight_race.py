#!/usr/bin/env python3
"""Compares the speed of `h5arrow serve` with that of pyarrow's Flight server, which has the same table in memory:

    flight_race.py FILE --h5arrow bin/h5arrow [--rows 32768 --rows 262144 --rows 0] [--rounds 9] [--flag=--trust-input]

A client (pyarrow, in its own process) reads the whole table from both servers in turn; the best round of each counts.
--rows sets the rows of a batch for both servers; 0 means h5arrow's default. Prints a line for each --rows."""
import argparse
import os
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.flight as fl


class Memory(fl.FlightServerBase):
    """Serves a table in memory, in batches of the given number of rows."""

    def __init__(self, table, rows):
        super().__init__("grpc://127.0.0.1:0")
        self.batches, self.schema = table.combine_chunks().to_batches(rows), table.schema

    def do_get(self, context, ticket):
        return fl.RecordBatchStream(pa.RecordBatchReader.from_batches(self.schema, self.batches))


def peer(address, rows):
    client = fl.connect(address)
    server = Memory(read_all(client), rows)
    client.close()
    print("grpc://127.0.0.1:%d" % server.port, flush=True)
    sys.stdin.read()  # until the parent closes it
    server.shutdown()


def flights(client):
    return [client.get_flight_info(f.descriptor) for f in client.list_flights()]


def read_all(client):
    parts = [client.do_get(e.ticket).read_all() for e in flights(client)[0].endpoints]
    return pa.concat_tables(parts)


def drain(client, tickets):
    """Reads and drops all batches. Returns the number of rows in all and in the first batch."""
    rows, first = 0, 0
    for t in tickets:
        for chunk in client.do_get(t):
            first = first or chunk.data.num_rows
            rows += chunk.data.num_rows
    return rows, first


def listening(p):
    line = p.stdout.readline().decode().split()
    if not line:
        sys.exit("flight_race: a server did not start")
    return line[-1]


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        v = f.read().rpartition(")")[2].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


def race(args, rows):
    ours = [args.h5arrow, "serve", args.file, "--listen", "127.0.0.1:0", "--endpoints", "1", *args.flag]
    if rows:
        ours += ["--batch-rows", str(rows)]
    p = subprocess.Popen(ours, stdout=subprocess.PIPE)
    try:
        address = listening(p)
        client = fl.connect(address)
        info = flights(client)[0]
        n, first = drain(client, [e.ticket for e in info.endpoints])
        q = subprocess.Popen([sys.executable, __file__, args.file, "--peer", address, "--rows", str(first)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            other = fl.connect(listening(q))
            sides = [("h5arrow", client, [e.ticket for e in info.endpoints], p.pid), ("pyarrow", other, [fl.Ticket(b"")], q.pid)]
            best = {name: (float("inf"), 0.0) for name, *_ in sides}
            for _ in range(args.rounds):
                for name, c, tickets, pid in sides:
                    before, start = cpu(pid), time.perf_counter()
                    got, _ = drain(c, tickets)
                    seconds = time.perf_counter() - start
                    if got != n:
                        sys.exit("flight_race: %s returned %d rows, want %d" % (name, got, n))
                    best[name] = min(best[name], (seconds, cpu(pid) - before))
        finally:
            q.stdin.close()
            q.wait()
    finally:
        p.terminate()
        p.wait()
    (a, a_cpu), (b, b_cpu) = best["h5arrow"], best["pyarrow"]
    size = info.total_bytes if info.total_bytes > 0 else os.path.getsize(args.file)
    print("%8d rows a batch: h5arrow %.3f s, %.2f GB/s (cpu %.2f s)   pyarrow %.3f s, %.2f GB/s (cpu %.2f s)   throughput %.2f times pyarrow's"
          % (first, a, size / a / 1e9, a_cpu, b, size / b / 1e9, b_cpu, b / a), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file")
    ap.add_argument("--h5arrow", default="bin/h5arrow")
    ap.add_argument("--rows", type=int, action="append")
    ap.add_argument("--rounds", type=int, default=9)
    ap.add_argument("--flag", action="append", default=[])
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.peer:
        return peer(args.peer, args.rows[0])
    for rows in args.rows or [32768, 262144, 0]:
        race(args, rows)


if __name__ == "__main__":
    main()
