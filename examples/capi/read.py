"""Loads libh5arrow.so and imports a table from it into pyarrow, as any language that can call C may do it."""
import ctypes
import gc
import json

import pyarrow as pa
import pyarrow.compute as pc

lib = ctypes.CDLL("./libh5arrow.so")
lib.h5arrow_free.argtypes = [ctypes.c_void_p]


def call(name, *args):
    function = getattr(lib, "h5arrow_" + name)
    function.restype = ctypes.c_void_p
    failure = function(*args)
    if failure:
        text = ctypes.string_at(failure)
        lib.h5arrow_free(failure)
        raise OSError(json.loads(text)["message"])


def handle(name, *args):
    out = ctypes.c_uint64()
    call(name, *args, ctypes.byref(out))
    return ctypes.c_uint64(out.value)


def mappings():
    out = ctypes.c_char_p()
    call("stats", ctypes.byref(out))
    return json.loads(out.value)["mappings"]


file = handle("open", b"testdata/sample.h5", None)
table = handle("table", file, b'{"path": "/table"}')
dear = handle("narrow", table, b'{"columns": ["zone", "fare"], "where": "fare > 40 and tip is not null"}')
stream = (ctypes.c_void_p * 5)()  # struct ArrowArrayStream: four callbacks and their data
call("stream", dear, None, stream)
rides = pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)).read_all()
print(rides.num_rows, "rides, mean fare", round(pc.mean(rides["fare"]).as_py(), 3))

print("files mapped:", mappings())
for h in (file, table, dear):
    call("close", h)
del rides  # the last release unmaps the file
gc.collect()
print("files mapped:", mappings())

try:
    handle("open", b"testdata/nothing.h5", None)
except OSError as e:
    print("error:", e)
