package ipc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowipc "github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc"
)

var label = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}

// wide is a schema with a column of each type from HDF5 files.
var wide = func() *arrow.Schema {
	units := arrow.MetadataFrom(map[string]string{"hdf5.attr.units": "m"})
	table := arrow.MetadataFrom(map[string]string{"hdf5.attr.title": "all kinds"})
	return arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true, Metadata: units},
		{Name: "f", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int16), Nullable: true},
		{Name: "d", Type: label, Nullable: true},
		{Name: "a", Type: arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float64), Nullable: true},
		{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}, Nullable: true},
		{Name: "c", Type: arrow.StructOf(
			arrow.Field{Name: "r", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
			arrow.Field{Name: "k", Type: arrow.ListOf(label), Nullable: true}), Nullable: true},
	}, &table)
}()

// rows makes a batch of n rows of wide. Every third row is null in all columns.
func rows(t testing.TB, mem memory.Allocator, n int) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(mem, wide)
	defer b.Release()
	for i := range n {
		row := fmt.Sprintf(`{"i":%d,"f":%d.5,"b":%t,"s":"row %d","l":[%d,2],"d":"%x","a":[1,2,%d],"t":%d,"c":{"r":%d,"k":["x","y"]}}`,
			i, i, i%2 == 0, i, i%1000, i%5, i, i, i)
		if i%3 == 2 {
			row = "{}"
		}
		if err := b.UnmarshalJSON([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	return b.NewRecordBatch()
}

// split returns a reader of slices of rec, which share its dictionaries.
func split(t testing.TB, rec arrow.RecordBatch, sizes ...int64) array.RecordReader {
	t.Helper()
	var parts []arrow.RecordBatch
	at := int64(0)
	for _, n := range sizes {
		parts = append(parts, rec.NewSlice(at, at+n))
		at += n
	}
	rr, err := array.NewRecordReader(rec.Schema(), parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		p.Release()
	}
	return rr
}

// back reads what was written with arrow-go's own readers.
func back(t *testing.T, f ipc.Format, b []byte) (*arrow.Schema, []arrow.RecordBatch) {
	t.Helper()
	var out []arrow.RecordBatch
	if f == ipc.File {
		r, err := arrowipc.NewFileReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for i := range r.NumRecords() {
			rec, err := r.RecordBatchAt(i)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rec)
		}
		return r.Schema(), out
	}
	r, err := arrowipc.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		r.RecordBatch().Retain()
		out = append(out, r.RecordBatch())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return r.Schema(), out
}

var (
	formats      = []ipc.Format{ipc.File, ipc.Stream}
	compressions = []ipc.Compression{ipc.None, ipc.LZ4, ipc.Zstd}
)

func TestWrite(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := rows(t, mem, 5000)
	defer rec.Release()
	for _, sizes := range [][]int64{{}, {0}, {1}, {5000}, {1, 63, 64, 65, 0, 1000, 3807}} {
		for _, f := range formats {
			for _, c := range compressions {
				t.Run(fmt.Sprint(sizes, f, c), func(t *testing.T) {
					var first []byte
					for _, workers := range []int{1, 2, 8} {
						rr := split(t, rec, sizes...)
						defer rr.Release()
						var out bytes.Buffer
						var seen []ipc.Stats
						stats, err := ipc.Write(context.Background(), &out, f, rr, ipc.WithCompression(c), ipc.WithWorkers(workers),
							ipc.WithAllocator(mem), ipc.WithProgress(func(s ipc.Stats) { seen = append(seen, s) }))
						if err != nil {
							t.Fatal(err)
						}
						total := int64(0)
						for i, n := range sizes {
							total += n
							if seen[i].Rows != total || seen[i].Batches != int64(i+1) {
								t.Errorf("progress %d is %+v", i, seen[i])
							}
						}
						if want := (ipc.Stats{Rows: total, Batches: int64(len(sizes)), Bytes: int64(out.Len())}); stats != want {
							t.Errorf("stats are %+v, want %+v", stats, want)
						}
						if first == nil {
							first = out.Bytes()
						} else if !bytes.Equal(first, out.Bytes()) {
							t.Errorf("%d workers write other bytes than one", workers)
						}
					}
					schema, got := back(t, f, first)
					if !schema.Equal(rec.Schema()) || !schema.Metadata().Equal(rec.Schema().Metadata()) {
						t.Errorf("schema is %v", schema)
					}
					if len(got) != len(sizes) {
						t.Fatalf("%d batches, want %d", len(got), len(sizes))
					}
					at := int64(0)
					for i, g := range got {
						want := rec.NewSlice(at, at+sizes[i])
						if !array.RecordEqual(want, g) {
							t.Errorf("batch %d differs", i)
						}
						at += sizes[i]
						want.Release()
						g.Release()
					}
				})
			}
		}
	}
}

// twoDictionaries returns two batches of one column whose dictionaries differ.
func twoDictionaries(t *testing.T) array.RecordReader {
	schema := arrow.NewSchema([]arrow.Field{{Name: "d", Type: label}}, nil)
	var recs []arrow.RecordBatch
	for _, word := range []string{"a", "b", "a"} {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		if err := b.Field(0).AppendValueFromString(word); err != nil {
			t.Fatal(err)
		}
		recs = append(recs, b.NewRecordBatch())
	}
	rr, err := array.NewRecordReader(schema, recs)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

func TestDictionaryThatChanges(t *testing.T) {
	for _, c := range compressions {
		for _, workers := range []int{1, 3} {
			opts := []ipc.Option{ipc.WithCompression(c), ipc.WithWorkers(workers)}
			if _, err := ipc.Write(context.Background(), io.Discard, ipc.File, twoDictionaries(t), opts...); !h5err.Is(err, h5err.Unsupported) {
				t.Errorf("%v: a file: %v", c, err)
			}
			var out bytes.Buffer
			if _, err := ipc.Write(context.Background(), &out, ipc.Stream, twoDictionaries(t), opts...); err != nil {
				t.Fatal(err)
			}
			_, got := back(t, ipc.Stream, out.Bytes())
			text := ""
			for _, g := range got {
				text += g.Column(0).ValueStr(0)
			}
			if text != "aba" {
				t.Errorf("%v: a stream: %q", c, text)
			}
		}
	}
}

func TestArguments(t *testing.T) {
	rr := twoDictionaries(t)
	for name, opt := range map[string]ipc.Option{"workers": ipc.WithWorkers(0), "compression": ipc.WithCompression(0)} {
		if _, err := ipc.Write(context.Background(), io.Discard, ipc.Stream, rr, opt); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ipc.Write(context.Background(), io.Discard, 0, rr); !h5err.Is(err, h5err.Argument) {
		t.Errorf("format: %v", err)
	}
	for _, c := range compressions {
		if got, err := ipc.ParseCompression(c.String()); got != c || err != nil {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	for _, s := range []string{"", "invalid", "brotli"} {
		if _, err := ipc.ParseCompression(s); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if s := fmt.Sprint(ipc.Format(0), ipc.Stream, ipc.Format(9), ipc.Compression(9)); s != "invalid stream format(9) compression(9)" {
		t.Error(s)
	}
}

// mapped maps a file of n bytes of values, and returns a function that makes batches whose only column is the mapping.
func mapped(t testing.TB, n, batches int) (string, *source.Source, func() array.RecordReader) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values")
	values := make([]byte, n)
	for i := range values {
		values[i] = byte(i * i >> 7)
	}
	if err := os.WriteFile(path, values, 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := source.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Release)
	if !src.Mapped() {
		t.Skip("files are not mapped here")
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	var recs []arrow.RecordBatch
	for i := range batches {
		b, _ := src.View(int64(i*n/batches), int64(n/batches))
		data := array.NewData(arrow.PrimitiveTypes.Float64, len(b)/8, []*memory.Buffer{nil, memory.NewBufferBytes(b)}, nil, 0, 0)
		recs = append(recs, array.NewRecordBatch(schema, []arrow.Array{array.NewFloat64Data(data)}, int64(len(b)/8)))
	}
	return path, src, func() array.RecordReader {
		rr, err := array.NewRecordReader(schema, recs)
		if err != nil {
			t.Fatal(err)
		}
		return rr
	}
}

func TestInputCutShort(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short")
	}
	const size, kept = 4 << 20, 1 << 20
	outputs := map[string]func(t *testing.T) io.Writer{
		"file": func(t *testing.T) io.Writer {
			f, err := os.Create(filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		},
		"memory": func(*testing.T) io.Writer { return new(bytes.Buffer) },
	}
	for name, output := range outputs {
		for _, c := range compressions {
			for _, workers := range []int{1, 2} {
				for _, batches := range []int{4, 1024} { // large buffers, and such that are gathered
					t.Run(fmt.Sprint(name, c, workers, batches), func(t *testing.T) {
						path, _, rr := mapped(t, size, batches)
						if err := os.Truncate(path, kept); err != nil {
							t.Fatal(err)
						}
						_, err := ipc.Write(context.Background(), output(t), ipc.Stream, rr(), ipc.WithCompression(c), ipc.WithWorkers(workers))
						var e *h5err.Error
						if !errors.As(err, &e) || e.Kind != h5err.IO || e.File != path || e.Offset < kept || e.Offset >= size {
							t.Fatalf("error is %v", err)
						}
					})
				}
			}
		}
	}
}

// recorder records which writes were not copied.
type recorder struct {
	from   map[*byte]int
	writes int
}

func (r *recorder) Write(p []byte) (int, error) {
	r.writes++
	r.from[&p[0]] += len(p)
	return len(p), nil
}

func TestMappedBytesAreNotCopied(t *testing.T) {
	const size = 8 << 20
	_, src, rr := mapped(t, size, 2)
	r := &recorder{from: map[*byte]int{}}
	if _, err := ipc.Write(context.Background(), r, ipc.File, rr()); err != nil {
		t.Fatal(err)
	}
	direct := 0
	for at := int64(0); at < size; at += 1 << 10 {
		b, _ := src.View(at, 1)
		direct += r.from[&b[0]]
	}
	if direct != size {
		t.Errorf("%d of %d bytes were written from the mapping", direct, size)
	}
	if r.writes > 16 {
		t.Errorf("%d writes", r.writes)
	}
}

// full is an output that accepts n bytes and then fails, or writes less than it is given.
type full struct {
	bytes.Buffer
	n   int
	err error
}

func (f *full) Write(p []byte) (int, error) {
	if len(p) <= f.n-f.Len() {
		return f.Buffer.Write(p)
	}
	n, _ := f.Buffer.Write(p[:f.n-f.Len()])
	return n, f.err
}

func TestOutputFails(t *testing.T) {
	rec := rows(t, memory.DefaultAllocator, 2000)
	noSpace := &os.PathError{Op: "write", Path: "x", Err: errors.New("no space left on device")}
	for _, f := range formats {
		for _, c := range compressions {
			var whole bytes.Buffer
			if _, err := ipc.Write(context.Background(), &whole, f, split(t, rec, 1000, 1000), ipc.WithCompression(c)); err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{0, 1, 100, whole.Len() / 3, whole.Len() - 1} {
				for _, cause := range []error{noSpace, nil} {
					want := "can't write: " + io.ErrShortWrite.Error()
					if cause != nil {
						want = "can't write: no space left on device"
					}
					out := &full{n: n, err: cause}
					_, err := ipc.Write(context.Background(), out, f, split(t, rec, 1000, 1000), ipc.WithCompression(c), ipc.WithWorkers(2))
					if !h5err.Is(err, h5err.IO) || err.Error() != want {
						t.Errorf("%v %v: %d bytes of room: %v", f, c, n, err)
					}
					if !bytes.Equal(out.Bytes(), whole.Bytes()[:n]) {
						t.Errorf("%v %v: after a failure at byte %d something else was written", f, c, n)
					}
				}
			}
		}
	}
}

// failing returns one batch and then an error.
type failing struct {
	array.RecordReader
	err   error
	after func()
	n     int
}

func (f *failing) Next() bool {
	f.n++
	if f.n == 2 && f.after != nil {
		f.after()
	}
	return f.n < 2 && f.RecordReader.Next()
}

func (f *failing) Err() error { return f.err }

func TestInputFails(t *testing.T) {
	rec := rows(t, memory.DefaultAllocator, 200)
	for _, workers := range []int{1, 4} {
		broken := h5err.At(h5err.Corrupt, 77, "broken")
		var out bytes.Buffer
		_, err := ipc.Write(context.Background(), &out, ipc.File, &failing{RecordReader: split(t, rec, 100, 100), err: broken},
			ipc.WithWorkers(workers), ipc.WithCompression(ipc.LZ4))
		if err != broken {
			t.Errorf("error is %v", err)
		}
		if bytes.HasSuffix(out.Bytes(), arrowipc.Magic) {
			t.Error("the file was ended")
		}

		ctx, cancel := context.WithCancel(context.Background())
		_, err = ipc.Write(ctx, &out, ipc.File, &failing{RecordReader: split(t, rec, 100, 100), after: cancel},
			ipc.WithWorkers(workers), ipc.WithCompression(ipc.LZ4))
		if err != context.Canceled {
			t.Errorf("error after cancellation is %v", err)
		}
	}
}

// A deadline ends a write to a pipe that nobody reads, as cmd does when it is interrupted.
func TestBlockedWriteIsCanceled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, func() { w.SetWriteDeadline(time.Now()) })
	defer stop()
	_, _, rr := mapped(t, 4<<20, 1)
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := ipc.Write(ctx, w, ipc.Stream, rr()); err != context.Canceled {
		t.Errorf("error is %v", err)
	}
}
