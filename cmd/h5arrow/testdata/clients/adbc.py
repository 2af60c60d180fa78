"""Calls what ADBC's driver of Flight SQL has, against a server of sample.h5 at the address given. It prints a line for each."""
import sys
import warnings

import pyarrow as pa
from adbc_driver_flightsql import dbapi

warnings.filterwarnings("ignore", "Cannot disable autocommit")
NAMES = ["sample.h5/table", "/table", "table", "TABLE"]


def main(connection, cursor):
    def rows(sql, values=None):
        cursor.execute(sql, values)
        return cursor.fetchall()

    print("values:", rows('select vendor, passengers from "/table" where fare > ? and zone <> ? order by pickup limit 2', (30, "Harbour")))
    print("numbered:", rows("select $2 || $1", ("a", "é")))
    print("types:", rows("select ?, ?, ?", (1.5, None, b"\x00\xff")))
    print("named:", rows("select $b - $a", pa.RecordBatch.from_pylist([{"a": 1, "b": 5}])))
    print("rows:", rows("select i from range(5) t(i) where i = ?", pa.RecordBatch.from_pydict({"0": [3, 9, 1]})))
    print("again:", [rows("select ? + 1", (i,)) for i in range(3)])
    print("prepared:", cursor.adbc_prepare("select 1 where 1 > ? and 'a' = ?").to_string().replace("\n", ", "))
    print("schema:", cursor.adbc_execute_schema("select fare as f from \"/table\"").to_string())
    objects = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
    print("objects:", [(c["catalog_name"], [(s["db_schema_name"], len(s["db_schema_tables"])) for s in c["catalog_db_schemas"]]) for c in objects])
    print("catalog:", connection.adbc_current_catalog, connection.adbc_current_db_schema)
    schemas = [connection.adbc_get_table_schema(name) for name in NAMES]
    print("names:", all(s.equals(schemas[0]) for s in schemas), len(schemas[0]))
    print("table types:", connection.adbc_get_table_types())
    print("info:", connection.adbc_get_info()["vendor_name"])
    for sql in "insert into t values (1)", "select ? from nowhere", "select 1 +":
        try:
            cursor.execute(sql)
            print("taken:", sql)
        except dbapi.Error as e:
            print("error:", type(e).__name__)


with dbapi.connect("grpc+tcp://" + sys.argv[1]) as connection, connection.cursor() as cursor:
    main(connection, cursor)
