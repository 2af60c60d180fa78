"""A Flight client: lists the tables, then reads some columns and rows of one from all of its endpoints."""
import json
import subprocess

import pyarrow as pa
import pyarrow.flight as flight

server = subprocess.Popen(["h5arrow", "serve", "testdata/sample.h5", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
client = flight.connect(server.stdout.readline().removeprefix("listening on ").strip())

for info in client.list_flights():
    print([part.decode() for part in info.descriptor.path], info.total_records, "rows")

command = {"file": "sample.h5", "table": "/table", "columns": ["zone", "fare"], "rows": "1000:21000", "endpoints": 4}
info = client.get_flight_info(flight.FlightDescriptor.for_command(json.dumps(command)))
parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]  # each may go to another worker
rides = pa.concat_tables(parts)
print(len(info.endpoints), "endpoints,", rides.num_rows, "rows of", rides.column_names)

server.terminate()
print("the server ends with status", server.wait())
