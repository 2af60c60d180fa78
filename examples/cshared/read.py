"""Loads libh5arrow.so into this process and imports a table from it into pyarrow, without a file in between."""
import ctypes
import gc

import pyarrow as pa
import pyarrow.compute as pc

lib = ctypes.CDLL("./libh5arrow.so")
lib.h5arrow_stream.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
lib.h5arrow_stream.restype = ctypes.c_void_p


def read(path, table=""):
    stream = (ctypes.c_void_p * 5)()  # struct ArrowArrayStream: four callbacks and their data
    message = lib.h5arrow_stream(path.encode(), table.encode(), ctypes.addressof(stream))
    if message:
        text = ctypes.string_at(message).decode()
        ctypes.CDLL(None).free(ctypes.c_void_p(message))
        raise OSError(text)
    return pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))


reader = read("testdata/sample.h5")
print("files mapped:", lib.h5arrow_mappings())
rides = reader.read_all()
print(rides.num_rows, "rows, mean fare", round(pc.mean(rides["fare"]).as_py(), 3))

del reader, rides  # the last release unmaps the file
gc.collect()
print("files mapped:", lib.h5arrow_mappings())

try:
    read("testdata/sample.h5", "/nothing")
except OSError as e:
    print("error:", e)
