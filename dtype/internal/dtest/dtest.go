// Package dtest has what the tests of dtype and of its encoder share.
package dtest

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Unhex reads bytes written in hex, with spaces between.
func Unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Heap is a heap for tests, by address and index.
type Heap map[[2]uint64][]byte

// Object returns one object.
func (h Heap) Object(addr uint64, index uint32) ([]byte, error) {
	b, ok := h[[2]uint64{addr, uint64(index)}]
	if !ok {
		return nil, h5err.New(h5err.Corrupt, "no heap object %d at %d", index, addr)
	}
	return b, nil
}

// Put adds an object and returns the element that points to it.
func (h Heap) Put(length int, b []byte) []byte {
	i := uint64(len(h) + 1)
	h[[2]uint64{4096, i}] = b
	return HeapElement(uint32(length), 4096, uint32(i))
}

// HeapElement returns a variable-length element that points to a heap object.
func HeapElement(length uint32, addr uint64, index uint32) []byte {
	e := make([]byte, 16)
	binary.LittleEndian.PutUint32(e, length)
	binary.LittleEndian.PutUint64(e[4:], addr)
	binary.LittleEndian.PutUint32(e[12:], index)
	return e
}

// Validate fails unless a is sound at every level: its type, bounds, exact null counts and zeros after the last bit.
func Validate(t testing.TB, a arrow.Array) {
	t.Helper()
	d := a.Data()
	if v, ok := a.(interface {
		Validate() error
		ValidateFull() error
	}); ok {
		check := v.ValidateFull
		if _, text := a.(array.StringLike); text && a.NullN() > 0 {
			check = v.Validate // the full one requires UTF-8 also under nulls
		}
		if err := check(); err != nil {
			t.Errorf("%v: %v", a.DataType(), err)
		}
	}
	if len(d.Buffers()) > 0 {
		buf := d.Buffers()[0]
		switch {
		case buf == nil:
			if d.NullN() != 0 {
				t.Errorf("%v: %d nulls without a bitmap", a.DataType(), d.NullN())
			}
		default:
			nulls, n := 0, a.Len()
			for i := range buf.Len() * 8 {
				set := buf.Bytes()[i/8]>>(i%8)&1 != 0
				if i < n && !set {
					nulls++
				}
				if i >= n && set {
					t.Errorf("%v: bit %d of %d is set", a.DataType(), i, n)
				}
			}
			if nulls != d.NullN() {
				t.Errorf("%v: declares %d nulls, has %d", a.DataType(), d.NullN(), nulls)
			}
		}
	}
	switch x := a.(type) {
	case *array.Struct:
		for i := range x.NumField() {
			if x.Field(i).Len() != a.Len() {
				t.Errorf("field %d has %d rows of %d", i, x.Field(i).Len(), a.Len())
			}
			Validate(t, x.Field(i))
		}
	case *array.FixedSizeList:
		if want := a.Len() * int(x.DataType().(*arrow.FixedSizeListType).Len()); x.ListValues().Len() != want {
			t.Errorf("%v: %d items of %d", a.DataType(), x.ListValues().Len(), want)
		}
		Validate(t, x.ListValues())
	case *array.List:
		Validate(t, x.ListValues())
	case *array.Dictionary:
		Validate(t, x.Dictionary())
	case array.ExtensionArray:
		Validate(t, x.Storage())
	}
}

// WantError fails unless err is an error of a kind whose text contains all of texts.
func WantError(t *testing.T, err error, kind h5err.Kind, texts ...string) {
	t.Helper()
	var e *h5err.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("error is not %v: %v", kind, err)
		return
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error lacks %q: %v", s, err)
		}
	}
}

// ArrayOf returns an array of its values in JSON.
func ArrayOf(t testing.TB, typ arrow.DataType, json string) arrow.Array {
	t.Helper()
	if e, ok := typ.(arrow.ExtensionType); ok {
		return array.NewExtensionArrayWithStorage(e, ArrayOf(t, e.StorageType(), json))
	}
	if d, ok := typ.(*arrow.DictionaryType); ok && d.ValueType.ID() == arrow.LARGE_STRING { // has no builder
		narrow := ArrayOf(t, DictOf(d.IndexType, arrow.BinaryTypes.String), json).(*array.Dictionary)
		var labels strings.Builder
		for i := range narrow.Dictionary().Len() {
			fmt.Fprintf(&labels, ",%q", narrow.Dictionary().ValueStr(i))
		}
		return array.NewDictionaryArray(d, narrow.Indices(), ArrayOf(t, d.ValueType, "["+labels.String()[1:]+"]"))
	}
	a, _, err := array.FromJSON(memory.NewGoAllocator(), typ, strings.NewReader(json))
	if err != nil {
		t.Fatalf("%v: %v", typ, err)
	}
	return a
}

// StructOf returns a struct type; fields are names and types in turn.
func StructOf(fields ...any) *arrow.StructType {
	var out []arrow.Field
	for i := 0; i < len(fields); i += 2 {
		out = append(out, arrow.Field{Name: fields[i].(string), Type: fields[i+1].(arrow.DataType), Nullable: true})
	}
	return arrow.StructOf(out...)
}

// DictOf returns a dictionary type.
func DictOf(index, values arrow.DataType) *arrow.DictionaryType {
	return &arrow.DictionaryType{IndexType: index, ValueType: values}
}

// Rows returns the values of an array as text, a line per row, whatever the order of a dictionary's labels.
func Rows(a arrow.Array) string {
	var b strings.Builder
	for i := range a.Len() {
		if i > 0 {
			b.WriteByte('\n')
		}
		if a.IsNull(i) {
			b.WriteString("null")
			continue
		}
		b.WriteString(a.ValueStr(i))
	}
	return b.String()
}
