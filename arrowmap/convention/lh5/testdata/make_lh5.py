"""A table of LH5.

    python make_lh5.py NAME.lh5.gz    # table.lh5.gz by legend-pydataobj 2.0.3 with legend-lh5io 0.3.0, table_old.lh5.gz by 1.11.13
"""

import gzip
import os
import sys
import tempfile

import numpy as np
from lgdo import Array, ArrayOfEqualSizedArrays, Scalar, Struct, Table, VectorOfVectors, WaveformTable

try:
    import lh5
except ImportError:
    from lgdo import lh5

t = Table(size=3)
t.add_field("e", Array(np.array([1.0, 2, 3]), attrs={"units": "keV"}))
t.add_field("ok", Array(np.array([True, False, True])))
t.add_field("r", VectorOfVectors([[1.0, 2.0], [], [3.0]], attrs={"units": "ns"}))
t.add_field("rr", VectorOfVectors([[[1], [2, 3]], [], [[4]]]))
t.add_field("rb", VectorOfVectors([[True], [], [False, True]]))
t.add_field("fs", ArrayOfEqualSizedArrays(nda=np.arange(6, dtype="u2").reshape(3, 2)))
t.add_field("wf", WaveformTable(t0=np.array([0.0, 1, 2]), t0_units="ns", dt=16.0, dt_units="ns", values=np.arange(6, dtype="u2").reshape(3, 2)))
t.add_field("sub", Table(col_dict={"a": Array(np.array([1, 2, 3])), "v": VectorOfVectors([[1], [2], []])}))
s = Struct({"t": t, "x": Scalar(1.5), "one": Struct({"a": Array(np.array([True, False])), "b": VectorOfVectors([[1], []])})})
dir = tempfile.mkdtemp()
lh5.write(s, "g", os.path.join(dir, "x.lh5"), wo_mode="overwrite_file")
with open(os.path.join(dir, "x.lh5"), "rb") as f, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), sys.argv[1]), "wb") as z:
    z.write(gzip.compress(f.read(), 9, mtime=0))
