package parquet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// endless returns the same batch again and again, or fails after some.
type endless struct {
	array.RecordReader
	rec arrow.RecordBatch
	n   int
	err error
}

func (e *endless) Next() bool                     { e.n--; return e.n != 0 }
func (e *endless) RecordBatch() arrow.RecordBatch { return e.rec }
func (e *endless) Err() error                     { return e.err }

// Errors of any side end writing, and nothing is left behind.
func TestFailures(t *testing.T) {
	h5test.Leaks(t)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := random(rand.New(rand.NewPCG(1, 1)), memory.DefaultAllocator, []arrow.Field{{Name: "c", Type: arrow.ListOf(label), Nullable: true}}, 1000)
	rr, err := array.NewRecordReader(rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	input := errors.New("input")
	for name, c := range map[string]struct {
		rr   *endless
		w    io.Writer
		want func(error) bool
	}{
		"input":  {&endless{rr, rec, 50, h5err.Wrap(h5err.Corrupt, input, "bad")}, io.Discard, func(err error) bool { return errors.Is(err, input) }},
		"output": {&endless{rr, rec, 0, nil}, &full{100_000}, func(err error) bool { return h5err.Is(err, h5err.IO) && errors.Is(err, io.ErrNoProgress) }},
		"cancel": {&endless{rr, rec, 0, nil}, io.Discard, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		if name == "cancel" {
			ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
		}
		_, err := parquet.Write(ctx, c.w, c.rr, parquet.WithAllocator(mem), parquet.WithGroupBytes(1000), parquet.WithWorkers(3))
		cancel()
		if !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// full accepts n bytes and then fails.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, io.ErrNoProgress
	}
	return len(p), nil
}

// A time that does not fit into milliseconds is an error.
func TestTimesThatDoNotFit(t *testing.T) {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Second})
	b.Append(1 << 60)
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "t", Type: b.Type()}}, nil), []arrow.Array{b.NewArray()}, 1)
	if _, err := parquet.Write(context.Background(), io.Discard, split(t, rec, 1)); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
}

// A mapped input that is cut short is an error for every type, and its mapping is released.
func TestMappedInputCutShort(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short here")
	}
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	path := filepath.Join(t.TempDir(), "values")
	one := func(t arrow.DataType) arrow.DataType {
		return arrow.StructOf(arrow.Field{Name: "x", Type: t, Nullable: true})
	}
	for i, typ := range append([]arrow.DataType{
		arrow.ListOf(arrow.BinaryTypes.String), arrow.LargeListOf(label), arrow.FixedSizeListOf(2, arrow.BinaryTypes.Binary),
		one(arrow.BinaryTypes.String), one(arrow.ListOf(one(arrow.BinaryTypes.LargeString))),
	}, kinds...) {
		fields := []arrow.Field{{Name: "number", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "c", Type: typ, Nullable: true}}
		rec := random(rand.New(rand.NewPCG(1, uint64(i))), memory.DefaultAllocator, fields, 1000)
		whole, _ := write(t, split(t, rec, 500, 500))
		var image []byte
		for _, c := range rec.Columns() {
			image = onPages(image, c.Data())
		}
		for _, when := range []string{"before", "after the last batch"} {
			for size := 0; size < len(image); size += os.Getpagesize() {
				must(os.WriteFile(path, image, 0o644))
				src, err := source.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if !src.Mapped() {
					t.Skip("nothing is mapped on this system")
				}
				copied := mapped(src, rec)
				src.Release()
				rr := &cut{split(t, copied, 500, 500), func() { must(os.Truncate(path, int64(size))) }}
				copied.Release()
				if when == "before" {
					rr.cut()
				}
				var out bytes.Buffer
				_, err = parquet.Write(context.Background(), &out, rr)
				rr.Release()
				var e *h5err.Error
				if err == nil && !bytes.Equal(out.Bytes(), whole) || err != nil && (!errors.As(err, &e) || e.Kind != h5err.IO || e.File != path || e.Offset < int64(size)) {
					t.Errorf("%v, cut to %d bytes %s: %v", typ, size, when, err)
				}
				if size == 0 && err == nil {
					t.Errorf("%v, cut to nothing %s: no error", typ, when)
				}
			}
		}
	}
}

// onPages appends the buffers of an array, each at the start of a page.
func onPages(to []byte, data arrow.ArrayData) []byte {
	for _, b := range data.Buffers() {
		if b != nil {
			to = append(to, b.Bytes()...)
			to = append(to, make([]byte, -len(to)&(os.Getpagesize()-1))...)
		}
	}
	for _, c := range data.Children() {
		to = onPages(to, c)
	}
	if labels, _ := data.Dictionary().(*array.Data); labels != nil {
		to = onPages(to, labels)
	}
	return to
}

// mapped returns the same batch in the mapping of a file that onPages made.
func mapped(src *source.Source, rec arrow.RecordBatch) arrow.RecordBatch {
	at := int64(0)
	var mapped func(arrow.ArrayData) arrow.ArrayData
	mapped = func(of arrow.ArrayData) arrow.ArrayData {
		var buffers []*memory.Buffer
		for _, b := range of.Buffers() {
			if b != nil {
				bytes, _ := src.View(at, int64(b.Len()))
				at += int64(b.Len())
				at += -at & int64(os.Getpagesize()-1)
				src.Retain()
				b = memory.NewBufferWithAllocator(bytes, (*reference)(src))
				defer b.Release()
			}
			buffers = append(buffers, b)
		}
		var children []arrow.ArrayData
		for _, c := range of.Children() {
			c = mapped(c)
			defer c.Release()
			children = append(children, c)
		}
		data := array.NewData(of.DataType(), of.Len(), buffers, children, of.NullN(), of.Offset())
		if labels, _ := of.Dictionary().(*array.Data); labels != nil {
			labels := mapped(labels)
			defer labels.Release()
			data.SetDictionary(labels)
		}
		return data
	}
	var columns []arrow.Array
	for _, c := range rec.Columns() {
		data := mapped(c.Data())
		defer data.Release()
		c = array.MakeFromData(data)
		defer c.Release()
		columns = append(columns, c)
	}
	return array.NewRecordBatch(rec.Schema(), columns, rec.NumRows())
}

// reference is the allocator of a mapped buffer, which holds a reference on the mapping.
type reference source.Source

func (r *reference) Allocate(int) []byte           { panic("a mapped buffer can't grow") }
func (r *reference) Reallocate(int, []byte) []byte { panic("a mapped buffer can't grow") }
func (r *reference) Free([]byte)                   { (*source.Source)(r).Release() }

// cut cuts a file short after the last batch.
type cut struct {
	array.RecordReader
	cut func()
}

func (c *cut) Next() bool {
	ok := c.RecordReader.Next()
	if !ok {
		c.cut()
	}
	return ok
}
