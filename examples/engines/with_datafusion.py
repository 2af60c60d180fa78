"""DataFusion over a Parquet file, and over an Arrow file that is mapped."""
import pyarrow as pa
from datafusion import SessionContext

ctx = SessionContext()
ctx.register_parquet("written", "sample.parquet")
ctx.from_arrow(pa.ipc.open_file(pa.memory_map("sample.arrow")).read_all(), name="mapped")

query = """select vendor, count(*) as rides, count(tip) as tips, round(avg(meter)) as meter
           from %s where pickup < '2024-02-29 12:00:00' group by vendor order by vendor"""
print(ctx.sql(query % "mapped").to_pandas().to_string(index=False))
print(ctx.sql(query % "mapped").collect() == ctx.sql(query % "written").collect())
