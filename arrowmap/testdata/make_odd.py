#!/usr/bin/env python3
"""Writes files that are sound, or as sound as their writers left them, and unusual below the level of conventions.

usage: make_odd.py DIRECTORY        made with h5py 3.16.0 (HDF5 2.0.0), numpy 2.4.6 and, for fp.h5, netCDF4 1.7.5.1 (HDF5 2.2.0)

swmr_dead.h5     a SWMR writer was killed after it had lengthened t, and before x
swmr_block.h5    one that was killed after it had lengthened three of four datasets by a block; calib can't grow
rows_left.h5     the last chunk has the rows that are left, and no more: filtered, unfiltered, of rank 2
column.h5        compounds of shape (N, 1), (N, 1, 1), (1, 1), (0, 1)
element_size.h5  the layout message has elements of 4 bytes, the type has 8 (as PureHDF up to 2.1.2 writes); and an unfiltered
                 dataset of elements of 2 bytes instead of 4
fp.h5            HDF5 2's FP6 and FP4, every value
"""
import ctypes
import glob
import os
import signal
import struct
import sys
import zlib

import h5py
import numpy as np


def killed(path, write):
    """Runs write in a process that kills itself."""
    pid = os.fork()
    if pid == 0:
        write(path)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def append(d, n, k):
    d.resize((n + k,) + d.shape[1:])
    d[n:] = np.arange(n, n + k).astype(d.dtype).reshape((k,) + (1,) * (d.ndim - 1))
    d.flush()


def swmr_dead(path):
    with h5py.File(path, "w", libver="latest") as f:
        x = f.create_dataset("x", (0,), maxshape=(None,), chunks=(100,), dtype="f8", compression="gzip")
        t = f.create_dataset("t", (0,), maxshape=(None,), chunks=(100,), dtype="i8")
        f.swmr_mode = True
        for n in range(0, 350, 70):
            append(t, n, 70)
            if n == 280:
                os.kill(os.getpid(), signal.SIGKILL)
            append(x, n, 70)


def swmr_block(path):
    with h5py.File(path, "w", libver="latest") as f:
        g = f.create_group("run")
        g["calib"] = [1.5, 2.5, 3.5]
        names = "image", "name", "seq", "y"
        shapes = {"image": (2, 2)}
        for name in names:
            inner = shapes.get(name, ())
            g.create_dataset(name, (0,) + inner, maxshape=(None,) + inner, chunks=(16,) + inner, dtype="S3" if name == "name" else "i4")
        f.swmr_mode = True
        for n in range(0, 48, 16):
            for name in names:
                if n == 32 and name == "y":
                    os.kill(os.getpid(), signal.SIGKILL)
                append(g[name], n, 16)


def rows_left(path):
    with h5py.File(path, "w") as f:
        v = np.arange(250)
        a = f.create_dataset("a", (250,), chunks=(100,), dtype="f8", compression="gzip")
        b = f.create_dataset("b", (250, 3), chunks=(100, 3), dtype="i2", compression="gzip", shuffle=False)
        c = f.create_dataset("c", (250,), chunks=(100,), dtype="i4")
        for i in range(0, 250, 100):
            a.id.write_direct_chunk((i,), zlib.compress(v[i:i + 100].astype("f8").tobytes()))
            b.id.write_direct_chunk((i, 0), zlib.compress(np.repeat(v[i:i + 100], 3).astype("i2").tobytes()))
            c.id.write_direct_chunk((i,), v[i:i + 100].astype("i4").tobytes())


def column(path):
    x = np.zeros(5, [("a", "i4"), ("b", "f8"), ("s", "S4"), ("v", "i2", (2,))])
    x["a"], x["b"], x["v"] = range(5), np.arange(5) / 2, np.arange(10).reshape(5, 2)
    x["s"] = [b"s%d" % i for i in range(5)]
    with h5py.File(path, "w") as f:
        f["t"] = x.reshape(5, 1)
        f.create_dataset("c", data=x.reshape(5, 1, 1), chunks=(2, 1, 1), compression="gzip")
        f["o"] = x[3:4].reshape(1, 1)
        f.create_dataset("e", (0, 1), maxshape=(None, 1), dtype=x.dtype)
        y = np.zeros((2, 1), [("n", h5py.string_dtype()), ("k", "i8")])
        y["n"][:, 0], y["k"][:, 0] = ["é", ""], [1, 2]
        f["é"] = y


def lookup3(p):
    """Bob Jenkins' hash, in the form in which HDF5 uses it."""
    def rot(x, k):
        return (x << k | x >> 32 - k) & 0xffffffff

    m = 0xffffffff
    a = b = c = 0xdeadbeef + len(p) & m
    words = list(struct.unpack("<%dI" % ((len(p) + 11) // 12 * 3), p + bytes(-len(p) % 12)))
    while len(words) > 3:
        a, b, c = a + words[0] & m, b + words[1] & m, c + words[2] & m
        del words[:3]
        for k in 4, 6, 8, 16, 19, 4:
            a = (a - c & m) ^ rot(c, k)
            c = c + b & m
            a, b, c = b, c, a
    if words:
        a, b, c = a + words[0] & m, b + words[1] & m, c + words[2] & m
        for k in 14, 11, 25, 16, 4, 14, 24:
            c = (c ^ b) - rot(b, k) & m
            a, b, c = b, c, a
        c = b
    return c


def set_element(p, at, size):
    """Rewrites the size of an element in the layout message of the object header at an address."""
    flags, pos = p[at + 5], at + 6
    pos += (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    wide = 1 << (flags & 3)
    q = pos + wide
    end = q + int.from_bytes(p[pos:q], "little")
    assert lookup3(bytes(p[at:end])) == struct.unpack_from("<I", p, end)[0]
    while q < end - 4:
        body = q + 4 + (2 if flags & 4 else 0)
        if p[q] == 8:
            assert p[body] == 4 and p[body + 1] == 2 and p[body + 4] == 1
            p[body + 4 + p[body + 3]] = size
        q = body + int.from_bytes(p[q + 1:q + 3], "little")
    struct.pack_into("<I", p, end, lookup3(bytes(p[at:end])))


def element_size(path):
    with h5py.File(path, "w", libver=("v110", "v110")) as f:
        a = f.create_dataset("a", data=np.arange(250) / 2, chunks=(100,), compression="gzip", shuffle=True)
        b = f.create_dataset("b", data=np.arange(250, dtype="i4"), chunks=(100,), maxshape=(1000,))
        places = [(h5py.h5o.get_info(d.id).addr, n) for d, n in ((a, 4), (b, 2))]
    p = bytearray(open(path, "rb").read())
    for at, n in places:
        set_element(p, at, n)
    open(path, "wb").write(p)


def fp(path):
    """netCDF4's library is newer than h5py's, and has the types; it is called without a wrapper."""
    place = os.path.join(os.path.dirname(os.path.dirname(h5py.__file__)), "netcdf4.libs", "libhdf5-*.so*")
    lib = ctypes.CDLL(glob.glob(place)[0])
    lib.H5open()
    hid = ctypes.c_int64
    for call in lib.H5Fcreate, lib.H5Screate_simple, lib.H5Dcreate2:
        call.restype = hid
    f = hid(lib.H5Fcreate(path.encode(), 2, hid(0), hid(0)))
    for name, bits in ("F6E2M3", 6), ("F6E3M2", 6), ("F4E2M1", 4):
        t = hid(hid.in_dll(lib, "H5T_FLOAT_%s_g" % name).value)
        space = hid(lib.H5Screate_simple(1, (ctypes.c_uint64 * 1)(1 << bits), None))
        d = hid(lib.H5Dcreate2(f, name.lower().encode(), t, space, hid(0), hid(0), hid(0)))
        assert lib.H5Dwrite(d, t, hid(0), hid(0), hid(0), bytes(range(1 << bits))) == 0 and lib.H5Dclose(d) == 0
    assert lib.H5Fclose(f) == 0


def main():
    out = sys.argv[1]
    killed(os.path.join(out, "swmr_dead.h5"), swmr_dead)
    killed(os.path.join(out, "swmr_block.h5"), swmr_block)
    for write in rows_left, column, element_size, fp:
        write(os.path.join(out, write.__name__ + ".h5"))


if __name__ == "__main__":
    main()
