"""Writes NIX files by nixio: arrays with polynomials and axes, and tags; or what nixio has since 1.5: frames with units, labels
of sets, axes in other arrays and frames.

    python make_nix.py nix.h5
    python make_nix.py frames.h5

Run with nixio 1.5.4, h5py 3.16.0 for nix.h5 and frames.h5, with nixio 1.4.9, h5py 3.8.0 for nix_old.h5, and with nixio 1.5.0,
h5py 3.8.0 for frames_old.h5. All are compressed by gzip -9n.
"""
import sys

import nixio
import numpy as np

f = nixio.File.open(sys.argv[1], nixio.FileMode.Overwrite)
b = f.create_block("b", "session")


def array(name, values, unit=None, label=None, coefficients=None, origin=None):
    a = b.create_data_array(name, "t", data=values)
    a.unit, a.label = unit, label
    if coefficients:
        a.polynom_coefficients = coefficients
    if origin is not None:
        a.expansion_origin = origin
    return a


def arrays():
    v = array("voltage", np.array([0, 1, 2, 3], "i2"), "mV", "voltage", [0.5, 0.25, 2.0], 1.0)
    d = v.append_sampled_dimension(0.5)
    d.unit, d.label, d.offset = "s", "time", 10.0
    m = array("matrix", np.arange(6, dtype="u1").reshape(3, 2), "pA", None, [1.0, 10.0])
    m.append_range_dimension([0.5, 1.5, 4.0]).unit = "ms"
    m.append_set_dimension()
    array("origin", np.array([1.5, np.nan, -2.0], "f4"), None, None, None, 0.5).append_set_dimension()
    array("plain", np.array([7, 2**63], "u8")).append_sampled_dimension(2)
    array("short ticks", np.array([1, 2, 3], "i8")).append_range_dimension([0.5, 1.5])
    b.create_data_array("texts", "t", dtype=nixio.DataType.String, data=["a", "", "é"])
    array("flags", np.array([True, False, True]))
    array("none", np.zeros((0,), "f8"), None, None, [1.0, 2.0]).append_sampled_dimension(0.1)
    spikes = array("spikes", np.array([0.25, 1.0, 7.5]), "s", "spike time")
    if hasattr(spikes, "append_alias_range_dimension"):
        spikes.append_alias_range_dimension()
    else:
        spikes.append_range_dimension_using_self()
    t = b.create_tag("tag", "t", [1.0, 0.0])
    t.extent, t.units = [2.0, 1.0], ["s", "none"]
    t.references.append(v)
    many = b.create_multi_tag("spike tag", "t", spikes)
    many.extents = array("extents", np.array([0.5, 0.5, 1.0]), "s")
    many.units = ["s"]
    many.references.append(v)
    many.create_feature(m, nixio.LinkType.Indexed)
    many.create_feature(v, nixio.LinkType.Untagged)
    g = b.create_group("together", "t")
    g.data_arrays.append(v)


def frames():
    frame = b.create_data_frame("frame", "t", col_names=["n", "name", "x", "ok"], col_dtypes=[np.dtype("i8"), str, np.dtype("f8"), bool],
                                data=[(1, "a", 0.5, True), (2, "é", np.nan, False), (3, "", 2.5, True)])
    frame.units = ["", "", "mV", ""]
    array("words", np.array([1, 2, 3], "i8")).append_set_dimension().labels = ["x", "y", "ü"]
    times = array("times", np.array([[0, 1], [2, 3], [4, 5]], "f8"), "s", "when")
    array("linked", np.array([4, 5, 6], "i4")).append_range_dimension().link_data_array(times, [-1, 1])
    array("framed", np.array([4, 5, 6], "i4")).append_range_dimension().link_data_frame(frame, 2)


frames() if "frames" in sys.argv[1] else arrays()
f.close()
