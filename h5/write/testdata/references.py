"""Reads references of HDF5 1.12 with the library that h5py brings along: references.py FILE. h5py itself does not know them."""
import ctypes
import glob
import os
import sys

import h5py

where = os.path.join(os.path.dirname(os.path.dirname(h5py.__file__)), "h5py.libs", "libhdf5-*.so*")
lib = ctypes.CDLL(glob.glob(where)[0])
hid = ctypes.c_int64
std_ref = hid.in_dll(lib, "H5T_STD_REF_g")
for name in ("H5Ropen_region", "H5Sget_select_npoints"):
    getattr(lib, name).restype = hid


def check(status):
    assert status >= 0, status
    return status


def text(get, *args):
    b = ctypes.create_string_buffer(100)
    check(get(*args, b, ctypes.c_size_t(100)))
    return b.value.decode()


with h5py.File(sys.argv[1]) as f:
    refs = ((ctypes.c_ubyte * 64) * 5)()
    d = f["refs"]  # open while it is read
    check(lib.H5Dread(hid(d.id.id), std_ref, hid(0), hid(0), hid(0), refs))
    assert [lib.H5Rget_type(r) for r in refs[:4]] == [2, 3, 4, 2], [lib.H5Rget_type(r) for r in refs]
    for r in refs[:3]:
        assert text(lib.H5Rget_obj_name, r, hid(0)) == "/g/x"
    space = hid(check(lib.H5Ropen_region(refs[1], hid(0), hid(0))))
    first, last = (ctypes.c_uint64 * 1)(), (ctypes.c_uint64 * 1)()
    check(lib.H5Sget_select_bounds(space, first, last))
    assert (lib.H5Sget_select_npoints(space), first[0], last[0]) == (2, 1, 2), (first[0], last[0])
    assert text(lib.H5Rget_attr_name, refs[2]) == "unit"
    assert text(lib.H5Rget_file_name, refs[3]) == "far.h5"
    assert bytes(refs[4]) == bytes(64)
    assert f.id.links.get_info(b"own").type == 187
