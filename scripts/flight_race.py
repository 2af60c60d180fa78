#!/usr/bin/env python3
"""Compares the speed of `h5arrow serve` with that of pyarrow's Flight server, which has the same table in memory:

    flight_race.py FILE --h5arrow bin/h5arrow [--before OTHER] [--unix] [--rows 32768 --rows 0] [--rounds 9] [--pin] [--flag=--trust-input]
    flight_race.py FILE --make 8000000 --h5arrow bin/h5arrow

A client (pyarrow, in its own process) reads the whole table from each server in turn, all endpoints one after the other.
--rows sets the rows of a batch for all servers; 0 means h5arrow's default, and pyarrow's server has batches of as many rows.
--before adds another build of h5arrow, --unix the same servers over Unix-domain sockets. --pin gives the client one core and
the servers another. --make writes FILE first: a table of eleven columns with text, a mask, nulls and times, of that many rows.
Prints a line for each server: the median and the best time, the server's processor time in the median, and ratios of medians."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.flight as fl


class Memory(fl.FlightServerBase):
    """Serves a table in memory, in batches of the given number of rows, by a ticket that is a range of batches."""

    def __init__(self, location, table, rows):
        super().__init__(location)
        self.batches, self.schema = table.combine_chunks().to_batches(rows), table.schema

    def do_get(self, context, ticket):
        part, parts = map(int, ticket.ticket.split())
        n = len(self.batches)
        batches = self.batches[part * n // parts:(part + 1) * n // parts]
        return fl.RecordBatchStream(pa.RecordBatchReader.from_batches(self.schema, batches))


def peer(address, rows, where):
    client = fl.connect(address)
    server = Memory(where, read_all(client), rows)
    client.close()
    print(where if where.startswith("grpc+unix:") else "grpc://127.0.0.1:%d" % server.port, flush=True)
    sys.stdin.read()  # until the parent closes it
    server.shutdown()


def flights(client):
    return [client.get_flight_info(f.descriptor) for f in client.list_flights()]


def read_all(client):
    parts = [client.do_get(e.ticket).read_all() for e in flights(client)[0].endpoints]
    return pa.concat_tables(parts)


def drain(client, tickets):
    """Reads and drops all batches. Returns the number of rows in all and in the first batch, and the bytes."""
    rows, first, size = 0, 0, 0
    for t in tickets:
        for chunk in client.do_get(t):
            first = first or chunk.data.num_rows
            rows += chunk.data.num_rows
            size += chunk.data.nbytes
    return rows, first, size


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        v = f.read().rpartition(")")[2].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


class Side:
    """A server in its own process, a client of it, and what the rounds took."""

    def __init__(self, name, command, core):
        self.name, self.times, self.cpu = name, [], []
        pin = (lambda: os.sched_setaffinity(0, [core])) if core is not None else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=pin)
        line = self.process.stdout.readline().decode().split()
        if not line:
            sys.exit("flight_race: a server did not start: %s" % " ".join(command))
        self.address = line[-1]
        self.client = fl.connect(self.address)
        self.tickets = None

    def round(self, rows):
        before, start = cpu(self.process.pid), time.perf_counter()
        got, _, _ = drain(self.client, self.tickets)
        self.times.append(time.perf_counter() - start)
        self.cpu.append(cpu(self.process.pid) - before)
        if got != rows:
            sys.exit("flight_race: %s returned %d rows, want %d" % (self.name, got, rows))

    def stop(self):
        self.client.close()
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


def server(name, binary, args, rows, listen, core):
    command = [binary, "serve", args.file, "--listen", listen, *args.flag]
    if args.endpoints:
        command += ["--endpoints", str(args.endpoints)]
    if rows:
        command += ["--batch-rows", str(rows)]
    side = Side(name, command, core)
    side.tickets = [e.ticket for e in flights(side.client)[0].endpoints]
    return side


def memory(name, args, address, rows, where, parts, core):
    command = [sys.executable, __file__, args.file, "--peer", address, "--rows", str(rows), "--where", where]
    side = Side(name, command, core)
    side.tickets = [fl.Ticket(b"%d %d" % (i, parts)) for i in range(parts)]
    return side


def race(args, rows, folder):
    cores = sorted(os.sched_getaffinity(0)) if args.pin else [None]
    if args.pin:
        os.sched_setaffinity(0, [cores[0]])
    sides = []
    try:
        def ours(name, binary, listen):
            sides.append(server(name, binary, args, rows, listen, cores[-1]))

        ours("h5arrow", args.h5arrow, "127.0.0.1:0")
        n, first, size = drain(sides[0].client, sides[0].tickets)

        def theirs(name, where):
            sides.append(memory(name, args, sides[0].address, first, where, len(sides[0].tickets), cores[-1]))

        theirs("pyarrow", "grpc://127.0.0.1:0")
        if args.before:
            ours("before", args.before, "127.0.0.1:0")
        if args.unix:
            ours("h5arrow, unix", args.h5arrow, "unix:%s/%d-h5arrow" % (folder, rows))
            theirs("pyarrow, unix", "grpc+unix://%s/%d-pyarrow" % (folder, rows))
        for i in range(args.rounds + 1):  # the first warms up
            for s in sides:
                s.round(n)
                if i == 0:
                    s.times, s.cpu = [], []
    finally:
        for s in sides:
            s.stop()
    report(sides, n, first, size)


def report(sides, rows, first, size):
    print("%d rows, %.0f MB, %d endpoints, %d rows a batch" % (rows, size / 1e6, len(sides[0].tickets), first))
    a, a_cpu = statistics.median(sides[0].times), statistics.median(sides[0].cpu)
    for s in sides:
        t, c = statistics.median(s.times), statistics.median(s.cpu)
        print("    %-14s median %.3f s, best %.3f s, %.2f GB/s, server's cpu %.2f s; h5arrow is %.2f times as fast, with %.2f of the cpu"
              % (s.name, t, min(s.times), size / t / 1e9, c, t / a, a_cpu / max(c, 0.01)), flush=True)


def mixed(rows):
    """Yields batches of a table of eleven columns: numbers, of which one has nulls, booleans, text, and times."""
    import numpy as np
    random, step = np.random.default_rng(17), 1 << 18
    words = pa.array(["h", "he", "deuterium", "lithium six", "", "\u03b2 decay", "neutron capture in the shield"])
    for at in range(0, rows, step):
        n = min(step, rows - at)
        r = np.arange(at, at + n)
        yield pa.record_batch({
            "event": r, "run": (r // 100000).astype("i4"), "x": random.normal(size=n), "y": random.normal(size=n), "z": random.normal(size=n),
            "energy": pa.array(random.exponential(size=n), mask=random.random(n) < 0.1), "charge": random.integers(-1, 2, n).astype("i2"),
            "good": pa.array(random.random(n) < 0.9), "time": (1_700_000_000_000_000_000 + r * 1_000_000).astype("M8[ns]"),
            "kind": words.take(pa.array(random.integers(0, len(words), n))), "weight": random.random(n).astype("f4")})


def make(args):
    p = subprocess.Popen([args.h5arrow, "import", "-", args.file, "--nulls", "mask", "--force", "--quiet"], stdin=subprocess.PIPE)
    writer = None
    for b in mixed(args.make):
        writer = writer or pa.ipc.new_stream(p.stdin, b.schema)
        writer.write_batch(b)
    writer.close()
    p.stdin.close()
    if p.wait():
        sys.exit("flight_race: no table was written")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file")
    ap.add_argument("--h5arrow", default="bin/h5arrow")
    ap.add_argument("--before")
    ap.add_argument("--make", type=int)
    ap.add_argument("--rows", type=int, action="append")
    ap.add_argument("--rounds", type=int, default=9)
    ap.add_argument("--endpoints", type=int, default=0, help="0: the server's default")
    ap.add_argument("--unix", action="store_true")
    ap.add_argument("--pin", action="store_true")
    ap.add_argument("--flag", action="append", default=[])
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    ap.add_argument("--where", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.peer:
        return peer(args.peer, args.rows[0], args.where)
    if args.make:
        return make(args)
    with tempfile.TemporaryDirectory() as folder:
        for rows in args.rows or [0]:
            race(args, rows, folder)


if __name__ == "__main__":
    main()
