#!/bin/sh
# Spark keeps the filters that a Python data source took (DataSourceReader.pushFilters) for other queries of the same DataFrame: a
# query without filters misses rows, and where the DataFrame is used twice in one query, both uses get the filters of the last one. No
# error, no warning. It needs the setting spark.sql.python.filterPushdown.enabled, and a data source that implements pushFilters as its
# documentation shows.
#
# PythonScanBuilder.pushFilters stores what it planned in the data source (PythonDataSourceV2.setReadInfo), which all scans of a
# DataFrame share, instead of in its scan. Spark's development branch has that changed.
#
# pyspark 4.3.0. Prints the version and the counts; the status is 0 as long as the rows are not those
# that were asked for.
#
# usage: findings/spark-filters-leak-into-later-queries.sh        needs Python 3.10 to 3.13 with venv, Java 17, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check pyspark==4.3.0 pyarrow==26.0.1 pandas==2.3.3 numpy==2.4.6
cd "$dir"
cat >numbers_source.py <<'PY'
from pyspark.sql.datasource import DataSource, DataSourceReader, GreaterThan


class Numbers(DataSource):
    def schema(self):
        return "x int"

    def reader(self, schema):
        return Reader()


class Reader(DataSourceReader):
    least = -1

    def pushFilters(self, filters):
        for f in filters:
            if isinstance(f, GreaterThan):
                self.least = f.value  # it is taken
            else:
                yield f

    def read(self, partition):
        return ((x,) for x in range(100) if x > self.least)
PY
cat >run.py <<'PY'
import sys

import pyspark
from numbers_source import Numbers
from pyspark.sql import SparkSession

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.sql.python.filterPushdown.enabled", "true").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
spark.dataSource.register(Numbers)
d = spark.read.format("Numbers").load()
counts = [d.count()]
d = spark.read.format("Numbers").load()
counts += [d.where("x > 89").count(), d.count()]
e = spark.read.format("Numbers").load()
both = e.where("x > 89").union(e.where("x > 79")).count()
spark.stop()
print("pyspark", pyspark.__version__)
print("100 rows: count() %d; where(x > 89) %d, then count() of the same DataFrame %d" % tuple(counts))
print("where(x > 89) and where(x > 79) in one union: %d rows of 30" % both)
sys.exit(0 if counts != [100, 10, 100] or both != 30 else 1)
PY
PYTHONPATH=$dir SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=$dir/venv/bin/python "$dir/venv/bin/python" run.py 2>errors || { status=$?; tail -5 errors >&2; exit $status; }
