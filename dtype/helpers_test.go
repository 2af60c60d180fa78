package dtype

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Names of dtest that are used on every other line.
var (
	intT, le, be, leu, oddT, bitsT = dtest.Int, dtest.LE, dtest.BE, dtest.LEU, dtest.Odd, dtest.Bits
	strT, vstrT, vlenT, arrayT     = dtest.Str, dtest.VarStr, dtest.VLen, dtest.Array
	enumT, boolT, compoundT        = dtest.Enum, dtest.Bool, dtest.Compound
	opaqueT                        = dtest.Opaque
)

// testEnv returns an environment whose memory must all be released at the test's end.
func testEnv(t testing.TB) *Env {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return &Env{Alloc: mem, OffsetSize: 8, Where: "/d", Heap: dtest.Heap{}}
}

// plan makes a plan that must succeed.
func plan(t testing.TB, src Source, o Options) *Plan {
	t.Helper()
	p, err := New(src, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return p
}

// render returns an array's values as text.
func render(a arrow.Array) string { return fmt.Sprint(a) }

// bitmapOf makes a bitmap at a bit offset, garbage around it; one digit a value, 1 valid.
func bitmapOf(digits string, offset int) Bitmap {
	b := make([]byte, (len(digits)+offset+7)/8+1)
	for i := range b {
		b[i] = 0xA5
	}
	for i, d := range digits {
		at := i + offset
		b[at/8] &^= 1 << (at % 8)
		if d == '1' {
			b[at/8] |= 1 << (at % 8)
		}
	}
	return Bitmap{b, offset}
}

// variants returns the ways in which the same rows can be given to Build: copied, owned, mutable, strided, misaligned.
func variants(p *Plan, b []byte, rows int) map[string]func() Raw {
	return map[string]func() Raw{
		"copied": func() Raw { return Raw{Bytes: b, Rows: rows} },
		"owned": func() Raw {
			return Raw{Bytes: b, Rows: rows, Owner: memory.NewBufferBytes(b)}
		},
		"misaligned": func() Raw {
			all := append([]byte{1, 2, 3}, b...)
			return Raw{Bytes: all[3:], Rows: rows, Owner: memory.NewBufferBytes(all), OwnerOffset: 3}
		},
		"mutable": func() Raw {
			all := append([]byte{9}, b...)
			return Raw{Bytes: all[1:], Rows: rows, Owner: memory.NewBufferBytes(all), OwnerOffset: 1, Mutable: true}
		},
		"mutable without owner": func() Raw {
			return Raw{Bytes: append([]byte(nil), b...), Rows: rows, Mutable: true}
		},
		"swapped before": func() Raw {
			all := append([]byte(nil), b...)
			done := p.SwapInPlace(all)
			return Raw{Bytes: all, Rows: rows, Owner: memory.NewBufferBytes(all), Mutable: true, Swapped: done}
		},
		"strided": func() Raw {
			stride := p.RowBytes + 5
			all := make([]byte, 0, rows*stride)
			for i := range rows {
				all = append(append(all, b[i*p.RowBytes:(i+1)*p.RowBytes]...), 0xEE, 0xEE, 0xEE, 0xEE, 0xEE)
			}
			if rows > 0 {
				all = all[:len(all)-5]
			}
			return Raw{Bytes: all, Stride: stride, Rows: rows, Owner: memory.NewBufferBytes(all), Mutable: true}
		},
	}
}

// checkBuild builds rows in every variant and compares with want, the array as text.
func checkBuild(t *testing.T, p *Plan, env *Env, b []byte, rows int, valid string, want string) {
	t.Helper()
	if p.RowBytes*rows != len(b) {
		t.Fatalf("test of %d rows of %d bytes has %d bytes", rows, p.RowBytes, len(b))
	}
	for name, raw := range variants(p, b, rows) {
		for _, offset := range []int{0, 3} {
			r := raw()
			r.Nulls = -1
			if valid != "" {
				r.Valid = bitmapOf(valid, offset)
				if offset == 3 {
					r.Nulls = strings.Count(valid, "0")
				}
			}
			a, err := p.Build(r, env)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := render(a); got != want {
				t.Errorf("%s:\n got %s\nwant %s", name, got, want)
			}
			if !arrow.TypeEqual(a.DataType(), p.Arrow) {
				t.Errorf("%s: type %v, the plan says %v", name, a.DataType(), p.Arrow)
			}
			dtest.Validate(t, a)
			a.Release()
		}
	}
}

// buildTest is a type, rows of it, and the array that they make.
type buildTest struct {
	name     string
	src      Source
	opt      Options
	bytes    string // in hex
	valid    string // a digit per item, 1 is valid; "": all are
	rows     int
	arrow    string
	delivery Delivery
	want     string
}

func runBuild(t *testing.T, tests []buildTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, tt.src, tt.opt)
			if p.Arrow.String() != tt.arrow {
				t.Errorf("type %v, want %v", p.Arrow, tt.arrow)
			}
			if p.Delivery != tt.delivery || (p.Reason == "") != (tt.delivery == Mapped) {
				t.Errorf("delivery %v (%s), want %v", p.Delivery, p.Reason, tt.delivery)
			}
			checkBuild(t, p, testEnv(t), dtest.Unhex(t, tt.bytes), tt.rows, tt.valid, tt.want)
		})
	}
}

// checkError builds rows and wants an error of a kind that holds all of texts.
func checkError(t *testing.T, p *Plan, env *Env, raw Raw, kind h5err.Kind, texts ...string) {
	t.Helper()
	a, err := p.Build(raw, env)
	if err == nil {
		t.Errorf("no error but %v", a)
		a.Release()
		return
	}
	dtest.WantError(t, err, kind, texts...)
}
