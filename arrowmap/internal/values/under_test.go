package values

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Text that is not valid under a null is empty there, also in slices and below lists; other text is left as it is.
func TestTextUnderNulls(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString} {
		var offsets []byte
		if typ.ID() == arrow.STRING {
			offsets = arrow.Int32Traits.CastToBytes([]int32{0, 1, 3, 5, 6})
		} else {
			offsets = arrow.Int64Traits.CastToBytes([]int64{0, 1, 3, 5, 6})
		}
		for under, changes := range map[string]bool{"a\xff\xfe\xc3\xa9b": true, "axyüb": false} {
			for first := range int64(2) {
				data := array.NewData(typ, 4, []*memory.Buffer{memory.NewBufferBytes([]byte{0b1101}), memory.NewBufferBytes(offsets),
					memory.NewBufferBytes([]byte(under))}, nil, 1, 0)
				whole := array.MakeFromData(data)
				data.Release()
				arr, copied := ZeroUnderNulls(array.NewSlice(whole, first, 4), mem)
				whole.Release()
				want := []string{"a", "(null)", under[3:5], "b"}[first:]
				for i, w := range want {
					if got := arr.ValueStr(i); got != w {
						t.Errorf("%s from %d, row %d: %q, want %q", typ, first, i, got, w)
					}
				}
				if copied != changes || arr.NullN() != 1 {
					t.Errorf("%s: copied %v, %d nulls", typ, copied, arr.NullN())
				}
				if n := arr.Data().Buffers()[2].Len(); changes && n != len("aéb")-int(first) {
					t.Errorf("%s from %d: %d bytes", typ, first, n)
				}
				arr.Release()
			}
		}
	}
}

// failing is an allocator that panics, as copying from a mapping does when the file was cut.
type failing struct{ memory.Allocator }

func (failing) Allocate(int) []byte           { panic("fault") }
func (failing) Reallocate(int, []byte) []byte { panic("fault") }

// The array is given up after a fault, too.
func TestFaultUnderNulls(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	b := array.NewDurationBuilder(mem, &arrow.DurationType{Unit: arrow.Second})
	defer b.Release()
	b.AppendValues([]arrow.Duration{1, 2}, []bool{true, false})
	arr := b.NewArray()
	arr.Data().Buffers()[1].Bytes()[8] = 7
	defer func() {
		if recover() == nil {
			t.Error("no fault")
		}
	}()
	ZeroUnderNulls(arr, failing{})
}
