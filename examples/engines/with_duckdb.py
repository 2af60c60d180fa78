"""DuckDB over an Arrow file, a Parquet file and a stream. The Arrow file is mapped: columns that a query does not use are not read."""
import subprocess

import duckdb
import pyarrow as pa

rides = pa.ipc.open_file(pa.memory_map("sample.arrow")).read_all()
query = "select zone, count(*) as rides, round(avg(fare), 2) as fare from %s group by zone order by rides desc, zone limit 3"
print(duckdb.sql(query % "rides"))
print(duckdb.sql(query % "'sample.parquet'").fetchall() == duckdb.sql(query % "rides").fetchall())

convert = subprocess.Popen(["h5arrow", "convert", "testdata/sample.h5", "-", "--columns", "zone,fare"], stdout=subprocess.PIPE)
stream = pa.ipc.open_stream(convert.stdout)
print(duckdb.sql(query % "stream").fetchall() == duckdb.sql(query % "rides").fetchall())
