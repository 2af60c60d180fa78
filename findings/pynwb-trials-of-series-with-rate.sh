#!/bin/sh
# A trial of pynwb refers to the samples of a time series within it. For a series with starting_time and rate, the numbers differ
# from those for the same series with timestamps: fewer samples by truncation, more than there are after its end, and negative
# numbers before its start. The file is written without a word; reading the data raises errors, or gives none.
#
# pynwb 4.2.0, hdmf 6.2.0. Prints versions and both; the status is 0 as long as they differ.
#
# usage: findings/pynwb-trials-of-series-with-rate.sh        needs Python 3.11 or later with venv, and PyPI; PYTHON names it
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install -q --disable-pip-version-check pynwb==4.2.0 hdmf==6.2.0
cd "$dir"
"$dir/venv/bin/python" -W ignore - <<'PY'
import datetime
import sys

import hdmf
import numpy as np
import pynwb
from pynwb import NWBFile, NWBHDF5IO, TimeSeries

print("pynwb", pynwb.__version__, "hdmf", hdmf.__version__)
f = NWBFile("d", "id", datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
series = [TimeSeries(name="rate", data=np.arange(100.0), unit="V", rate=10.0, starting_time=1.0),
          TimeSeries(name="timestamps", data=np.arange(100.0), unit="V", timestamps=1 + np.arange(100) / 10)]
for s in series:
    f.add_acquisition(s)
for start, stop in ((0.0, 0.5), (1.0, 2.0), (1.3, 1.4), (10.5, 12.0)):
    f.add_trial(start_time=start, stop_time=stop, timeseries=series)
with NWBHDF5IO("x.nwb", "w") as io:
    io.write(f)
differ = 0
with NWBHDF5IO("x.nwb", "r") as io:
    trials = io.read().trials
    for i in range(len(trials)):
        row = trials[i]
        seen = []
        for ref in row.timeseries.iloc[0]:
            try:
                seen.append("%d samples" % len(ref.data))
            except Exception as e:
                seen.append("%s: %s" % (type(e).__name__, e))
        print("from %g to %g s: by rate: %s; by timestamps: %s" % (row.start_time.iloc[0], row.stop_time.iloc[0], *seen))
        differ += seen[0] != seen[1]
sys.exit(0 if differ == 3 else 1)
PY
