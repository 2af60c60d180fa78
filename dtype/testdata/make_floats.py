#!/usr/bin/env python3
"""Writes floats.json: values of floating-point formats as bytes, and the doubles that they are.

The doubles come from exact rational arithmetic, rounded by Python. Where the HDF5 library (through h5py) converts the
format exactly, its answers are compared with them first.

usage: make_floats.py > floats.json        needs h5py and numpy
"""
import json
import random
import struct
import sys
from fractions import Fraction

import h5py
import numpy as np
from h5py import h5d, h5s, h5t

LE, BE = h5t.ORDER_LE, h5t.ORDER_BE
IMPLIED, NONE = 2, 0
# name, bytes, sign, exponent at, bits, mantissa at, bits, bias, normalization, Arrow type, exact
FORMATS = [
    ("bfloat16", 2, 15, 7, 8, 0, 7, 127, IMPLIED, "float32", True),
    ("fp8 e5m2", 1, 7, 2, 5, 0, 2, 15, IMPLIED, "float16", True),
    ("fp8 e4m3", 1, 7, 3, 4, 0, 3, 7, IMPLIED, "float16", True),
    ("fp6 e3m2 in a byte", 1, 5, 2, 3, 0, 2, 3, IMPLIED, "float16", True),
    ("fp6 e2m3 in a byte", 1, 5, 3, 2, 0, 3, 1, IMPLIED, "float16", True),
    ("fp4 e2m1 in a byte", 1, 3, 1, 2, 0, 1, 1, IMPLIED, "float16", True),
    ("20 bits in four bytes", 4, 26, 20, 6, 7, 13, 31, IMPLIED, "float32", True),
    ("24 bits", 3, 23, 16, 7, 0, 16, 63, IMPLIED, "float32", True),
    ("single with another bias", 4, 31, 23, 8, 0, 23, 100, IMPLIED, "float64", True),
    ("half of great range", 2, 15, 5, 10, 0, 5, 511, IMPLIED, "float64", True),
    ("no implied bit", 2, 15, 10, 5, 0, 10, 15, NONE, "float16", True),
    ("x87 in 16 bytes", 16, 79, 64, 15, 0, 64, 16383, NONE, "float64", False),
    ("x87 in 12 bytes", 12, 79, 64, 15, 0, 64, 16383, NONE, "float64", False),
    ("quadruple", 16, 127, 112, 15, 0, 112, 16383, IMPLIED, "float64", False),
    ("double of greater range", 8, 63, 50, 13, 0, 50, 4095, IMPLIED, "float64", False),
]
# OCP Microscaling Formats: neither infinity nor NaN. HDF5 2.2.0 has types for them, and converts their largest exponent as if
# there were; its release notes name that as a known problem.
FINITE = {"fp6 e3m2 in a byte", "fp6 e2m3 in a byte", "fp4 e2m1 in a byte"}


def bits_of(x, at, n):
    return x >> at & ((1 << n) - 1)


def value(f, x):
    """-> the double of bit pattern x, as its 64 bits; every NaN the quiet one."""
    _, _, sign, ea, es, ma, ms, bias, norm, _, _ = f
    s, e, m = bits_of(x, sign, 1), bits_of(x, ea, es), bits_of(x, ma, ms)
    if e == (1 << es) - 1 and f[0] not in FINITE:
        if norm != IMPLIED:
            m &= (1 << (ms - 1)) - 1
        return s << 63 | (0x7FF8 << 48 if m else 0x7FF << 52)
    point = ms
    if norm == IMPLIED:
        if e:
            m |= 1 << ms
    else:
        point = ms - 1
    v = Fraction(m) * Fraction(2) ** (max(e, 1) - bias - point)
    try:
        d = float(v)
    except OverflowError:
        d = float("inf")
    return s << 63 | struct.unpack("<Q", struct.pack("<d", d))[0]


def patterns(f, rng):
    """Bit patterns: all of a byte; edges of exponent and mantissa, ties of rounding, and random ones."""
    _, size, sign, ea, es, ma, ms, bias, norm, _, exact = f
    if size == 1:
        return list(range(256))
    out = []
    top = (1 << es) - 1
    exps = {0, 1, 2, top, top - 1, bias % (top + 1), (bias + 1) % (top + 1), (bias - 1) % (top + 1)}
    if not exact:  # around the borders of the doubles: greatest, smallest normal, smallest
        for e in (1023, 1024, -1022, -1023, -1024, -1050, -1073, -1074, -1075, -1076):
            if 0 < bias + e < top:
                exps.add(bias + e)
    ones = (1 << ms) - 1
    hidden = ms - 52 if norm == IMPLIED else ms - 53
    mants = {0, 1, ones, 1 << (ms - 1), ones >> 1, (1 << (ms - 1)) | 1}
    if hidden > 0:
        half = 1 << (hidden - 1)
        base = 1 << (ms - 1)
        mants |= {base | half, base | half - 1, base | half + 1, base | half | 1 << hidden, base | (ones & ~((1 << hidden) - 1)) | half}
    for e in sorted(exps):
        for m in sorted(mants):
            for s in (0, 1):
                out.append(s << sign | e << ea | m << ma)
    for _ in range(20):
        e = rng.choice([rng.randrange(top + 1), max(0, min(top, bias + rng.randrange(-60, 60)))])
        m = rng.getrandbits(ms)
        if norm != IMPLIED and e:
            m |= 1 << (ms - 1)
        x = rng.getrandbits(1) << sign | e << ea | m << ma
        out.append(x)
    junk = rng.getrandbits(8 * size)  # bits that no field covers mean nothing
    for at, n in ((sign, 1), (ea, es), (ma, ms)):
        junk &= ~(((1 << n) - 1) << at)
    return out + [x | junk for x in out[-10:]]


def by_hdf5(f, raw, order):
    """-> the doubles that the library makes of the little-endian bytes."""
    _, size, sign, ea, es, ma, ms, bias, norm, _, _ = f
    t = h5t.IEEE_F64LE.copy() if size >= 8 else h5t.IEEE_F32LE.copy()
    if size > t.get_size():
        t.set_size(size)
    offset = min(sign, ea, ma)
    t.set_fields(sign, ea, es, ma, ms)
    t.set_ebias(bias)
    t.set_norm({IMPLIED: h5t.NORM_IMPLIED, NONE: h5t.NORM_NONE}[norm])
    t.set_offset(offset)
    t.set_precision(max(sign, ea + es - 1, ma + ms - 1) + 1 - offset)
    if size < t.get_size():
        t.set_size(size)
    t.set_order(order)
    n = len(raw) // size
    with h5py.File("floats", "w", driver="core", backing_store=False) as h:
        d = h5d.create(h.id, b"x", t, h5s.create_simple((n,)))
        d.write(h5s.ALL, h5s.ALL, np.frombuffer(raw, "u1"), mtype=t)
        out = np.empty(n, "<f8")
        d.read(h5s.ALL, h5s.ALL, out)
    return out.view("u8").tolist()


def main():
    rng = random.Random(5)
    out = []
    for f in FORMATS:
        name, size, sign, ea, es, ma, ms, bias, norm, arrow, exact = f
        xs = patterns(f, rng)
        want = [value(f, x) for x in xs]
        if exact and norm == IMPLIED:  # without, HDF5 differs from the x87 in denormal numbers
            got = by_hdf5(f, b"".join(x.to_bytes(size, "little") for x in xs), LE)
            for x, w, g in zip(xs, want, got):
                nan = lambda v: v & ~(1 << 63) > 0x7FF << 52
                top = name in FINITE and bits_of(x, ea, es) == (1 << es) - 1
                if w != g and not (nan(w) and nan(g)) and not top:
                    print("%s: %x is %x here, %x by HDF5" % (name, x, w, g), file=sys.stderr)
        out.append(dict(name=name, size=size, fields=[sign, ea, es, ma, ms], bias=bias, norm=norm, arrow=arrow, exact=exact,
                        bytes="".join(x.to_bytes(size, "little").hex() for x in xs), want=" ".join("%x" % w for w in want)))
    print("[\n" + ",\n".join(json.dumps(o) for o in out) + "\n]")


if __name__ == "__main__":
    main()
