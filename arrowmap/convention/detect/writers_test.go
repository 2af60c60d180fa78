package detect_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// written is files that real writers wrote, by the scripts beside them, and the tables in them, as in files. Files of several
// versions of a writer have the same tables. Tables at the paths after "+" are asked for, and not listed.
var written = []struct {
	names string
	also  string
	want  string
}{
	{"../biology/testdata/alabaster", "", `
alabaster /data_frame 4
  row_names: utf8 r1 | r2 | ü | 日
  n: int32 1 | null | -3 | 4
  full: int32 1 | 2 | 3 | 4
  masked: int32 10 | 20 | null | 40
  x: float64 1.5 | NaN | -2 | 0
  xm: float64 null | NaN | 2 | 3
  xl: float64 0.25 | null | 1 | 2
  flag: bool true | false | true | true
  flags: bool true | null | true | false
  truth: bool true | null | false | true
  s: utf8 é | null | NA | 
  f: dict<utf8, uint32, ordered=true> b | ä | null | b
`},
	{"../biology/testdata/biom", "", `
biom /observation 3
  ids: utf8 O1 | Oé | O3
  counts: list<struct<index: int32, value: float64>> [{"index":1,"value":1.5}] | [{"index":0,"value":3},{"index":1,"value":2}] | []
  conf: float64 0.9 | 0.5 | NaN
  metadata/ids: utf8 i | j | k
  taxonomy: list<utf8> ["k__A","","p__B"] | ["k__ü"] | []
biom /sample 2
  ids: utf8 S1 | S2
  counts: list<struct<index: int32, value: float64>> [{"index":1,"value":3}] | [{"index":0,"value":1.5},{"index":1,"value":2}]
  a/b: utf8 x | y
  n: int64 1 | 2
  ok: bool true | false
`},
	{"../biology/testdata/cooler", "", `
cooler /bins 5
  chrom: dict<utf8, int32, ordered=false> chr1 | chr1 | chr1 | chr2 | chr2
  start: int32 0 | 10 | 20 | 0 | 10
  end: int32 10 | 20 | 25 | 10 | 15
  weight: float64 1 | NaN | 0.5 | 2 | 3
cooler /chroms 2
  name: utf8 chr1 | chr2
  length: int32 25 | 15
cooler /many/bins 5
  chrom: dict<utf8, int32, ordered=false> n...0 | n...0 | n...1 | n...1 | n...2
  start: int32 0 | 10 | 20 | 0 | 10
  end: int32 10 | 20 | 25 | 10 | 15
cooler /many/chroms 3
  name: utf8 n...0 | n...1 | n...2
  length: int32 20 | 10 | 15
cooler /many/pixels 4
  bin1_id: int64 0 | 0 | 1 | 4
  bin2_id: int64 0 | 2 | 3 | 4
  count: int32 3 | 1 | 2 | 7
cooler /pixels 4
  bin1_id: int64 0 | 0 | 1 | 4
  bin2_id: int64 0 | 2 | 3 | 4
  count: int32 3 | 1 | 2 | 7
  aaa: float32 0.5 | 1 | 2 | 3
`},
	{"../biology/testdata/awkward", "/obsm/rec /obsm/text", `
anndata /X 3
  X: list<struct<index: int32, value: float32>> [{"index":1,"value":1}] | [{"index":0,"value":2}] | []
anndata /layers/c 2
  c: list<struct<index: int32, value: float32>> [{"index":1,"value":2}] | [{"index":0,"value":1},{"index":2,"value":3}]
anndata /obs 3
  _index: utf8 a | b | c
anndata /obsm 3
  bits: int64 1 | null | 3
  bitsmsb: int64 null | 2 | null
  bool: large_list<bool> [true] | [] | [false,true]
  bytes: large_binary YWI= |  | /w==
  bytesmask: int64 1 | null | 3
  cat: dict<large_utf8, int64, ordered=false> x | y | x
  catopt: dict<large_utf8, int64, ordered=false> x | null | x
  deep: large_list<large_list<int64>> [[1],[2,3]] | [] | [[]]
  empty: large_list<null> [] | [] | []
  lists: large_list<float64> [1,2] | [] | [3]
  none: null (null) | (null) | (null)
  opt: int64 1 | null | 3
  optlist: large_list<int64> [1,null] | null | [null]
  optrec: struct<a: int64, b: large_list<bool>> {"a":1,"b":[true]} | null | {"a":3,"b":[]}
  opttext: large_utf8 x | null | é
  rec: struct<a: int64, b: large_list<int64>, c: struct<d: large_utf8>> {"a":1,"b":[1,2],"c":{"d":"x"}} | {"a":2,"b":[],"c":{"d":""}} | {"a":3,"b":[5],"c":{"d":"ü"}}
  reclist: large_list<struct<x: int64, y: large_utf8>> [{"x":1,"y":null}] | [] | [{"x":2,"y":"z"},{"x":3,"y":"w"}]
  regular: fsl<fsl<int64>[2]>[2] [[1,2],[3,4]] | [[5,6],[7,8]] | [[9,10],[11,12]]
  text: large_utf8 a |  | zz
  tuple: struct<0: int64, 1: large_utf8> {"0":1,"1":"x"} | {"0":2,"1":"y"} | {"0":3,"1":"z"}
  union: unsupported
  unmasked: int64 1 | 2 | 3
anndata /uns 2
  two: large_list<int64> [1] | [2,3]
anndata /var 2
  _index: utf8 g1 | g2
anndata /obsm/rec 3
  rec: struct<a: int64, b: large_list<int64>, c: struct<d: large_utf8>> {"a":1,"b":[1,2],"c":{"d":"x"}} | {"a":2,"b":[],"c":{"d":""}} | {"a":3,"b":[5],"c":{"d":"ü"}}
anndata /obsm/text 3
  text: large_utf8 a |  | zz
`},
	{"../astropy/testdata/tables", "", `
astropy /masks 3
  é: int64 1 | null | 3
  日本: int64 1 | null | 3
  plain: int64 1 | null | 3
  a: b, {c} #: int64 1 | null | 3
  it's "q": int64 1 | null | 3
  null: int64 1 | null | 3
  - x: int64 1 | null | 3
  nd: fsl<int64>[2] [0,null] | [2,3] | [null,5]
  text: utf8 a | é | null
astropy /times 3
  utc: timestamp[ns] 2016-12-31T23:59:59.25 | 2017-01-01T00:00:00.5 | 2030-06-01T12:00:00.123456789
  tai: timestamp[ns] 1700-01-01T00:00:00.000000001 | 1969-12-31T23:59:59.5 | 2250-01-01T00:00:00
  m: timestamp[ns] 2024-01-01T00:00:00 | null | 2026-01-01T00:00:00
  mjd: fsl<timestamp[ns]>[2] ["1995-10-10T12:00:00","1995-10-11T00:00:00"] | ["1995-10-12T00:00:00","1995-10-13T00:00:00"] | ["1858-11-17T00:00:00","1970-01-01T00:00:00"]
  d: duration[ns] 1000000000ns | -500000000ns | 864000000000000000ns
  q: float64 1 | 2 | 3
astropy /users 3
  a: int64 1 | 2 | 3
  a.mask: bool true | false | false
  b: int64 1 | null | 3
  c.jd1: float64 1 | 2 | 3
  c.jd2: float64 0.5 | 0 | 0
`},
	{"../vaex/testdata/frame", "", `
vaex /table 3
  i: int32 1 | -2 | 3
  big: int64 1 | 2 | 3
  f: float64 0.5 | NaN | 1.5
  ok: bool true | false | true
  masked: int64 1 | null | 3
  text: utf8 a | null | é
  plain: utf8 x |  | zz
  t: timestamp[ns] 2024-01-01T00:00:00 | null | 1969-12-31T00:00:00
  d: duration[ns] 1000000000ns | 2000000000ns | 3000000000ns
  nd: fsl<float64>[2] [0,1] | [2,3] | [4,5]
  cat: dict<utf8, int64, ordered=false> lo | hi | lo
`},
	{"../biology/testdata/obs", "", `
anndata /X 3
  X: fsl<float32>[2] [1,2] | [3,4] | [5,6]
anndata /obs 3
  _index: utf8 c1 | c2 | ü
  i: int64 1 | 2 | 3
  f: float64 0.5 | NaN | -1.5
  ok: bool true | false | true
  text: utf8 a | é | 
  cat: dict<utf8, int8, ordered=false> u | null | v
  ordered: dict<utf8, int8, ordered=true> lo | hi | lo
  flags: bool true | null | false
  n: int64 1152921504606846976 | null | -5
  numbers: dict<int64, int8, ordered=false> 3 | 1 | 3
anndata /obsm 3
  pca: fsl<float64>[2] [0.5,1] | [1.5,2] | [2.5,3]
anndata /obsm/frame 3
  _index: utf8 c1 | c2 | ü
  i: int64 1 | 2 | 3
anndata /var 2
  _index: utf8 g1 | g2
  g: int64 1 | 2
`},
	{"../biology/testdata/loom", "", `
loom /col_attrs 3
  CellID: utf8 a | b | c
  xy: fsl<float64>[2] [0,1] | [2,3] | [4,5]
loom /layers 2
  raw: fsl<int16>[3] [0,2,0] | [4,0,6]
loom /matrix 2
  matrix: fsl<float32>[3] [1,2,3] | [4,5,6]
loom /row_attrs 2
  Gene: utf8 g1 | g2
  n: int64 1 | 2
`},
	{"../biology/testdata/nix", "", `
nix /data/b/data_arrays/voltage 4
  time: float64 10 | 10.5 | 11 | 11.5
  data: float64 2.25 | 0.5 | 2.75 | 9
nix /data/b/data_arrays/matrix 3
  position: float64 0.5 | 1.5 | 4
  data: fsl<float64>[2] [1,11] | [21,31] | [41,51]
nix /data/b/data_arrays/origin 3
  data: float64 1 | NaN | -2.5
nix /data/b/data_arrays/plain 2
  position: float64 0 | 2
  data: uint64 7 | 9223372036854775808
nix /data/b/data_arrays/short ticks 3
  data: int64 1 | 2 | 3
nix /data/b/data_arrays/texts 3
  data: utf8 a |  | é
nix /data/b/data_arrays/flags 3
  data: bool true | false | true
nix /data/b/data_arrays/none 0
  position: float64 
  data: float64 
nix /data/b/data_arrays/spikes 3
  data: float64 0.25 | 1 | 7.5
nix /data/b/data_arrays/extents 3
  data: float64 0.5 | 0.5 | 1
nix /data/b/tags/tag 2
  position: float64 1 | 0
  extent: float64 2 | 1
  units: utf8 s | none
nix /data/b/multi_tags/spike tag 3
  positions: float64 0.25 | 1 | 7.5
  extents: float64 0.5 | 0.5 | 1
  matrix: fsl<float64>[2] [1,11] | [21,31] | [41,51]
`},
	{"../biology/testdata/frames", "", `
nix /data/b/data_frames/frame 3
  n: int64 1 | 2 | 3
  name: utf8 a | é | 
  x: float64 0.5 | NaN | 2.5
  ok: bool true | false | true
nix /data/b/data_arrays/words 3
  label: utf8 x | y | ü
  data: int64 1 | 2 | 3
nix /data/b/data_arrays/times 3
  data: fsl<float64>[2] [0,1] | [2,3] | [4,5]
nix /data/b/data_arrays/linked 3
  when: float64 1 | 3 | 5
  data: int32 4 | 5 | 6
nix /data/b/data_arrays/framed 3
  x: float64 0.5 | NaN | 2.5
  data: int32 4 | 5 | 6
`},
	{"../physics/testdata/openpmd", "", `
openpmd /data/5/particles/constants 4
  charge: int64 3 | 3 | 3 | 3
  position_x: float64 0.25 | 0.25 | 0.25 | 0.25
  weighting: uint16 65535 | 65535 | 65535 | 65535
openpmd /data/5/particles/e 3
  charge: float32 -1.5 | -1.5 | -1.5
  id: uint64 7 | 9223372036854775808 | 9
  kind: int8 -7 | -7 | -7
  level: int64 -3 | -3 | -3
  mass: uint64 9223372036854775809 | 9223372036854775809 | 9223372036854775809
  position_x: float32 1 | 2 | 3
  position_y: float64 4 | 5 | 6
  positionOffset_x: float64 0.5 | 0.5 | 0.5
  spin: struct<r: float32, i: float32> {"i":2,"r":1} | {"i":2,"r":1} | {"i":2,"r":1}
openpmd /data/5/particles/nothing 0
  id: uint64 
  position_x: float32
`},
	{"../physics/testdata/axes", "", `
nexus /entry/cube 2
  a: int64 1 | 2
  z: fsl<fsl<int16>[2]>[2] [[0,1],[2,3]] | [[4,5],[6,7]]
nexus /entry/det 3
  data: fsl<float64>[2] [1,null] | [3,4] | [null,null]
  t: int64 1 | 2 | 3
nexus /entry/edges 3
  h: int64 1 | 2 | 3
nexus /entry/indices 2
  counts: fsl<int64>[2] [0,1] | [2,3]
  y: int64 3 | 4
nexus /entry/log 2
  time: float64 0 | 1.5
  value: int64 1 | null
nexus /entry/old 2
  counts: fsl<int64>[2] [0,1] | [2,3]
  y: int64 3 | 4
`},
	{"../physics/testdata/nxtomo", "", `
nexus /entry/data 5
  data: fsl<fsl<uint16>[2]>[2] [[0,1],[2,3]] | [[4,5],[6,7]] | [[8,9],[10,11]] | [[12,13],[14,15]] | [[16,17],[18,19]]
  image_key: int64 1 | 2 | 0 | 0 | 0
  image_key_control: int64 1 | 2 | 0 | 0 | 0
  rotation_angle: float32 0 | 0 | 0 | 90 | 180
nexus /entry/instrument/detector 5
  data: fsl<fsl<uint16>[2]>[2] [[0,1],[2,3]] | [[4,5],[6,7]] | [[8,9],[10,11]] | [[12,13],[14,15]] | [[16,17],[18,19]]
  count_time: float64 0.5 | 0.5 | 0.5 | 0.5 | 0.5
  image_key: int64 1 | 2 | 0 | 0 | 0
  image_key_control: int64 1 | 2 | 0 | 0 | 0
group /entry/sample 5
  rotation_angle: float32 0 | 0 | 0 | 90 | 180
`},
	{"../physics/testdata/h5md", "", `
h5md /observables/pressure 3
  step: int64 100 | 110 | 120
  time: float64 10 | 10.25 | 10.5
  value: float64 300 | 301 | 302
h5md /observables/temperature 3
  step: int64 0 | 10 | 20
  time: float64 0 | 0.25 | 0.5
  value: float64 300 | 301 | 302
group /particles/atoms 2
  mass: float64 1 | 16
group /particles/atoms/box 3
  edges: float64 1 | 1 | 1
h5md /particles/atoms/position 3
  step: int64 0 | 10 | 20
  time: float64 0 | 0.5 | 1
  value: fsl<fsl<float64>[3]>[2] [[0,0,0],[0,0,0]] | [[1,1,1],[1,1,1]] | [[2,2,2],[2,2,2]]
`},
	{"../snirf/testdata/run", "/nirs/data2/measurementList /nirs/stim1 /nirs/probe/wavelengths", `
snirf /nirs/aux1 4
  time: float64 0 | 0.25 | 0.5 | 0.75
  dataTimeSeries: fsl<float64>[1] [0] | [1] | [2] | [3]
snirf /nirs/data1 3
  time: float64 0 | 0.5 | 1.25
  dataTimeSeries: fsl<float64>[12] [0,1,2,3,4,5,6,7,8,9,10,11] | [12,13,14,15,16,17,18,19,20,21,22,23] | [24,25,26,27,28,29,30,31,32,33,34,35]
snirf /nirs/data1/measurementList 12
  measurement: int64 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12
  dataType: int64 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999
  dataTypeIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1
  dataTypeLabel: utf8 HbO | null | HbO | null | HbO | null | HbO | null | HbO | null | HbO | null
  detectorIndex: int64 1 | 2 | 3 | 4 | 5 | 6 | 1 | 2 | 3 | 4 | 5 | 6
  sourceIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 2 | 2 | 2 | 2 | 2 | 2
  sourcePower: float64 0 | null | 1 | null | 2 | null | 3 | null | 4 | null | 5 | null
  wavelengthIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1
snirf /nirs/data2 3
  time: float64 10 | 10.25 | 10.5
  dataTimeSeries: fsl<float64>[12] [0,1,2,3,4,5,6,7,8,9,10,11] | [12,13,14,15,16,17,18,19,20,21,22,23] | [24,25,26,27,28,29,30,31,32,33,34,35]
snirf /nirs/data2/measurementList 12
  measurement: int64 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12
  dataType: int64 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999
  dataTypeIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1
  dataTypeLabel: utf8 HbO | null | HbO | null | HbO | null | HbO | null | HbO | null | HbO | null
  detectorIndex: int64 1 | 2 | 3 | 4 | 5 | 6 | 1 | 2 | 3 | 4 | 5 | 6
  sourceIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 2 | 2 | 2 | 2 | 2 | 2
  sourcePower: float64 0 | null | 1 | null | 2 | null | 3 | null | 4 | null | 5 | null
  wavelengthIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1
snirf /nirs/probe/detector 2
  detectorLabels: utf8 D1 | D2
  detectorPos2D: fsl<float64>[2] [1,0] | [2,0]
snirf /nirs/probe/landmark 2
  landmarkLabels: utf8 Nz | Cz
  landmarkPos3D: fsl<float64>[4] [0,0,0,1] | [1,1,1,2]
snirf /nirs/probe/source 2
  sourceLabels: utf8 S1 | S2
  sourcePos2D: fsl<float64>[2] [0,0] | [5,0]
snirf /nirs/probe/wavelengths 2
  wavelengths: float64 690 | 830
snirf /nirs/stim1 3
  name: utf8 tap | tap | tap
  starttime: float64 1 | 8 | 9
  duration: float64 2 | 2 | 1
  value: float64 1 | 0.5 | 2
snirf /nirs/stim2 1
  name: utf8 loud
  onset: float64 4
  length: float64 1
  amplitude: float64 1
  trial: float64 7
snirf /nirs/stim3 0
  name: utf8 
  starttime: float64 
  duration: float64 
  value: float64 
snirf /nirs/stim4 3
  name: utf8 square | square | square
  t: float64 1 | 4 | 7
  dt: float64 2 | 5 | 8
  v: float64 3 | 6 | 9
snirf /nirs/data2/measurementList 12
  measurement: int64 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12
  dataType: int64 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999 | 99999
  dataTypeIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1
  dataTypeLabel: utf8 HbO | null | HbO | null | HbO | null | HbO | null | HbO | null | HbO | null
  detectorIndex: int64 1 | 2 | 3 | 4 | 5 | 6 | 1 | 2 | 3 | 4 | 5 | 6
  sourceIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 2 | 2 | 2 | 2 | 2 | 2
  sourcePower: float64 0 | null | 1 | null | 2 | null | 3 | null | 4 | null | 5 | null
  wavelengthIndex: int64 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1
snirf /nirs/stim1 3
  name: utf8 tap | tap | tap
  starttime: float64 1 | 8 | 9
  duration: float64 2 | 2 | 1
  value: float64 1 | 0.5 | 2
snirf /nirs/probe/wavelengths 2
  wavelengths: float64 690 | 830
`},
	{"../lh5/testdata/table", "/g/t/wf /g/t/rr", `
lh5 /g/one 2
  a: bool true | false
  b: large_list<int64> [1] | []
lh5 /g/t 3
  e: float64 1 | 2 | 3
  fs: fsl<uint16>[2] [0,1] | [2,3] | [4,5]
  ok: bool true | false | true
  r: large_list<float64> [1,2] | [] | [3]
  rb: large_list<bool> [true] | [] | [false,true]
  rr: large_list<large_list<int64>> [[1],[2,3]] | [] | [[4]]
  sub: struct<a: int64, v: large_list<int64>> {"a":1,"v":[1]} | {"a":2,"v":[2]} | {"a":3,"v":[]}
  wf: struct<dt: float32, t0: float64, values: fsl<uint16>[2]> {"dt":16,"t0":0,"values":[0,1]} | {"dt":16,"t0":1,"values":[2,3]} | {"dt":16,"t0":2,"values":[4,5]}
lh5 /g/t/wf 3
  dt: float32 16 | 16 | 16
  t0: float64 0 | 1 | 2
  values: fsl<uint16>[2] [0,1] | [2,3] | [4,5]
lh5 /g/t/rr 3
  rr: large_list<large_list<int64>> [[1],[2,3]] | [] | [[4]]
`},
}

// TestWritten compares the tables of what real writers wrote.
func TestWritten(t *testing.T) {
	for _, c := range written {
		found, err := filepath.Glob(c.names + "*.gz")
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", c.names, len(found), err)
		}
		for _, name := range found {
			t.Run(filepath.Base(name), func(t *testing.T) {
				h5test.Leaks(t)
				path := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(name), ".gz"))
				if err := os.WriteFile(path, h5test.Unpacked(t, name), 0o600); err != nil {
					t.Fatal(err)
				}
				f, err := arrowmap.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				tables, err := f.Tables()
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range strings.Fields(c.also) {
					table, err := f.Table(p)
					if err != nil {
						t.Fatal(err)
					}
					tables = append(tables, table)
				}
				var b strings.Builder
				for _, table := range tables {
					b.WriteString(dump(t, table))
				}
				got := strings.ReplaceAll(b.String(), strings.Repeat("n", 30000), "n...")
				if strings.TrimSpace(got) != strings.TrimSpace(c.want) {
					t.Errorf("tables are\n%s\nwant\n%s", got, c.want)
				}
			})
		}
	}
}

// TestWrittenUnits looks for the units of columns.
func TestWrittenUnits(t *testing.T) {
	for _, c := range []struct{ file, table, column, want string }{
		{"nix", "/data/b/data_arrays/voltage", "data", "mV"},
		{"nix", "/data/b/data_arrays/voltage", "time", "s"},
		{"nix", "/data/b/data_arrays/matrix", "position", "ms"},
		{"nix", "/data/b/data_arrays/plain", "data", ""},
		{"nix", "/data/b/multi_tags/spike tag", "extents", "s"},
		{"frames", "/data/b/data_frames/frame", "x", "mV"},
		{"frames", "/data/b/data_frames/frame", "n", ""},
		{"frames", "/data/b/data_arrays/linked", "when", "s"},
		{"frames", "/data/b/data_arrays/framed", "x", "mV"},
	} {
		for _, version := range []string{"", "_old"} {
			b := h5test.Unpacked(t, "../biology/testdata/"+c.file+version+".h5.gz")
			f, err := arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(b), int64(len(b)), c.file))
			if err != nil {
				t.Fatal(err)
			}
			table, err := f.Table(c.table)
			if err != nil {
				t.Fatal(err)
			}
			fields, _ := table.Schema().FieldsByName(c.column)
			if len(fields) != 1 {
				t.Fatalf("%s: %s: %d columns %s", c.file, c.table, len(fields), c.column)
			}
			if got, _ := fields[0].Metadata.GetValue("unit"); got != c.want {
				t.Errorf("%s%s: %s %s: unit %q, want %q", c.file, version, c.table, c.column, got, c.want)
			}
			f.Close()
		}
	}
}

// TestWrittenDamage reads the same files with some of their bytes changed.
func TestWrittenDamage(t *testing.T) {
	for _, c := range written {
		found, err := filepath.Glob(c.names + "*.gz")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			if strings.Contains(name, "_old.") {
				continue // another version of the same
			}
			whole := h5test.Unpacked(t, name)
			tabletest.Damage(t, name, whole)
		}
	}
}

// FuzzWritten reads the same files with bytes changed by the fuzzer: no panic, and no errors of other types.
func FuzzWritten(f *testing.F) {
	var whole [][]byte
	for _, c := range written {
		found, err := filepath.Glob(c.names + "*.gz")
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range found {
			f.Add(len(whole), uint32(0), []byte(nil))
			whole = append(whole, h5test.Unpacked(f, name))
		}
	}
	f.Fuzz(func(t *testing.T, n int, at uint32, change []byte) {
		data := bytes.Clone(whole[uint(n)%uint(len(whole))])
		copy(data[uint64(at)%uint64(len(data)):], change)
		if err := tabletest.Survives(data); err != nil {
			t.Error(err)
		}
	})
}
