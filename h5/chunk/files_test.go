package chunk_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// expected is one dataset of testdata/expected.json: its elements as the HDF5 library reads them.
type expected struct {
	Shape []uint64
	Raw   []byte
	Head  bool // the first rows alone
	Error bool
}

func open(t testing.TB, path string, opts ...h5.Option) *h5.File {
	t.Helper()
	f, err := h5.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func dataset(t testing.TB, f *h5.File, path string) *h5.Dataset {
	t.Helper()
	o, err := f.Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	return o.(*h5.Dataset)
}

// readAll reads rows of a dataset by one worker, by three, and in small batches.
func readAll(t *testing.T, ds *h5.Dataset, rows int64) ([]byte, error) {
	t.Helper()
	p := chunk.NewPool(3)
	defer p.Close()
	budget := chunk.NewBudget(1 << 20)
	r, err := chunk.NewReader(ds, chunk.WithBudget(budget))
	if err != nil {
		return nil, err
	}
	defer func() {
		r.Close()
		if n := budget.Used(); n != 0 {
			t.Errorf("%s: %d bytes are held after Close", ds.Path(), n)
		}
	}()
	if rows < 0 {
		rows = r.Rows()
	}
	dst := bytes.Repeat([]byte{0xa5}, int(rows*r.RowBytes()))
	if err := r.Read(context.Background(), 0, rows, dst); err != nil {
		return nil, err
	}
	again := bytes.Repeat([]byte{0xa5}, len(dst))
	errs := make(chan error)
	n := 0
	for a := int64(0); a < rows; a += 6 {
		b := min(a+6, rows)
		r.Start(context.Background(), p, a, b, again[a*r.RowBytes():b*r.RowBytes()], chunk.StartOptions{}, func(err error) { errs <- err })
		n++
	}
	for range n {
		err = errors.Join(err, <-errs)
	}
	pooled, err2 := chunk.NewReader(ds, chunk.WithPool(p))
	if err = errors.Join(err, err2); err == nil {
		third := bytes.Repeat([]byte{0xa5}, len(dst))
		if err = pooled.Read(context.Background(), 0, rows, third); err == nil && !bytes.Equal(dst, third) {
			t.Errorf("%s: workers read something else", ds.Path())
		}
		if n, err := pooled.ScratchBytes(); err != nil || n < 0 {
			t.Errorf("%s: scratch of %d bytes, %v", ds.Path(), n, err)
		}
		pooled.Close()
	}
	if err != nil {
		t.Errorf("%s: in batches: %v", ds.Path(), err)
	} else if !bytes.Equal(dst, again) {
		t.Errorf("%s: batches differ from the whole", ds.Path())
	}
	return dst, nil
}

// TestFiles reads what h5py wrote, and what other datasets it is made of.
func TestFiles(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	// What the HDF5 library refuses, and what we do.
	errs := map[string]h5err.Kind{
		"virtual.h5/text": h5err.Unsupported, "virtual.h5/itself": h5err.Corrupt, "virtual.h5/too_far": h5err.Corrupt,
		"virtual.h5/other_type": h5err.Unsupported, "external.h5/gone": h5err.IO,
	}
	var want map[string]map[string]expected
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	want["virtual.h5"]["/itself"] = expected{Error: true}
	for _, opts := range [][]h5.Option{nil, {h5.WithoutMapping()}} {
		for name, datasets := range want {
			f := open(t, filepath.Join("testdata", name), opts...)
			for path, w := range datasets {
				if name == "source.h5" && path == "/text" {
					continue // in the heap: not for this package
				}
				rows := int64(-1)
				if w.Head {
					rows = int64(w.Shape[0])
				}
				got, err := readAll(t, dataset(t, f, path), rows)
				kind := errs[name+path]
				if strings.Contains(path, "does not fit") { // the HDF5 library rounds, and cuts off
					kind = h5err.Unsupported
				}
				if kind != 0 {
					if h5err.KindOf(err) != kind {
						t.Errorf("%s%s: error %v, want one of kind %v", name, path, err, kind)
					} else if !strings.Contains(err.Error(), name) {
						t.Errorf("%s%s: the error does not name the file: %v", name, path, err)
					}
					continue
				}
				if err != nil || w.Error {
					t.Errorf("%s%s: %v", name, path, err)
				} else if !bytes.Equal(got, w.Raw) {
					t.Errorf("%s%s differs:\n%x\nwant\n%x", name, path, got, w.Raw)
				}
				if !w.Head {
					if dims, err := dataset(t, f, path).Extent(); err != nil || !slices.Equal(dims, w.Shape) {
						t.Errorf("%s%s: extent %v, %v, want %v", name, path, dims, err, w.Shape)
					}
				}
			}
			f.Close()
		}
	}
}

// TestFixtures reads the repository's files and compares integers and floats with the values that h5py gave.
func TestFixtures(t *testing.T) {
	compared := 0
	for _, path := range h5test.Fixtures(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".h5")
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), "expected", name+".json"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Objects map[string]struct {
				Kind, Type string
				Values     any
			}
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		f := open(t, path)
		for p, o := range want.Objects {
			if o.Kind != "dataset" || o.Values == nil || !plain(o.Type) {
				continue
			}
			got, err := readAll(t, dataset(t, f, p), -1)
			if err != nil {
				t.Errorf("%s%s: %v", name, p, err)
				continue
			}
			ds := dataset(t, f, p)
			values, ok := flatten(nil, o.Values)
			if !ok {
				continue
			}
			if len(values)*ds.Type().Size != len(got) {
				t.Errorf("%s%s: %d bytes, want %d values", name, p, len(got), len(values))
				continue
			}
			for i, v := range values {
				if x := number(ds.Type(), got[i*ds.Type().Size:]); x != v && !(math.IsNaN(x) && math.IsNaN(v)) {
					t.Errorf("%s%s: value %d is %v, want %v", name, p, i, x, v)
					break
				}
			}
			compared++
		}
	}
	if compared < 50 {
		t.Errorf("%d datasets were compared", compared)
	}
}

// plain reports whether a type's name is that of an integer or float that processors have.
func plain(typ string) bool {
	for _, p := range []string{"i8le", "u8le", "i16le", "u16le", "i32le", "u32le", "f32le", "f64le", "i16be", "u16be", "i32be", "u32be", "f32be", "f64be"} {
		if typ == p {
			return true
		}
	}
	return false
}

func flatten(out []float64, v any) ([]float64, bool) {
	switch v := v.(type) {
	case float64:
		return append(out, v), true
	case []any:
		for _, x := range v {
			var ok bool
			if out, ok = flatten(out, x); !ok {
				return nil, false
			}
		}
		return out, true
	}
	return nil, false
}

func number(t *h5.Type, b []byte) float64 {
	o := t.Order.Binary()
	var u uint64
	switch t.Size {
	case 1:
		u = uint64(b[0])
	case 2:
		u = uint64(o.Uint16(b))
	case 4:
		u = uint64(o.Uint32(b))
	default:
		u = o.Uint64(b)
	}
	switch {
	case t.Class == h5.ClassFloat && t.Size == 4:
		return float64(math.Float32frombits(uint32(u)))
	case t.Class == h5.ClassFloat:
		return math.Float64frombits(u)
	case t.Signed:
		shift := 64 - 8*t.Size
		return float64(int64(u<<shift) >> shift)
	}
	return float64(u)
}

// TestView checks that mapped rows are what is read, by identity with the mapping.
func TestView(t *testing.T) {
	f := open(t, "testdata/chunked.h5")
	if !f.Source().Mapped() {
		t.Skip("this system does not map files")
	}
	for _, c := range []struct {
		file, path string
		a, b, end  int64 // View(a,b) works up to end
	}{
		{"source.h5", "/b", 0, 20, 20},
		{"source.h5", "/b", 7, 19, 19},
		{"chunked.h5", "/raw", 0, 100, 100},
		{"chunked.h5", "/raw", 120, 180, 180},
		{"chunked.h5", "/deflate", 0, 10, 0},
		{"chunked.h5", "/grid", 0, 5, 0},
		{"chunked.h5", "/nothing", 0, 5, 0},
		{"chunked.h5", "/masked", 0, 40, 10}, // the first chunk skips all filters
		{"chunked.h5", "/masked", 10, 20, 10},
		{"chunked.h5", "/raw", 1000, 1003, 1003}, // a partial chunk at the edge
		{"virtual.h5", "/concatenated", 0, 5, 0},
	} {
		f := open(t, filepath.Join("testdata", c.file))
		r, err := chunk.NewReader(dataset(t, f, c.path))
		if err != nil {
			t.Fatal(err)
		}
		end := r.ViewEnd(c.a, c.b)
		if end != c.end {
			t.Errorf("%s: rows from %d can be viewed up to %d, want %d", c.path, c.a, end, c.end)
		}
		if _, _, ok := r.View(c.a, c.b); ok != (end == c.b) {
			t.Errorf("%s: View of rows %d to %d: %v", c.path, c.a, c.b, ok)
		}
		if end == c.a {
			continue
		}
		rows, off, ok := r.View(c.a, end)
		if !ok {
			t.Errorf("%s: no View of rows %d to %d", c.path, c.a, end)
			continue
		}
		want := make([]byte, len(rows))
		if err := r.Read(context.Background(), c.a, end, want); err != nil || !bytes.Equal(rows, want) {
			t.Errorf("%s: rows %d to %d: %v; viewed %x, read %x", c.path, c.a, end, err, rows, want)
		}
		if m, _ := f.Source().View(off, int64(len(rows))); &m[0] != &rows[0] || cap(rows) != len(rows) {
			t.Errorf("%s: the viewed rows are not those at offset %d", c.path, off)
		}
		r.Close()
	}
	r, err := chunk.NewReader(dataset(t, open(t, "testdata/source.h5", h5.WithoutMapping()), "/b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := r.View(0, 1); ok {
		t.Error("a view of a file that is not mapped")
	}
}

// TestClosedFile checks that rows that were read need nothing of the file, and that a Reader reports a closed one.
func TestClosedFile(t *testing.T) {
	f := open(t, "testdata/chunked.h5")
	r, err := chunk.NewReader(dataset(t, f, "/deflate"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dst := make([]byte, 4*1003)
	if err := r.Read(context.Background(), 0, 1003, dst); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := r.Read(context.Background(), 0, 1003, dst); h5err.KindOf(err) != h5err.IO {
		t.Errorf("reading from a closed file: %v", err)
	}
	if got := binary.LittleEndian.Uint32(dst[4*10:]); got != 70 {
		t.Errorf("row 10 is %d, want 70", got)
	}
}

// TestCutShort reads files that were cut short: an error with the offset, whatever the storage.
func TestCutShort(t *testing.T) {
	whole, err := os.ReadFile("testdata/chunked.h5")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/deflate", "/raw", "/columns", "/tiny"} {
		name := filepath.Join(t.TempDir(), "cut.h5")
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, name)
		ds := dataset(t, f, path)
		r, err := chunk.NewReader(ds)
		if err != nil {
			t.Fatal(err)
		}
		cs, err := ds.Chunks()
		if err != nil {
			t.Fatal(err)
		}
		last := cs[len(cs)-1]
		if err := os.Truncate(name, last.Offset+1); err != nil {
			t.Skip(err) // a system that does not cut mapped files
		}
		dst := make([]byte, r.Rows()*r.RowBytes())
		err = r.Read(context.Background(), 0, r.Rows(), dst)
		var e *h5err.Error
		if !errors.As(err, &e) || e.Kind != h5err.IO || e.Offset != last.Offset+1 || e.File != name || e.Object != path {
			t.Errorf("%s: %v, want an error at byte %d", path, err, last.Offset+1)
		}
		r.Close()
		f.Close()
	}
}
