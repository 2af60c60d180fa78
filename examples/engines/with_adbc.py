"""ADBC: statements over Flight SQL, sent by the ADBC driver."""
import subprocess
import warnings

from adbc_driver_flightsql import dbapi

warnings.filterwarnings("ignore", "Cannot disable autocommit")  # there is nothing to commit
server = subprocess.Popen(["h5arrow", "serve", "testdata/sample.h5", "--sql", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
address = server.stdout.readline().removeprefix("listening on ").strip()

with dbapi.connect(address) as connection, connection.cursor() as cursor:
    cursor.execute('select vendor, count(*) as rides, max(fare) as fare from "table" group by vendor order by vendor')
    print(cursor.fetch_arrow_table().to_pylist())
    try:
        cursor.execute("select * from trips")
    except dbapi.Error as error:
        print(error)

server.terminate()
print("the server ends with status", server.wait())
