"""Writes SNIRF files: recordings with stored times and with a step, conditions with and without labels, 12 channels, a probe.

    python make_snirf.py run.snirf

Run with snirf 0.8.0, h5py 3.16.0; then gzip -9n. snirf 0.7.4 with h5py 3.11.0 writes the same bytes.
"""
import os
import sys

import numpy as np
from snirf import Snirf

path = sys.argv[1]
if os.path.exists(path):
    os.remove(path)
s = Snirf(path, "w")
s.formatVersion = "1.1"
s.nirs.appendGroup()
run = s.nirs[0]
tags = run.metaDataTags
tags.SubjectID, tags.MeasurementDate, tags.MeasurementTime = "s1", "2026-01-02", "03:04:05Z"
tags.LengthUnit, tags.TimeUnit, tags.FrequencyUnit = "mm", "s", "Hz"
for times in ([0.0, 0.5, 1.25], [10.0, 0.25]):  # the second: start and step
    run.data.appendGroup()
    data = run.data[-1]
    data.dataTimeSeries = np.arange(36.0).reshape(3, 12)
    data.time = np.array(times)
    for i in range(12):
        data.measurementList.appendGroup()
        m = data.measurementList[-1]
        m.sourceIndex, m.detectorIndex, m.wavelengthIndex, m.dataType, m.dataTypeIndex = i // 6 + 1, i % 6 + 1, 1, 99999, 1
        if i % 2 == 0:
            m.dataTypeLabel, m.sourcePower = "HbO", 0.5 * i
for name, events, labels in (("tap", [[1.0, 2.0, 1.0], [8.0, 2.0, 0.5], [9.0, 1.0, 2.0]], None),
                             ("loud", [[4.0, 1.0, 1.0, 7.0]], ["onset", "length", "amplitude", "trial"]),
                             ("none", np.zeros((0, 0)), None),
                             ("square", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], ["t", "dt", "v"])):
    run.stim.appendGroup()
    stim = run.stim[-1]
    stim.name, stim.data = name, np.array(events)
    if labels:
        stim.dataLabels = labels
run.aux.appendGroup()
aux = run.aux[0]
aux.name, aux.dataUnit = "acc", "g"
aux.dataTimeSeries, aux.time = np.arange(4.0)[:, None], np.arange(4) / 4
probe = run.probe
probe.wavelengths = np.array([690.0, 830.0])
probe.sourcePos2D, probe.sourceLabels = np.array([[0.0, 0.0], [5.0, 0.0]]), ["S1", "S2"]
probe.detectorPos2D = np.array([[1.0, 0.0], [2.0, 0.0]])
probe.detectorLabels = ["D1", "D2"]
probe.landmarkPos3D, probe.landmarkLabels = np.array([[0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 2.0]]), ["Nz", "Cz"]
s.save(path)
s.close()
