"""Files that several tests make."""
import h5py
import numpy as np


def sorted_file(path):
    """Write ten chunks of rows in order, in two columns of which the second is damaged but for its sixth chunk."""
    rows, chunk = 1_000_000, 100_000
    with h5py.File(path, "w") as f:
        f.create_dataset("t/x", data=np.arange(rows), chunks=(chunk,), compression="gzip", compression_opts=1)
        y = f.create_dataset("t/y", data=np.arange(rows), chunks=(chunk,), compression="gzip", compression_opts=1)
        places = [y.id.get_chunk_info(i).byte_offset for i in range(10)]
    with open(path, "r+b") as f:
        for i, at in enumerate(places):
            if i != 5:
                f.seek(at)
                f.write(b"\xff" * 16)
    return str(path)
