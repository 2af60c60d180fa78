"""pandas from an Arrow file and from a Parquet file. With ArrowDtype the columns stay Arrow's: nothing is converted."""
import pandas as pd
import pyarrow as pa

rides = pa.ipc.open_file(pa.memory_map("sample.arrow")).read_all()
frame = rides.to_pandas(types_mapper=pd.ArrowDtype)
print(frame.groupby("vendor")[["fare", "tip"]].mean().round(2))
print(frame.equals(pd.read_parquet("sample.parquet", dtype_backend="pyarrow")))
