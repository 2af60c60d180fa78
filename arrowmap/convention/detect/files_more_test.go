package detect_test

// moreFiles is what two versions of a writer wrote, as files. HiCMatrix writes 0 for a correction that is NaN,
// and swiftsimio converts units in floating point.
var moreFiles = map[string]string{
	"deepdish.h5.gz": `
group / 2
  ascii: utf8 ab | c
  numbers: float64 1.5 | 2.5
  ok: bool true | false
  square: unsupported
  unicode: utf8 aü | 日本😀
group /empty 0
  a: int32 
  b: fsl<float64>[3] 
  s: uint8 
`,
	"compound.h5.gz": `
compound /chunked 3
  n: int32 1 | -2 | 3
  ok: bool true | false | true
  s: utf8 a |  | xyz
  größe: utf8 é |  | 日本
  c: dict<utf8, int16, ordered=false> red | blue | blue
  p: struct<x: float32, y: float64> {"x":0.5,"y":1} | {"x":"NaN","y":2} | {"x":-1,"y":3}
  m: fsl<fsl<uint16>[2]>[2] [[0,1],[2,3]] | [[4,5],[6,7]] | [[8,9],[10,11]]
  z: struct<r: float32, i: float32> {"i":2,"r":1} | {"i":0,"r":0} | {"i":-1,"r":-0}
compound /none 0
  x: float32 
  y: float64 
compound /one 1
  n: int32 1
  ok: bool true
  s: utf8 a
  größe: utf8 é
  c: dict<utf8, int16, ordered=false> red
  p: struct<x: float32, y: float64> {"x":0.5,"y":1}
  m: fsl<fsl<uint16>[2]>[2] [[0,1],[2,3]]
  z: struct<r: float32, i: float32> {"i":2,"r":1}
compound /rows 3
  n: int32 1 | -2 | 3
  ok: bool true | false | true
  s: utf8 a |  | xyz
  größe: utf8 é |  | 日本
  c: dict<utf8, int16, ordered=false> red | blue | blue
  p: struct<x: float32, y: float64> {"x":0.5,"y":1} | {"x":"NaN","y":2} | {"x":-1,"y":3}
  m: fsl<fsl<uint16>[2]>[2] [[0,1],[2,3]] | [[4,5],[6,7]] | [[8,9],[10,11]]
  z: struct<r: float32, i: float32> {"i":2,"r":1} | {"i":0,"r":0} | {"i":-1,"r":-0}
`,
	"hicmatrix.h5.gz": `
group /intervals 4
  chr_list: utf8 chr1 | chr1 | chrX | chrX
  end_list: int64 10 | 20 | 10 | 17
  extra_list: float64 1 | 0.5 | 1 | 0.25
  start_list: int64 0 | 10 | 0 | 10
sparse /matrix 4
  chr_list: utf8 chr1 | chr1 | chrX | chrX
  start_list: int64 0 | 10 | 0 | 10
  end_list: int64 10 | 20 | 10 | 17
  extra_list: float64 1 | 0.5 | 1 | 0.25
  correction_factors: float64 0.5 | 0 | 2 | 1.5
  matrix: list<struct<index: int32, value: int64>> [{"index":0,"value":3},{"index":2,"value":1}] | [] | [{"index":2,"value":2},{"index":3,"value":5}] | [{"index":3,"value":4}]
`,
	"mdtraj.h5.gz": `
group / 3
  cell_angles: fsl<float32>[3] [90,90,90] | [90,90,90] | [90,90,90]
  cell_lengths: fsl<float32>[3] [1.5,1.5,1.5] | [1.5,1.5,1.5] | [1.5,1.5,1.5]
  coordinates: fsl<fsl<float32>[3]>[2] [[0,0.25,0.5],[0.75,1,1.25]] | [[1.5,1.75,2],[2.25,2.5,2.75]] | [[3,3.25,3.5],[3.75,4,4.25]]
  time: float32 0 | 2 | 4
`,
	"swift.h5.gz": `
gadget /PartType0 3
  x: float64 0 | 0.75 | 1.5
  y: float64 0.25 | 1 | 1.75
  z: float64 0.5 | 1.25 | 2
  InternalEnergy: float64 1.0000000000000002 | 2.0000000000000004 | 3.000000000000001
  Masses: float64 1 | 2 | 3
  ParticleIDs: int64 11 | 12 | 13
  SmoothingLengths: float64 0.5 | 0.25 | 1
  vx: float64 -4 | -1 | 2
  vy: float64 -3 | 0 | 3
  vz: float64 -2 | 1 | 4
gadget /PartType1 3
  x: float64 1 | 1.75 | 2.5
  y: float64 1.25 | 2 | 2.75
  z: float64 1.5 | 2.25 | 3
  Masses: float64 1 | 2 | 3
  ParticleIDs: int64 21 | 22 | 23
  vx: float64 -4 | -1 | 2
  vy: float64 -3 | 0 | 3
  vz: float64 -2 | 1 | 4
`,
	"dumps_hickle.hkl.gz": `
group /data 3
  Größe: int32 1 | -2 | 3
  ok: bool true | false | true
hickle /data/"grid" 3
  grid: fsl<int16>[2] [null,1] | [2,null] | [4,5]
group /data/"list" 1
  data0: utf8 a
  data1: utf8 bb
  data2: utf8 日本
hickle /data/"m" 3
  m: float64 1.5 | null | 3.5
group /data/"nothing" 1
  e: utf8 
group /data/"words" 1
  n: int64 7
  name: utf8 été
  raw: fixed_size_binary[2] /wE=
`,
	"dumps_h5io.h5.gz": `
group /h5io 4
  data: fsl<float64>[2] [1,2] | [3,4] | [5,6] | [7,8]
  times: float64 0 | 0.5 | 1 | 1.5
group /h5io/key_info 1
  empty: utf8 
  n: int64 3
  name: utf8 été
  none: null (null)
  x: float64 0.5
group /h5io/key_names 1
  idx_0: utf8 EEG 001
  idx_1: utf8 é
  idx_2: utf8 
`,
}
