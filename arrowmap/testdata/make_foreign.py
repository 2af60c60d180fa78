#!/usr/bin/env python3
"""Writes foreign.h5: /y deflated, and /x the same with the filter's number changed to one that nobody has registered."""
import h5py
import numpy as np

with h5py.File("foreign.h5", "w") as f:
    for name in "xy":
        f.create_dataset(name, data=np.arange(10, dtype="<i4"), chunks=(5,), compression="gzip", track_times=False)
    at = f["x"].id.get_chunk_info(0).byte_offset
data = bytearray(open("foreign.h5", "rb").read())
first = data.index(b"deflate\0")  # of /x: its header is written first
number = first - 8
assert data[number:number + 2] == b"\1\0", data[number:first]
data[number:number + 2] = (65011).to_bytes(2, "little")
open("foreign.h5", "wb").write(data)
