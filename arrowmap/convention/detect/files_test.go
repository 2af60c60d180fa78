package detect_test

// files is what the programs in testdata write, and the tables in it: convention, path, number of rows, and for each column its name,
// type and values. What can't be read has the kind of its error. "as FILE" is what an older version of a writer wrote.
var files = joined(rFiles, moreFiles, map[string]string{
	"dumps_hickle_old.hkl.gz":   "as dumps_hickle.hkl.gz",
	"dumps_h5io_old.h5.gz":      "as dumps_h5io.h5.gz",
	"h5wasm_old.h5":             "as h5wasm.h5",
	"compound_old.h5.gz":        "as compound.h5.gz",
	"hicmatrix_old.h5.gz":       "as hicmatrix.h5.gz",
	"mdtraj_old.h5.gz":          "as mdtraj.h5.gz",
	"swift_old.h5.gz":           "as swift.h5.gz",
	"nexus_masked_old.h5.gz":    "as nexus_masked.h5",
	"hdf5storage_old.h5.gz":     "as hdf5storage.h5",
	"pytables_arrays_old.h5.gz": "as pytables_arrays.h5",
	"imported.h5": `
vaex /table 3
  n: int8 1 | null | 3
  l: list<float64> [1.5,2.5] | null | [3.5]
  s: struct<a/b: int64> {"a/b":null} | {"a/b":8} | {"a/b":9}
  b: binary /w== |  | AA==
  d: decimal(10, 2) 1.5 | 0 | -0.05
  z: null (null) | (null) | (null)
  e: fsl<int16>[2] [0,1] | [2,3] | [4,5]
`,
	"plain.h5": `
plain /plain 3
  x: float64 1.5 | null | 2.5
  a/b: utf8 a | null | c
  k: dict<utf8, int8, ordered=false> yes | no | yes
`,
	"amuse.h5": `
amuse /particles/0000000001 2
  mass: float64 0.5 | 1.5
  x: float64 1 | 2
  keys: uint64 11 | 12
`,
	"arkouda.h5": `
arkouda / 3
  kind: dict<large_utf8, int64, ordered=false> blue | null | red
  lists: large_list<float64> [1.5,2.5] | [] | [3.5]
  n: int64 1 | 2 | 3
  ok: bool true | false | true
  s: large_utf8 one |  | three
`,
	"arkouda_uneven.h5": `
arkouda /a 2
  a: int64 1 | 2
arkouda /b 1
  b: large_utf8 x
`,
	"astropy.h5": `
astropy /t 2
  a: int64 1 | null
  flux: float32 0.5 | 1.5
  v: fsl<int16>[2] [1,null] | [null,4]
  name: utf8 x | yy
`,
	"gadget.h5": `
gadget /PartType1 2
  x: float32 1 | 4
  y: float32 2 | 5
  z: float32 3 | 6
  ParticleIDs: uint64 7 | 8
  Tidal: fsl<fsl<float32>[2]>[2] [[0,1],[2,3]] | [[4,5],[6,7]]
  vx: float64 -1 | -4
  vy: float64 -2 | -5
  vz: float64 -3 | -6
`,
	"gwosc.h5": `
gwosc /quality/injections 2
  Injmask: uint32 23 | 16
  NO_CBC_HW_INJ: bool true | false
gwosc /quality/simple 3
  DQmask: uint32 127 | 5 | 0
  DATA: bool true | true | false
  CBC_CAT1: bool true | false | false
  BURST_CAT1: bool true | true | false
gwosc /strain 3
  Strain: float64 1e-21 | NaN | 3e-21
`,
	"hdf5storage.h5": `
hdf5storage /frame 3
  name: utf8 ab |  | h😀é
  ok: bool true | false | true
  one: utf8 ab | c | 
  pair: fsl<utf8>[2] ["ab","c"] | ["d","efg"] | ["h",""]
  raw: utf8 ab | c | def
  x: float64 1.5 | 2.5 | 3.5
hdf5storage /mixed/empty 1
  empty: utf8 
hdf5storage /mixed/list 0
  list: unsupported
hdf5storage /mixed/scalar 1
  scalar: int64 5
hdf5storage /mixed/text 1
  text: utf8 hello 😀
hdf5storage /mixed/x 2
  x: int64 1 | 2
compound /record 2
  p: int32 1 | 3
  q: float64 2.5 | 4.5
`,
	"h5wasm.h5": `
group /g 4
  code: utf8 ab | ż |  | a b
  long: utf8 a text that is longer |  | x |  y
  n: int32 1 | 2 | 3 | 4
`,
	"hdfeos.h5": `
hdfeos /HDFEOS/GRIDS/Daily 1
  NO2: fsl<int32>[2] [1,2]
hdfeos /HDFEOS/SWATHS/OMI/nTimes 3
  Time: float64 0 | 1 | 2
  Ozone: fsl<float32>[2] [1,null] | [2,null] | [3,4]
hdfeos /HDFEOS/SWATHS/OMI/nLevels 2
  Levels: int16 10 | 20
`,
	"hdmf.h5": `
hdmf /acquisition/ts 3
  timestamps: float64 0 | 0.5 | 1
  data: fsl<float32>[2] [1,2] | [3,4] | [5,6]
hdmf /units 2
  id: int32 0 | 1
  spikes: list<float64> [0.1] | [0.2,0.3]
  waves: list<list<int16>> [[1,2],[3],[4]] | []
  quality: utf8 good | bad
`,
	"nwb.h5":       nwbTables,
	"nwb_old.h5":   nwbTables,
	"scipp.h5":     scippTables,
	"scipp_old.h5": scippTables,
	"icesat.h5": `
group /gt1l/geolocation 2
  segment_id: int32 1 | 2
netcdf /gt1l/heights 3
  conf: fsl<int8>[2] [0,1] | [2,3] | [4,5]
  delta_time: timestamp[us] 2018-01-01T00:00:00.5 | 2018-01-01T00:00:01.5 | 2018-01-01T00:00:02.5
  h_ph: float32 1 | null | 9.96921e+36
  quality_ph: int8 0 | null | -127
group /gt1r/geolocation 2
  segment_id: int32 1 | 2
netcdf /gt1r/heights 3
  conf: fsl<int8>[2] [0,1] | [2,3] | [4,5]
  delta_time: timestamp[us] 2018-01-01T00:00:00.5 | 2018-01-01T00:00:01.5 | 2018-01-01T00:00:02.5
  h_ph: float32 1 | null | 9.96921e+36
  quality_ph: int8 0 | null | -127
`,
	"lengths.h5": `
group /aux 5
  bias_normalized: float64 0 | 0.5 | 1 | 1.5 | 2
  bias_observed: int32 0 | 1 | 2 | 3 | 4
group /aux/rows=3 3
  eff_lengths: float64 9.5 | 8.5 | 7.5
  ids: utf8 x | yy | z
group /detector 4
  data: fsl<uint16>[2] [0,1] | [2,3] | [4,5] | [6,7]
  image_key: uint8 2 | 1 | 0 | 0
group /labels 4
  t: int16 0 | 1 | 2 | 3
  u: int16 0 | 1 | 2 | 3
group /labels/channel 3
  gain: int16 0 | 1 | 2
  offset: int16 0 | 1 | 2
group /labels/rows=2 2
  x: int16 0 | 1
  y: int16 0 | 1
group /traj 3
  cell_lengths: fsl<float32>[3] [1,1,1] | [1,1,1] | [1,1,1]
  time: float32 0 | 1 | 2
`,
	"loom.h5": `
loom /col_attrs 3
  Age: int32 1 | 2 | 3
  CellID: utf8 c1 | c2 | c3
loom /layers 2
  spliced: fsl<int16>[3] [1,0,1] | [0,1,0]
loom /matrix 2
  matrix: fsl<float32>[3] [1,0,2] | [0,3,0]
loom /row_attrs 2
  Gene: utf8 Actb | Gad1
`,
	"missing.h5": `
alabaster /data_frame 3
  row_names: utf8 r1 | r2 | r3
  flag: bool true | false | null
  kind: dict<utf8, uint8, ordered=true> low | null | high
  value: float64 0.5 | 1.5 | 2.5
group /plain 3
  i: int16 1 | 2 | null
  n: float64 1 | null | 3
  r: int32 1 | null | 3
  s: utf8 a | null | c
`,
	"nexus.h5": `
nexus /entry/data 3
  two_theta: float64 10 | 10.5 | 11
  counts: fsl<int32>[2] [1,2] | [3,4] | [5,6]
  counts_errors: fsl<float32>[2] [1,1] | [1,1] | [1,1]
nexus /entry/events 4
  event_time_offset: float32 1 | 2 | 3 | 4
  event_id: uint32 5 | 6 | 5 | 7
nexus /entry/events/event_time_zero 3
  event_time_zero: float64 100 | 200 | 300
  events: large_list<struct<event_time_offset: float32, event_id: uint32>> [{"event_id":5,"event_time_offset":1},{"event_id":6,"event_time_offset":2}] | [] | [{"event_id":5,"event_time_offset":3},{"event_id":7,"event_time_offset":4}]
nexus /entry/old 2
  x: float64 0.25 | 0.75
  y: int32 7 | 8
nexus /entry/temperature 2
  time: float64 0 | 60
  value: float32 290 | 291
`,
	"nexus_masked.h5": `
nexus /entry/far 0
  data: not found
nexus /entry/image 2
  y: float64 0 | 1
  z: fsl<float64>[3] [0,null,2] | [3,4,null]
nexus /entry/line 4
  x: int64 10 | 20 | 30 | 40
  sig: float64 1 | null | 3 | null
  sig_errors: float64 0.1 | 0.2 | 0.3 | 0.4
nexus /entry/soft 4
  t: int64 10 | 20 | 30 | 40
  data: float64 1 | null | 3 | null
nexus /entry/square 2
  row: int64 5 | 6
  v: fsl<int32>[2] [0,1] | [2,3]
`,
	"openpmd.h5": `
openpmd /data/100/particles/electrons 2
  charge: int32 -1 | -1
  mass: float64 2.5 | 2.5
  position_x: float32 1 | 2
  position_y: float32 3 | 4
  positionOffset_x: float64 2.5 | 2.5
  weighting: float64 10 | 20
group /data/100/particles/electrons/particlePatches 1
  numParticles: uint64 2
  numParticlesOffset: uint64 0
`,
	"pytables_arrays.h5": `
group /g 3
  b: bool true | false | true
  flags: list<bool> [true,false] | [] | [true]
  objects: unsupported
  pairs: fsl<bool>[2] [true,false] | [false,false] | [true,true]
  raw: utf8 abc |  | y\0z
  s: utf8 a\0b | c  | 
  t32: timestamp[s] 1970-01-01T00:00:00 | 1970-01-01T00:00:01 | 1970-01-01T00:00:02
  t64: timestamp[us] 1970-01-01T00:00:00.5 | 1969-12-31T23:59:58.25 | 2023-11-14T22:13:20.123456
  text: utf8 é\0x |  | 日本😀
  times: list<timestamp[us]> ["1970-01-01T00:00:00.5"] | ["1969-12-31T23:59:58.25","1970-01-01T00:00:02"] | []
  words: list<utf8> ["ab","a\u0000b"] | [] | ["c"]
  x: float64 0 | 0.5 | 1
pytables /t 2
  s: utf8 a\0b | 
  p: fsl<utf8>[2] ["x\u0000y",""] | ["z","\u0000w"]
`,
	"sparse.h5": `
group / 3
  correction_factors: float64 0.5 | NaN | 2
sparse /g/words 2
  names: utf8 none | two
  words: large_list<struct<index: uint16, value: float64>> [] | [{"index":7,"value":0.5},{"index":9,"value":1.5}]
group /intervals 3
  chr_list: utf8 1 | 1 | X
  end_list: int64 10 | 20 | 10
  extra_list: float64 1 | 0.5 | 1
  start_list: int64 0 | 10 | 0
sparse /matrix 3
  chr_list: utf8 1 | 1 | X
  start_list: int64 0 | 10 | 0
  end_list: int64 10 | 20 | 10
  extra_list: float64 1 | 0.5 | 1
  correction_factors: float64 0.5 | NaN | 2
  matrix: list<struct<index: int32, value: int32>> [{"index":0,"value":3},{"index":2,"value":1}] | [] | [{"index":1,"value":2}]
`,
	"stack_odd.h5": `
group /data/* 10
  key: utf8 again | e_2 | e_2 | e_3 | e_3 | e_3 | e_4 | e_4 | e_4 | e_4
  flag: utf8 false | true | true | false | false | false | 7 | 7 | 7 | 7
  list: int64 1 | null | null | null | null | null | null | null | null | null
  number: float64 1 | 2.5 | 2.5 | 3 | 3 | 3 | 4.5 | 4.5 | 4.5 | 4.5
  word: utf8 1 | 2 | 2 | three | three | three | 2.5 | 2.5 | 2.5 | 2.5
  marks: fsl<dict<utf8, int8, ordered=false>>[2] ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"]
  x: int32 10 | 20 | 21 | 30 | 31 | 32 | 40 | 41 | 42 | 43
group /data/again 1
  marks: fsl<dict<utf8, int8, ordered=false>>[2] ["no","yes"]
  x: int32 10
group /data/e_0 0
  marks: fsl<dict<utf8, int8, ordered=false>>[2] 
  x: int32 
group /data/e_2 2
  marks: fsl<dict<utf8, int8, ordered=false>>[2] ["no","yes"] | ["no","yes"]
  x: int32 20 | 21
group /data/e_3 3
  marks: fsl<dict<utf8, int8, ordered=false>>[2] ["no","yes"] | ["no","yes"] | ["no","yes"]
  x: int32 30 | 31 | 32
group /data/e_4 4
  marks: fsl<dict<utf8, int8, ordered=false>>[2] ["no","yes"] | ["no","yes"] | ["no","yes"] | ["no","yes"]
  x: int32 40 | 41 | 42 | 43
group /other/e_9 2
  marks: fsl<dict<utf8, int8, ordered=false>>[2] ["yes","no"] | ["no","no"]
  x: int32 0 | 1
`,
	"stack_notes.nc": `
netcdf /month_* 8
  key: utf8 month_0 | month_0 | month_1 | month_1 | month_2 | month_2 | month_3 | month_3
  t: float64 0 | 0.5 | 1 | 1.5 | 2 | 2.5 | 3 | 3.5
netcdf /month_0 2
  t: float64 0 | 0.5
netcdf /month_1 2
  t: float64 1 | 1.5
netcdf /month_2 2
  t: float64 2 | 2.5
netcdf /month_3 2
  t: float64 3 | 3.5
`,
	"stack.h5": `
group /read_*/Raw 8
  key: utf8 read_a | read_a | read_b | read_b | read_c | read_c | read_d | read_d
  read_id: utf8 aa | aa | bb | bb | cc | cc | dd | dd
  start: int64 97 | 97 | 98 | 98 | 99 | 99 | 100 | 100
  run_id: utf8 run | run | run | run | run | run | run | run
  Signal: int16 97 | 1 | 98 | 1 | 99 | 1 | 100 | 1
group /data/demo_* 7
  key: utf8 demo_0 | demo_0 | demo_2 | demo_2 | demo_2 | demo_3 | demo_4
  attr.key: utf8 k0 | k0 | k2 | k2 | k2 | k3 | k4
  num_samples: int64 2 | 2 | 3 | 3 | 3 | 1 | 1
  score: float64 0 | 0 | 2 | 2 | 2 | 3.5 | 4.5
  success: bool false | false | true | true | true | null | false
  actions: fsl<float32>[2] [0,1] | [2,3] | [20,21] | [22,23] | [24,25] | [30,31] | [40,41]
  rewards: float64 0 | 1 | 0.5 | 1.5 | 2.5 | 0.75 | 1
group /data/demo_*/obs 7
  key: utf8 demo_0 | demo_0 | demo_2 | demo_2 | demo_2 | demo_3 | demo_4
  attr.key: utf8 k0 | k0 | k2 | k2 | k2 | k3 | k4
  num_samples: int64 2 | 2 | 3 | 3 | 3 | 1 | 1
  score: float64 0 | 0 | 2 | 2 | 2 | 3.5 | 4.5
  success: bool false | false | true | true | true | null | false
  pos: int32 0 | 1 | -2 | -1 | 0 | -3 | -4
group /data/demo_0 2
  actions: fsl<float32>[2] [0,1] | [2,3]
  rewards: float64 0 | 1
group /data/demo_0/obs 2
  pos: int32 0 | 1
group /data/demo_1 0
  actions: fsl<float32>[2] 
  rewards: float64 
group /data/demo_1/obs 0
  pos: int32 
group /data/demo_2 3
  actions: fsl<float32>[2] [20,21] | [22,23] | [24,25]
  rewards: float64 0.5 | 1.5 | 2.5
group /data/demo_2/obs 3
  pos: int32 -2 | -1 | 0
group /data/demo_3 1
  actions: fsl<float32>[2] [30,31]
  rewards: float64 0.75
group /data/demo_3/obs 1
  pos: int32 -3
group /data/demo_4 1
  actions: fsl<float32>[2] [40,41]
  rewards: float64 1
group /data/demo_4/obs 1
  pos: int32 -4
group /read_a/Raw 2
  Signal: int16 97 | 1
group /read_b/Raw 2
  Signal: int16 98 | 1
group /read_c/Raw 2
  Signal: int16 99 | 1
group /read_d/Raw 2
  Signal: int16 100 | 1
group /three/x0 1
  v: int64 0
group /three/x1 1
  v: int64 1
group /three/x2 1
  v: int64 2
`,
	"tenx.h5": `
10x /matrix 3
  barcode: utf8 AAAC-1 | AAAG-1 | AAAT-1
  counts: large_list<struct<index: int64, value: int32>> [{"index":0,"value":3},{"index":1,"value":1}] | [] | [{"index":1,"value":2}]
10x /matrix/features 2
  id: utf8 ENSG1 | ENSG2
  name: utf8 A1BG | NAT2
  feature_type: utf8 Gene Expression | Gene Expression
  genome: utf8 GRCh38 | GRCh38
`,
	"anndata.h5ad": `
anndata /X 3
  X: fsl<float32>[2] [1,2] | [3,4] | [5,6]
anndata /obs 3
  _index: utf8 a | b | c
  n: int64 1 | null | 3
anndata /obsm 3
  X_pca: fsl<float64>[2] [0,1] | [2,3] | [4,5]
  flags: bool true | false | null
anndata /obsm/df 3
  id: utf8 a | b | c
anndata /uns/colors 2
  colors: utf8 red | blue
anndata /uns/ragged 0
  ragged: unsupported
anndata /uns/three 3
  three: int32 1 | 2 | 3
anndata /var 2
  _index: utf8 g1 | g2
`,
	"anndata_old.h5ad": `
anndata /X 2
  X: list<struct<index: int32, value: float32>> [{"index":0,"value":1}] | [{"index":2,"value":2}]
anndata /obs 2
  index: utf8 c1 | c2
  louvain: dict<utf8, int8, ordered=false> 1 | null
  n: float64 0.5 | 1.5
compound /obsm 2
  X_pca: fsl<float32>[2] [1,2] | [3,4]
group /uns 2
  louvain_categories: utf8 0 | 1
anndata /var 3
  index: utf8 g1 | g2 | g3
`,
	"order.h5": `
hdfeos /HDFEOS/GRIDS/Daily 2
  NO2: int32 1 | null
vaex-v1 /data 2
  y: float64 3 | 4
  x: float64 1 | 2
nexus /entry/data 3
  energy: float64 10 | 10.5 | 11
  counts: fsl<int32>[2] [1,2] | [3,4] | [5,6]
`,
	"cells.mat": `
matlab /people 2
  age: float64 40 | 41
  name: utf8 Ann | Bo
matlab /s 3
  flags: bool true | null | false
  lists: list<int16> [1,2] | null | [3]
  names: utf8 é€ |  | 😀
  ok: bool true | false | true
  x: float64 1 | 2 | 3
matlab /s/mixed 0
  mixed: unsupported
matlab /s/title 1
  title: utf8 three rows
matlab /sparse_zeros 2
  sparse_zeros: large_list<struct<index: uint64, value: float64>> [] | []
matlab /v 2
  v: int32 1 | 2
matlab /w 3
  w: int32 1 | 2 | 3
`,
})

// nwbTables is what both fixtures of pynwb hold. Images in files of other formats are not a table.
const nwbTables = `
hdmf /acquisition/a 3
  timestamps: float64 0 | 0.1 | 0.2
  data: int16 1 | 2 | 3
  control: uint8 0 | 1 | 0
hdmf /acquisition/both 3
  timestamps: float64 0 | 0.1 | 0.2
  data: int16 1 | 2 | 3
hdmf /acquisition/drate 3
  timestamps: float64 0.5 | 1 | 1.5
  data: int16 1 | 2 | 3
hdmf /acquisition/square 3
  timestamps: float64 0 | 0.25 | 0.5
  data: fsl<float32>[3] [0,1,2] | [3,4,5] | [6,7,8]
hdmf /acquisition/still 1
  timestamps: float64 1.5
  data: int64 5
hdmf /acquisition/tlink 3
  timestamps: float64 0 | 0.1 | 0.2
  data: float64 9 | 8 | 7
hdmf /general/extracellular_ephys/electrodes 3
  id: int64 0 | 1 | 2
  location: utf8 CA1 | CA1 | CA1
  group: utf8 /general/extracellular_ephys/shank | /general/extracellular_ephys/shank | /general/extracellular_ephys/shank
  group_name: utf8 shank | shank | shank
hdmf /scratch/enum 4
  id: int64 0 | 1 | 2 | 3
  state: dict<utf8, uint8, ordered=false> sleep | rest | läuft | läuft
`

// scippTables is what both fixtures of scipp hold. Edges, single values, and the second axis of the image are not columns.
const scippTables = `
scipp /entries/elem_000_image 3
  image: fsl<int32>[2] [1,2] | [3,4] | [5,6]
  y: float64 0.5 | 1.5 | 2.5
  masks.y: bool false | true | false
scipp /entries/elem_001_line 3
  line: float64 1 | NaN | 3
  line_variances: float64 0.1 | 0.2 | 0.3
  lab: utf8 a |  | é
  t: timestamp[s] 2024-01-01T00:00:00 | 1969-12-31T23:59:59 | null
  v: fsl<float64>[3] [0,1,2] | [3,4,5] | [6,7,8]
scipp /entries/elem_002_set/entries/elem_000_p 2
  p: float64 1 | NaN
  p_variances: float64 0.1 | 0.2
  lab: utf8 a | 
  t: timestamp[s] 2024-01-01T00:00:00 | 1969-12-31T23:59:59
  v: fsl<float64>[3] [0,1,2] | [3,4,5]
scipp /entries/elem_002_set/entries/elem_001_q 2
  q: float64 2 | NaN
  q_variances: float64 0.4 | 0.8
  lab: utf8 a | 
  t: timestamp[s] 2024-01-01T00:00:00 | 1969-12-31T23:59:59
  v: fsl<float64>[3] [0,1,2] | [3,4,5]
scipp /entries/elem_003_alone 2
  alone: float64 1.5 | 2.5
`
