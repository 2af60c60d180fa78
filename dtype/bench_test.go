package dtype

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// BenchmarkBuild builds a million rows of each kind of column, each time with cold buffers.
func BenchmarkBuild(b *testing.B) {
	const rows = 1 << 20
	fill := func(cell []byte) []byte { return bytes.Repeat(cell, rows) }
	f80 := &h5.Type{Class: h5.ClassFloat, Size: 16, Order: h5.LittleEndian, Precision: 80,
		Float: &h5.FloatFields{Sign: 79, ExpLoc: 64, ExpSize: 15, MantSize: 64, Bias: 16383}}
	e4m3 := &h5.Type{Class: h5.ClassFloat, Size: 1, Order: h5.LittleEndian, Precision: 8,
		Float: &h5.FloatFields{Sign: 7, ExpLoc: 3, ExpSize: 4, MantSize: 3, Bias: 7, Norm: 2}}
	tests := []struct {
		name string
		src  Source
		opt  Options
		cell []byte
	}{
		{"float64", Source{Type: types.Float(8, h5.LittleEndian)}, Options{}, make([]byte, 8)},
		{"float64be", Source{Type: types.Float(8, h5.BigEndian)}, Options{}, make([]byte, 8)},
		{"bool", Source{Type: boolT()}, Options{}, []byte{1}},
		{"datetime64ns", Source{Type: le(8), DType: "M8[ns]"}, Options{}, make([]byte, 8)},
		{"datetime64D", Source{Type: le(8), DType: "M8[D]"}, Options{}, make([]byte, 8)},
		{"int24", Source{Type: oddT(3, 0, 24, true, h5.LittleEndian)}, Options{}, []byte{1, 2, 3}},
		{"bfloat16", Source{Type: &h5.Type{Class: h5.ClassFloat, Size: 2, Order: h5.LittleEndian, Precision: 16,
			Float: &h5.FloatFields{Sign: 15, ExpLoc: 7, ExpSize: 8, MantSize: 7, Bias: 127, Norm: 2}}}, Options{}, []byte{0x80, 0x3f}},
		{"e4m3", Source{Type: e4m3}, Options{}, []byte{0x38}},
		{"longdouble", Source{Type: f80}, Options{}, []byte{0xab, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xfd, 0x3f, 0, 0, 0, 0, 0, 0}},
		{"string5", Source{Type: strT(5, h5.NullPad)}, Options{}, []byte("12345")},
		{"string13", Source{Type: strT(13, h5.NullTerm)}, Options{}, []byte("a word\x00\x00\x00\x00\x00\x00\x00")},
		{"string32", Source{Type: strT(32, h5.SpacePad)}, Options{}, []byte("some words                      ")},
		{"string-umlauts", Source{Type: strT(13, h5.NullPad)}, Options{}, []byte("ein größer\x00\x00")[:13]},
		{"utf32", Source{Type: leu(4), Dims: []uint64{6}, DType: "utf32", HasDLength: true, DLength: 6}, Options{}, []byte("a\x00\x00\x00b\x00\x00\x00c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"enum", Source{Type: enumT(le(1), "a", 0, "b", 1, "c", 2)}, Options{}, []byte{2}},
		{"enum-gaps", Source{Type: enumT(le(2), "a", 10, "b", 20, "c", 30)}, Options{}, []byte{20, 0}},
		{"compound", Source{Type: compoundT(13, "i1", 0, le(1), "f8", 1, types.Float(8, h5.LittleEndian), "i4", 9, le(4))}, Options{}, make([]byte, 13)},
		{"complex128be", Source{Type: &h5.Type{Class: h5.ClassComplex, Size: 16, Base: types.Float(8, h5.BigEndian)}}, Options{}, make([]byte, 16)},
	}
	env := &Env{Alloc: memory.NewGoAllocator(), Where: "/d"}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			p, err := New(tt.src, tt.opt)
			if err != nil {
				b.Fatal(err)
			}
			raw := Raw{Bytes: fill(tt.cell), Rows: rows}
			raw.Owner = memory.NewBufferBytes(raw.Bytes)
			b.SetBytes(int64(len(raw.Bytes)))
			for b.Loop() {
				a, err := p.Build(raw, env)
				if err != nil {
					b.Fatal(err)
				}
				a.Release()
			}
		})
	}
}

// BenchmarkBuildStrings checks a million strings in Arrow's layout.
func BenchmarkBuildStrings(b *testing.B) {
	const rows = 1 << 20
	for _, bench := range []struct{ name, word string }{{"ascii", "a plain word"}, {"umlauts", "größere Äpfel"}} {
		data := bytes.Repeat([]byte(bench.word), rows)
		for _, width := range []int{4, 8} {
			offsets := make([]byte, (rows+1)*width)
			for i := range rows + 1 {
				putInt(offsets, width, i, uint64(i*len(bench.word)))
			}
			raw := StringsRaw{
				Data: data, DataOwner: memory.NewBufferBytes(data), Offsets: offsets, OffsetsOwner: memory.NewBufferBytes(offsets),
				OffsetWidth: width, Rows: rows,
			}
			env := &Env{Alloc: memory.NewGoAllocator()}
			b.Run(bench.name+[]string{4: "32", 8: "64"}[width], func(b *testing.B) {
				b.SetBytes(int64(len(data) + len(offsets)))
				for b.Loop() {
					a, err := BuildStrings(raw, Options{}, env)
					if err != nil {
						b.Fatal(err)
					}
					a.Release()
				}
			})
			b.Run(bench.name+[]string{4: "32", 8: "64"}[width]+"-naive", func(b *testing.B) {
				b.SetBytes(int64(len(data) + len(offsets)))
				for b.Loop() {
					last := loadInt(offsets, width, 0)
					for i := range rows {
						next := loadInt(offsets, width, i+1)
						if next < last || next > uint64(len(data)) || !utf8.Valid(data[last:next]) {
							b.Fatal(i)
						}
						last = next
					}
				}
			})
		}
	}
}

// BenchmarkHeapText builds a million strings out of a heap.
func BenchmarkHeapText(b *testing.B) {
	const rows = 1 << 20
	p, err := New(Source{Type: vstrT()}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	raw := Raw{Bytes: bytes.Repeat(dtest.HeapElement(12, 4096, 1), rows), Rows: rows}
	env := &Env{Alloc: memory.NewGoAllocator(), Heap: oneObject("a plain word"), OffsetSize: 8}
	b.SetBytes(int64(len(raw.Bytes)))
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			a, err := p.Build(raw, env)
			if err != nil {
				b.Fatal(err)
			}
			a.Release()
		}
	})
	b.Run("fits", func(b *testing.B) {
		for b.Loop() {
			if n := p.Fits(raw, env); n != rows {
				b.Fatal(n)
			}
		}
	})
}

type oneObject string

func (o oneObject) Object(addr uint64, index uint32) ([]byte, error) { return []byte(o), nil }

// BenchmarkDates compares the conversion of days with a plain loop.
func BenchmarkDatesNaive(b *testing.B) {
	const rows = 1 << 20
	src, dst := make([]byte, 8*rows), make([]int32, rows)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		for i := range dst {
			x := int64(binary.LittleEndian.Uint64(src[8*i:]))
			if x > math.MaxInt32 || x < math.MinInt32 {
				b.Fatal(x)
			}
			dst[i] = int32(x)
		}
	}
}
