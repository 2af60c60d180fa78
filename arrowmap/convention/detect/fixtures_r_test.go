package detect_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// joined returns all pairs of maps without common keys.
func joined(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// contents returns the bytes of a fixture of this package or of package pandas, decompressed.
func contents(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if strings.HasPrefix(name, "pandas") || strings.HasPrefix(name, "pytables.") {
		path = filepath.Join("..", "pandas", path)
	}
	if strings.Contains(name, ".snirf") {
		path = filepath.Join("..", "snirf", path)
	}
	if strings.HasSuffix(name, ".gz") {
		return h5test.Unpacked(t, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// local returns the path of a fixture of this package, decompressed.
func local(t *testing.T, name string) string {
	t.Helper()
	if !strings.HasSuffix(name, ".gz") {
		return filepath.Join("testdata", name)
	}
	path := filepath.Join(t.TempDir(), strings.TrimSuffix(name, ".gz"))
	if err := os.WriteFile(path, contents(t, name), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rFiles is what make_r.R and make_octave.m write, as in files.
var rFiles = map[string]string{
	"hdf5array.h5.gz": `
rhdf5 / 3
  d: fsl<float64>[2] [1.5,null] | ["NaN",4] | [5,6]
  i: fsl<int32>[2] [1,null] | [3,4] | [5,6]
  l: fsl<bool>[2] [true,null] | [false,true] | [true,false]
rhdf5 /more/three 3
  three: fsl<float64>[1] [1] | [null] | [3]
rhdf5 /more/two 2
  two: fsl<float64>[1] [1] | [null]
`,
	"hdf5r.h5.gz": `
compound /df 3
  i: int32 1 | -2147483648 | 3
  l: bool true | null | false
  f: dict<utf8, uint8, ordered=false> lo | null | hi
group /g 4
  f1: dict<utf8, uint8, ordered=false> L1 | null | L1 | L1
  f130: dict<utf8, uint8, ordered=false> L1 | null | L130 | L1
  f256: dict<utf8, uint16, ordered=false> L1 | null | L256 | L1
  f3: dict<utf8, uint8, ordered=false> L1 | null | L3 | L1
  f4: dict<utf8, uint8, ordered=false> L1 | null | L4 | L1
  l: bool true | null | false | true
  l2: bool true | false | false | true
  m: fsl<bool>[2] [true,null] | [false,false] | [true,true] | [null,null]
`,
	"octave.h5.gz": `
octave / 3
  bl: bool true | false | true
  cs: utf8 a |  | cé
  ii: int32 1 | 2 | 3
  mat: fsl<float64>[2] [1,2] | [3,null] | [5,"NaN"]
  na: float64 4 | null | NaN
  r: float64 1 | 2 | 3
  txt: utf8 ab | c  | de
octave /title 1
  title: utf8 caption
`,
	"octave_kinds.h5.gz": `
octave /b 1
  b: bool true
octave /c 1
  c: struct<real: float64, imag: float64> {"imag":2,"real":1}
octave /cm 0
  cm: unsupported
octave /cr 4
  cr: list<float64> [1,2,3] | [null,2] | [7] | []
octave /cr2 2
  cr2: list<float64> [1,2] | [0,0.1,0.2,0.3]
octave /cv 3
  cv: list<float64> [1,2] | [null] | []
octave /i 1
  i: int16 -3
octave /nd 2
  nd: fsl<fsl<float64>[2]>[3] [[1,7],[3,9],[5,11]] | [[2,8],[4,10],[6,12]]
octave /rg 4
  rg: float64 0 | 0.1 | 0.2 | 0.3
octave /sg 3
  sg: float32 1.5 | null | NaN
octave /sp 3
  sp: large_list<struct<index: int64, value: float64>> [{"index":0,"value":1}] | [{"index":1,"value":null}] | [{"index":0,"value":2}]
octave /sp0 3
  sp0: large_list<struct<index: int64, value: float64>> [] | [] | []
octave /spb 2
  spb: large_list<struct<index: int64, value: bool>> [{"index":0,"value":true}] | [{"index":1,"value":true}]
octave /spc 2
  spc: large_list<struct<index: int64, value: struct<real: float64, imag: float64>>> [{"index":1,"value":{"imag":0,"real":2}}] | [{"index":0,"value":{"imag":1,"real":0}}]
octave /sq 1
  sq: utf8 don"t
octave /ten 11
  ten: float64 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | null | null
octave /u 1
  u: uint64 18446744073709551615
octave /x 1
  x: float64 1.5
octave /z 1
  z: fsl<struct<real: float64, imag: float64>>[2] [{"imag":2,"real":1},{"imag":-4,"real":3}]
octave /zn 2
  zn: struct<real: float64, imag: float64> null | {"imag":0,"real":2}
`,
	"octave_struct.h5.gz": `
octave /s 2
  v: float64 1 | 2
  w: float32 null | NaN
octave /s/value/in 1
  a: fsl<int8>[3] [1,2,3]
  t: utf8 x
octave /s/value/note 3
  note: utf8 p | q | r
octave /sa 3
  b: bool true | false | true
  p: float64 1 | null | 3
  q: utf8 x | yy | 
  r: list<float64> [1,2] | [] | [null]
`,
	"rhdf5.h5.gz": `
rhdf5 /frame 4
  d: float64 1.5 | null | NaN | +Inf
  f: utf8 lo | null | hi | lo
  i: int32 1 | null | 3 | 4
  l: bool true | null | false | true
  s: utf8 a | null |  | hé
rhdf5 /int 3
  int: int32 1 | null | 3
rhdf5 /letters 2
  letters: utf8 NA | b
rhdf5 /lgl 2
  lgl: bool true | null
rhdf5 /list 2
  ELT1: int32 1 | 2
  ELT2: utf8 p | null
  ELT3: int32 3 | 4
rhdf5 /matrices 3
  d: fsl<float64>[2] [1,null] | ["NaN",4] | [5,6]
  l: fsl<bool>[2] [true,null] | [false,false] | [true,true]
  s: fsl<utf8>[2] ["x",null] | ["zz",null] | ["","w"]
rhdf5 /none 0
  none: int32 
rhdf5 /raw 5
  raw: uint8 1 | 2 | 3 | 4 | 5
rhdf5 /uneven/x 2
  x: int32 1 | 2
rhdf5 /uneven/y 3
  y: float64 null | 0.5 | NaN
rhdf5 /vtext 2
  vtext: utf8 null | x
`,
	"tenx_r.h5.gz": `
10x /bare 4
  counts: list<struct<index: uint32, value: float64>> [{"index":0,"value":1},{"index":2,"value":null}] | [] | [{"index":1,"value":3}] | []
10x /named 4
  barcode: utf8 b1 | b2 | b3 | b4
  counts: list<struct<index: uint32, value: float64>> [{"index":0,"value":1},{"index":2,"value":null}] | [] | [{"index":1,"value":3}] | []
10x /named/genes 3
  genes: utf8 g1 | g2 | g3
10x /rows 4
  counts: list<struct<index: uint32, value: float64>> [{"index":0,"value":1},{"index":2,"value":null}] | [] | [{"index":1,"value":3}] | []
10x /rows/genes 3
  genes: utf8 g1 | g2 | g3
`,
}
