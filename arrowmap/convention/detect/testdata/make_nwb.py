"""Writes NWB files: series by links and rates, external images, channels as many as rows, and enumerated columns.

    python make_nwb.py nwb.h5

Run with pynwb 4.2.0, hdmf 6.2.0, h5py 3.16.0 for nwb.h5, and with pynwb 2.8.3, hdmf 3.14.6, h5py 3.16.0 for nwb_old.h5.
"""
import datetime
import sys

import numpy as np
from hdmf.common import DynamicTable
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.image import ImageSeries

nwb = NWBFile("s", "id", datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc))
a = TimeSeries(name="a", data=np.array([1, 2, 3], "i2"), unit="V", timestamps=[0.0, 0.1, 0.2], control=np.array([0, 1, 0], "u1"), control_description=["off", "on"])
for ts in (a, TimeSeries(name="tlink", data=[9.0, 8.0, 7.0], unit="V", timestamps=a),
           TimeSeries(name="both", data=a, unit="V", timestamps=a), TimeSeries(name="drate", data=a, unit="V", rate=2.0, starting_time=0.5),
           TimeSeries(name="still", data=[5], unit="V", rate=0.0, starting_time=1.5)):
    nwb.add_acquisition(ts)
group = nwb.create_electrode_group("shank", "d", "l", nwb.create_device("probe"))
for _ in range(3):
    nwb.add_electrode(location="CA1", group=group)
nwb.add_acquisition(ElectricalSeries(name="square", data=np.arange(9, dtype="f4").reshape(3, 3), rate=4.0, channel_conversion=[1.0, 2.0, 3.0],
                                     electrodes=nwb.create_electrode_table_region([0, 1, 2], "all")))
nwb.add_acquisition(ImageSeries(name="camera", external_file=["video.avi"], format="external", starting_frame=[0], timestamps=[0.0, 0.5], unit="n"))
table = DynamicTable(name="enum", description="d", id=[0, 1, 2, 3])
table.add_column(name="state", description="d", data=np.array([2, 0, 1, 1], "u1"), enum=["rest", "läuft", "sleep"])
nwb.add_scratch(table)
with NWBHDF5IO(sys.argv[1], "w") as io:
    io.write(nwb, cache_spec=False)
