"""Polars over an Arrow file, which it maps, and over a Parquet file."""
import polars as pl

pl.Config(tbl_formatting="ASCII_MARKDOWN")


def query(rides):
    fares = rides.filter(pl.col("rating") >= 4).group_by("zone")
    return fares.agg(pl.len().alias("rides"), pl.col("tip").mean().round(3)).sort("rides", "zone", descending=True).head(3).collect()


print(query(pl.scan_ipc("sample.arrow")))
print(query(pl.scan_ipc("sample.arrow")).equals(query(pl.scan_parquet("sample.parquet"))))
