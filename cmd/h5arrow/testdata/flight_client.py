#!/usr/bin/env python3
"""flight_client.py ADDRESS DIR [--ca FILE] [--cert FILE --key FILE] [--token TOKEN] [--endpoints N] [--compression CODEC]: reads all flights
of a server with pyarrow, and compares each with the Arrow file that convert --all-tables wrote to DIR/FILE/. Prints how
many flights, endpoints and rows there were."""
import argparse
import os

import pyarrow as pa
import pyarrow.flight as fl


def read(name):
    with pa.OSFile(name) as f:
        return pa.ipc.open_file(f).read_all()


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("address")
    ap.add_argument("dir")
    for name in ("ca", "cert", "key", "token"):
        ap.add_argument("--" + name)
    ap.add_argument("--endpoints", type=int)
    ap.add_argument("--compression")
    args = ap.parse_args()
    tls = {}
    if args.ca:
        tls["tls_root_certs"] = open(args.ca, "rb").read()
    if args.cert:
        tls.update(cert_chain=open(args.cert, "rb").read(), private_key=open(args.key, "rb").read())
    client = fl.connect(args.address, **tls)
    headers = [(b"authorization", b"Bearer " + args.token.encode())] if args.token else []
    if args.compression:
        headers.append((b"h5arrow-compression", args.compression.encode()))
    options = fl.FlightCallOptions(headers=headers)
    if args.token:
        for call in (lambda: list(client.list_flights()), lambda: client.do_get(fl.Ticket(b"x")).read_all()):
            try:
                call()
            except fl.FlightUnauthenticatedError:
                continue
            raise SystemExit("something is served without a token")
    flights = endpoints = rows = 0
    for f in client.list_flights(options=options):
        file, table = (p.decode() for p in f.descriptor.path)
        d = f.descriptor
        if args.endpoints:
            d = fl.FlightDescriptor.for_command('{"file": "%s", "table": "%s", "endpoints": %d}' % (file, table, args.endpoints))
        info = client.get_flight_info(d, options)
        parts = [client.do_get(e.ticket, options).read_all() for e in info.endpoints]
        got = pa.concat_tables(parts)
        name = table.strip("/").replace("/", ".") or os.path.splitext(os.path.basename(file))[0]
        want = read(os.path.join(args.dir, file, name + ".arrow"))
        assert got.schema.equals(want.schema, check_metadata=True), (file, table, got.schema, want.schema)
        assert info.schema.equals(want.schema, check_metadata=True), (file, table)
        assert client.get_schema(d, options).schema.equals(want.schema), (file, table)
        assert info.total_records == want.num_rows, (file, table)
        same = got.equals(want) or got.combine_chunks().to_pydict().__repr__() == want.combine_chunks().to_pydict().__repr__()  # NaN
        assert same, (file, table)
        flights += 1
        endpoints += len(info.endpoints)
        rows += got.num_rows
    print(flights, endpoints, rows)


if __name__ == "__main__":
    main()
