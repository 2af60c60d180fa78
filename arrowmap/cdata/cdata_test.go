//go:build cgo

package cdata_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/arrio"
	consumer "github.com/apache/arrow-go/v18/arrow/cdata"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/cdata"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

func open(t testing.TB, path string) *arrowmap.File {
	t.Helper()
	f, err := arrowmap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// in is a consumer's end of a stream: what is read is what the C structs say.
func in(t testing.TB, s *cdata.Stream) arrio.Reader {
	t.Helper()
	r, err := consumer.ImportCRecordReader(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drop gives the consumer's end back.
func drop(r arrio.Reader) { r.(interface{ Release() }).Release() }

func noLeaks(t testing.TB) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
}

// TestTables exports every table of the test files in all ways, and compares what comes back with what the reader gives.
func TestTables(t *testing.T) {
	noLeaks(t)
	tables := 0
	for _, path := range h5test.Fixtures(t) {
		f, err := arrowmap.Open(path)
		if err != nil {
			continue // not all are for reading
		}
		list, err := f.Tables()
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range list {
			table, _ = table.SkipUnsupported()
			if len(table.Columns()) == 0 {
				continue
			}
			tables++
			for name, opts := range map[string][]cdata.Option{"copied": nil, "trusted": {cdata.WithTrustedInput()},
				"kept": {cdata.WithTrustedInput(), cdata.WithAlign(arrowmap.AlignKeep)}} {
				same(t, path+table.Path()+" "+name, table, opts)
			}
		}
		f.Close()
	}
	if tables < 10 {
		t.Errorf("%d tables", tables)
	}
}

func same(t *testing.T, name string, table *arrowmap.Table, opts []cdata.Option) {
	t.Helper()
	mem := cdata.NewAllocator()
	var s cdata.Stream
	if err := cdata.ExportTable(context.Background(), table, &s, append(opts, cdata.WithAllocator(mem), cdata.WithRead(arrowmap.WithBatchRows(1000)))...); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got := in(t, &s)
	want, err := table.Reader(context.Background(), arrowmap.WithBatchRows(1000))
	if err != nil {
		t.Fatal(err)
	}
	defer want.Release()
	for want.Next() {
		rec, err := got.Read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			break
		}
		if !sameValues(want.RecordBatch(), rec) {
			t.Errorf("%s: other values", name)
		}
		if !rec.Schema().Equal(want.Schema()) {
			t.Errorf("%s: schema %v, want %v", name, rec.Schema(), want.Schema())
		}
	}
	if _, err := got.Read(); err == nil || (err == io.EOF) != (want.Err() == nil) {
		t.Errorf("%s: at the end: %v, want %v", name, err, want.Err())
	}
	drop(got)
	if n := mem.Allocated(); n != 0 {
		t.Errorf("%s: %d bytes are out", name, n)
	}
}

// sameValues compares batches; NaN equals NaN.
func sameValues(a, b arrow.RecordBatch) bool {
	if array.RecordEqual(a, b) {
		return true
	}
	if a.NumRows() != b.NumRows() || !a.Schema().Equal(b.Schema()) {
		return false
	}
	for i, c := range a.Columns() {
		for k := range c.Len() {
			if d := b.Column(i); c.IsNull(k) != d.IsNull(k) || c.ValueStr(k) != d.ValueStr(k) {
				return false
			}
		}
	}
	return true
}

// A consumer may release late, in any order, after everything else is closed.
func TestLateRelease(t *testing.T) {
	noLeaks(t)
	for _, opts := range [][]cdata.Option{nil, {cdata.WithTrustedInput()}} {
		mem := cdata.NewAllocator()
		f := open(t, h5test.Fixture(t, "sample.h5"))
		table, err := f.Table("")
		if err != nil {
			t.Fatal(err)
		}
		var s cdata.Stream
		if err := cdata.ExportTable(context.Background(), table, &s, append(opts, cdata.WithAllocator(mem), cdata.WithRead(arrowmap.WithBatchRows(7000)))...); err != nil {
			t.Fatal(err)
		}
		r := in(t, &s)
		var recs []arrow.RecordBatch
		for range 3 {
			rec, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			rec.Retain()
			recs = append(recs, rec)
		}
		f.Close()
		drop(r) // midway
		sum := 0.0
		for _, rec := range recs {
			for _, v := range rec.Column(9).(*array.Float64).Float64Values() {
				sum += v
			}
		}
		if sum == 0 || mem.Allocated() == 0 {
			t.Errorf("the sum is %v, %d bytes are out", sum, mem.Allocated())
		}
		for _, i := range []int{1, 0, 2} {
			recs[i].Release()
		}
		if n := mem.Allocated(); n != 0 || source.LiveMappings() != 0 {
			t.Errorf("%d bytes, %d mappings are left", n, source.LiveMappings())
		}
	}
}

// With trusted input the values are those in the mapping; without it, none are.
func TestWhoReadsTheMapping(t *testing.T) {
	noLeaks(t)
	for _, trusted := range []bool{false, true} {
		f := open(t, h5test.Fixture(t, "sample.h5"))
		table, err := f.Table("")
		if err != nil {
			t.Fatal(err)
		}
		var s cdata.Stream
		var opts []cdata.Option
		if trusted {
			opts = append(opts, cdata.WithTrustedInput())
		}
		if err := cdata.ExportTable(context.Background(), table, &s, opts...); err != nil {
			t.Fatal(err)
		}
		r := in(t, &s)
		rec, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range table.Columns() {
			buffers := rec.Column(i).Data().Buffers()
			last := buffers[len(buffers)-1].Bytes()
			mapped := trusted && c.Delivery.String() == "mapped"
			if source.InMapping(last) != mapped {
				t.Errorf("trusted %v: column %s, %v: in the mapping: %v", trusted, c.Name, c.Delivery, !mapped)
			}
			if at := reflect.ValueOf(last).Pointer(); !mapped && at%64 != 0 {
				t.Errorf("column %s is at %x", c.Name, at)
			}
			if len(buffers) == 3 && source.InMapping(buffers[1].Bytes()) {
				t.Errorf("offsets of column %s are in the mapping", c.Name)
			}
		}
		drop(r)
		f.Close()
	}
}

// oneColumn gives a batch of the bytes of a file, from some byte on.
func oneColumn(t *testing.T, typ arrow.DataType, from int64, b []byte) (path string, src *source.Source, rec arrow.RecordBatch) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "values")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	src, err := source.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if !src.Mapped() {
		t.Skip("files are not mapped here")
	}
	values, ok := src.View(from, int64(len(b))-from)
	if !ok {
		t.Fatal("no view")
	}
	data := array.NewData(typ, len(values)/typ.(arrow.FixedWidthDataType).Bytes(), []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0)
	defer data.Release()
	arr := array.MakeFromData(data)
	defer arr.Release()
	return path, src, array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ}}, nil), []arrow.Array{arr}, int64(arr.Len()))
}

func TestOddAddresses(t *testing.T) {
	_, src, rec := oneColumn(t, arrow.PrimitiveTypes.Float64, 3, make([]byte, 83))
	defer src.Release()
	for align, want := range map[arrowmap.Align]uintptr{arrowmap.AlignKeep: 3, arrowmap.AlignCopy: 0} {
		var a cdata.Array
		var s cdata.Schema
		if err := cdata.ExportRecordBatch(rec, &a, &s, cdata.WithTrustedInput(), cdata.WithAlign(align)); err != nil {
			t.Fatal(err)
		}
		got, err := consumer.ImportCRecordBatch(&a, &s)
		if err != nil {
			t.Fatal(err)
		}
		if at := reflect.ValueOf(got.Column(0).Data().Buffers()[1].Bytes()).Pointer(); at%8 != want || got.NumRows() != 10 {
			t.Errorf("policy %d: at %x", align, at)
		}
		got.Release()
	}
	var a cdata.Array
	if err := cdata.ExportRecordBatch(rec, &a, nil, cdata.WithTrustedInput(), cdata.WithAlign(arrowmap.AlignRefuse)); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
	if err := cdata.ExportRecordBatch(rec, &a, nil, cdata.WithAlign(9)); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
}

// A file that is cut short is an error that the consumer can read.
func TestCutShort(t *testing.T) {
	noLeaks(t)
	path, src, rec := oneColumn(t, arrow.PrimitiveTypes.Int32, 0, make([]byte, 1<<16))
	defer src.Release()
	rr, err := array.NewRecordReader(rec.Schema(), []arrow.RecordBatch{rec})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	mem := cdata.NewAllocator()
	var s cdata.Stream
	if err := cdata.ExportReader(rr, &s, cdata.WithAllocator(mem)); err != nil {
		t.Fatal(err)
	}
	r := in(t, &s)
	_, err = r.Read()
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("the consumer reads %v", err)
	}
	if _, again := r.Read(); again == nil || again == io.EOF {
		t.Errorf("after the error: %v", again)
	}
	drop(r)
	var a cdata.Array
	var e *h5err.Error
	if err := cdata.ExportRecordBatch(rec, &a, nil, cdata.WithAllocator(mem)); !errors.As(err, &e) || e.Kind != h5err.IO || e.Offset < 4096 {
		t.Error(err)
	}
	if n := mem.Allocated(); n != 0 {
		t.Errorf("%d bytes are out", n)
	}
	rec.Release()
}

// Offsets and indices that are overwritten in the file, so that they lead outside, are refused.
func TestOutside(t *testing.T) {
	labels := array.NewStringBuilder(memory.DefaultAllocator)
	labels.AppendValues([]string{"a", "b"}, nil)
	dict := labels.NewArray().Data().(*array.Data)
	index := func(t arrow.DataType) arrow.DataType {
		return &arrow.DictionaryType{IndexType: t, ValueType: arrow.BinaryTypes.String}
	}
	for _, c := range []struct {
		typ    arrow.DataType
		before []byte
		valid  []byte
		after  []byte
		ok     bool
	}{
		{arrow.BinaryTypes.String, []byte{0, 0, 0, 0, 3, 0, 0, 0}, nil, []byte{0, 0, 0, 0, 4, 0, 0, 0}, false},
		{arrow.BinaryTypes.String, []byte{0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0}, nil, []byte{0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0}, false},
		{arrow.BinaryTypes.LargeString, []byte{0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}, nil, []byte{255, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0, 0, 0, 0, 0}, false},
		{index(arrow.PrimitiveTypes.Int8), []byte{1}, nil, []byte{2}, false},
		{index(arrow.PrimitiveTypes.Int16), []byte{1, 0}, nil, []byte{255, 255}, false},
		{index(arrow.PrimitiveTypes.Uint64), []byte{1, 0, 0, 0, 0, 0, 0, 0}, nil, []byte{0, 0, 0, 0, 0, 0, 0, 128}, false},
		{index(arrow.PrimitiveTypes.Uint32), []byte{1, 0, 0, 0}, []byte{0}, []byte{9, 0, 0, 0}, true}, // it is null
		{index(arrow.PrimitiveTypes.Int32), []byte{1, 0, 0, 0}, nil, []byte{0, 0, 0, 0}, true},
	} {
		buffers := []*memory.Buffer{nil, memory.NewBufferBytes(c.before)}
		nulls := 0
		if c.valid != nil {
			buffers[0], nulls = memory.NewBufferBytes(c.valid), 1
		}
		var d *array.Data
		if t, ok := c.typ.(*arrow.DictionaryType); ok {
			d = array.NewDataWithDictionary(t, 1, buffers, nulls, 0, dict)
		} else {
			width := 4
			if c.typ.ID() == arrow.LARGE_STRING {
				width = 8
			}
			d = array.NewData(c.typ, len(c.before)/width-1, append(buffers, memory.NewBufferBytes([]byte("xyz"))), nil, nulls, 0)
		}
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: d.DataType(), Nullable: true}}, nil), []arrow.Array{array.MakeFromData(d)}, int64(d.Len()))
		copy(c.before, c.after)
		mem := cdata.NewAllocator()
		var a cdata.Array
		err := cdata.ExportRecordBatch(rec, &a, nil, cdata.WithAllocator(mem))
		if c.ok {
			if err != nil {
				t.Errorf("%v: %v", c.typ, err)
			}
			consumer.ReleaseCArrowArray(&a)
		} else if !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%v: %v", c.typ, err)
		}
		if n := mem.Allocated(); n != 0 {
			t.Errorf("%v: %d bytes are out", c.typ, n)
		}
	}
}

// Slices of structs are exported as what they are.
func TestSlices(t *testing.T) {
	typ := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int8, Nullable: true}, arrow.Field{Name: "s", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true})
	all, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(`[{"x":1,"s":["a"]},null,{"x":3,"s":null},{"x":4,"s":["b","c"]},{"x":null,"s":[]}]`))
	if err != nil {
		t.Fatal(err)
	}
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ, Nullable: true}}, nil), []arrow.Array{all}, 5)
	for from := range int64(5) {
		for to := from; to <= 5; to++ {
			part := rec.NewSlice(from, to)
			var a cdata.Array
			var s cdata.Schema
			if err := cdata.ExportRecordBatch(part, &a, &s); err != nil {
				t.Fatal(err)
			}
			got, err := consumer.ImportCRecordBatch(&a, &s)
			if err != nil {
				t.Fatal(err)
			}
			if !array.RecordEqual(part, got) {
				t.Errorf("rows %d to %d: %v, want %v", from, to, got.Column(0), part.Column(0))
			}
			got.Release()
		}
	}
}

func TestErrorsBeforeTheStream(t *testing.T) {
	f := open(t, h5test.Fixture(t, "sample.h5"))
	defer f.Close()
	table, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	var s cdata.Stream
	if err := cdata.ExportTable(context.Background(), table, &s, cdata.WithRead(arrowmap.WithBatchRows(-1))); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
	if !reflect.ValueOf(s).IsZero() {
		t.Error("the stream was touched")
	}
}
