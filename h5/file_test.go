package h5

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
	"github.com/h5arrow/h5arrow/h5/source"
)

func TestOpenErrors(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "none.h5"))
	needError(t, err, h5err.IO, "none.h5", -1)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not ErrNotExist", err)
	}
	p := filepath.Join(dir, "broken.h5")
	if err := os.WriteFile(p, []byte(signature+"rest"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]Option{nil, {WithoutMapping()}} {
		_, err = Open(p, opts...)
		needError(t, err, h5err.Unsupported, p+": at byte 9: unsupported: superblock version 114", 9)
	}
	wrong := errors.New("wrong option")
	_, err = Open(p, func(*options) error { return wrong })
	if err != wrong {
		t.Errorf("error of an option: %v", err)
	}
	if _, err := NewFile(nil, func(*options) error { return wrong }); err != wrong {
		t.Errorf("error of an option: %v", err)
	}
}

func TestWithLimits(t *testing.T) {
	b := newBuilder().single()
	for i, l := range []Limits{{Nesting: -1}, {Messages: -1}, {AttributeSize: -1}, {HeapObjects: -1}, {Rank: -1}, {Elements: -1}, {Chunks: -1}, {DecodedBytes: -1}, {Links: -1}} {
		_, err := tryBytes(b, WithLimits(l))
		if err == nil {
			t.Errorf("limits %d: no error", i)
			continue
		}
		needError(t, err, h5err.Argument, "a limit of -1", -1)
	}
	f := openBytes(t, b, WithLimits(Limits{Chunks: 7}))
	if l := f.Limits(); l.Chunks != 7 || l.Nesting != 64 || l.DecodedBytes != 4<<30 {
		t.Errorf("limits are %+v", l)
	}
}

// TestMapping reads the same by plain reads.
func TestMapping(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithoutMapping()}} {
		f, err := Open(h5test.Fixture(t, "new.h5"), opts...)
		if err != nil {
			t.Fatal(err)
		}
		if f.Source().Mapped() && opts != nil {
			t.Error("it is mapped")
		}
		n := 0
		if err := f.walk(func(_ Object, _ string, err error) error { n++; return err }); err != nil || n < 70 {
			t.Errorf("%d objects, %v", n, err)
		}
		f.Close()
	}
}

// TestCut reads a file that was cut short while it is open: errors, and no faults.
func TestCut(t *testing.T) {
	b, err := os.ReadFile(h5test.Fixture(t, "old.h5"))
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), "cut.h5")
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.r = meta.NewReader(f.src, f.src.Size(), meta.Limits{}) // nothing is cached
	if err := os.Truncate(p, 100); err != nil {
		t.Fatal(err)
	}
	_, err = f.Lookup("/numbers")
	needError(t, err, h5err.IO, "it was cut while open", -1)
}

// failing is a source whose reads fail after some number of them.
type failing struct {
	r    io.ReaderAt
	left atomic.Int64
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.left.Add(-1) < 0 {
		return 0, errors.New("no more reads")
	}
	return f.r.ReadAt(p, off)
}

// TestReadErrors fails each read in turn; whatever comes of it is an error of kind IO.
func TestReadErrors(t *testing.T) {
	b, err := os.ReadFile(h5test.Fixture(t, "latest.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(0); ; n++ {
		r := &failing{r: bytes.NewReader(b)}
		r.left.Store(n)
		src := source.FromReaderAt(r, int64(len(b)), "failing.h5")
		f, err := NewFile(src)
		if err == nil {
			err = f.walk(func(o Object, _ string, err error) error {
				if d, ok := o.(*Dataset); ok && err == nil {
					_, err = d.Chunks()
				}
				return err
			})
			f.Close()
		} else {
			src.Release()
		}
		if err == nil {
			if n == 0 {
				t.Error("nothing was read")
			}
			return
		}
		if n < 20 {
			needError(t, err, h5err.IO, "failing.h5: ", -1)
			needError(t, err, h5err.IO, "no more reads", -1)
		}
	}
}

// TestConcurrent uses one file from many goroutines, which all see the same.
func TestConcurrent(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	for _, name := range []string{"old.h5", "new.h5", "latest.h5", "shared.h5", "vds.h5"} {
		f, err := Open(h5test.Fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		look := func() (s string) {
			err := f.walk(func(o Object, p string, err error) error {
				if err != nil {
					return err
				}
				attrs, err := o.Attributes()
				s += fmt.Sprint(p, len(attrs), err)
				for _, a := range attrs {
					v, _ := a.Strings()
					s += fmt.Sprint(a.Name, v)
				}
				switch o := o.(type) {
				case *Group:
					links, err := o.Links()
					s += fmt.Sprint(len(links), err)
					for _, l := range links {
						_, err := o.Open(l.Name)
						s += fmt.Sprint(l.Name, err)
					}
				case *Dataset:
					l, err := o.Layout()
					chunks, err2 := o.Chunks()
					fill, err3 := o.Fill()
					filters, err4 := o.Filters()
					extent, maps, err5 := o.Mappings()
					s += fmt.Sprint(l.Storage, len(chunks), fill, filters, extent, len(maps), err, err2, err3, err4, err5)
				}
				return nil
			})
			return fmt.Sprint(s, err)
		}
		var wg sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			wg.Go(func() { got[i] = look() })
		}
		wg.Wait()
		for i := range got {
			if got[i] != got[0] {
				t.Errorf("%s: goroutine %d saw something else", name, i)
			}
		}
		f.Close()
	}
}

func TestNamedType(t *testing.T) {
	w := newBuilder()
	at := w.header2(msg{typ: msgDatatype, body: i32}, attribute("a", i32, scalar, le(7, 4)))
	f := openBytes(t, w.single(w.hard("t", at), soft("s", "t")))
	n := lookup[*NamedType](t, f, "/t")
	if n.Type.String() != "i32le" || !n.Type.Committed || n.Address() != at || n.File() != f {
		t.Errorf("%+v", n)
	}
	again := lookup[*NamedType](t, f, "/s")
	if again.Path() != "/s" || n.Path() != "/t" {
		t.Errorf("paths are %s and %s", again.Path(), n.Path())
	}
	if a, err := again.Attribute("a"); err != nil || a == nil {
		t.Errorf("%v, %v", a, err)
	}
}

func TestHeaps(t *testing.T) {
	w := newBuilder()
	first := w.globalHeap([]byte("one"), []byte("two"))
	second := w.globalHeap([]byte("three"))
	f := openBytes(t, w.single())
	r := f.HeapReader()
	for _, c := range []struct {
		addr  uint64
		index uint32
		want  string
		text  string
	}{
		{first, 1, "one", ""}, {first, 2, "two", ""}, {second, 1, "three", ""}, {first, 1, "one", ""},
		{first, 3, "", "has no object 3"}, {first, 0, "", "has no object 0"}, {second, 2, "", "has no object 2"},
		{0, 1, "", "no heap at address 0"}, {meta.Undefined, 1, "", "not inside the file"}, {first + 8, 1, "", `signature "GCOL" expected`},
		{first, 1, "one", ""},
	} {
		for name, get := range map[string]func(uint64, uint32) ([]byte, error){"file": f.heapObject, "reader": r.Object} {
			b, err := get(c.addr, c.index)
			if c.text != "" {
				needError(t, err, h5err.Corrupt, c.text, -1)
			} else if err != nil || string(b) != c.want {
				t.Errorf("%s: object %d at %#x: %q, %v", name, c.index, c.addr, b, err)
			}
		}
	}
	if n := len(f.collections); n != 2 {
		t.Errorf("%d collections are cached", n)
	}
	f.heapBytes = heapCache + 1
	third := w.globalHeap([]byte("four"))
	f = openBytes(t, w.single())
	f.heapObject(first, 1)
	f.heapBytes = heapCache + 1
	if b, err := f.heapObject(third, 1); string(b) != "four" || err != nil || len(f.collections) != 1 {
		t.Errorf("%q, %v, %d collections", b, err, len(f.collections))
	}
	for _, c := range []struct {
		ref  []byte
		addr uint64
		ok   bool
	}{{le(300, 8), 300, true}, {le(0, 8), 0, false}, {le(meta.Undefined, 8), meta.Undefined, false}, {le(300, 7), 0, false}, {nil, 0, false}} {
		if addr, ok := f.RefAddress(c.ref); addr != c.addr || ok != c.ok {
			t.Errorf("reference %x: %#x, %v", c.ref, addr, ok)
		}
	}
}

// TestSourceOutlivesClose checks that a mapping stays while it is referenced.
func TestSourceOutlivesClose(t *testing.T) {
	before := source.LiveMappings()
	f, err := Open(h5test.Fixture(t, "old.h5"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lookup[*Dataset](t, f, "/numbers/i1").Layout()
	if err != nil {
		t.Fatal(err)
	}
	src := f.Source()
	if !src.Mapped() {
		src = nil
	} else {
		src.Retain()
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if src != nil {
		b, ok := src.View(l.Offset, l.Size)
		if !ok || b[0] != 0x80 {
			t.Errorf("%x, %v", b, ok)
		}
		src.Release()
	}
	if n := source.LiveMappings(); n != before {
		t.Errorf("%d mappings, were %d", n, before)
	}
}

// TestObserver watches how a file is read: every structure is in the file, and reading goes on past what is broken.
func TestObserver(t *testing.T) {
	b, err := os.ReadFile(h5test.Fixture(t, "new.h5"))
	if err != nil {
		t.Fatal(err)
	}
	look := func(b []byte) (kinds map[string]int, defects []error, chunks int) {
		f := openBytes(t, b)
		kinds = map[string]int{}
		watch, err := Inspect(f, inspect.Observer{
			Structure: func(off, n int64, what string) {
				if off < 0 || n < 0 || off+n > int64(len(b)) {
					t.Errorf("%s of %d bytes at %d", what, n, off)
				}
				kinds[what]++
			},
			Defect: func(err error) { defects = append(defects, err) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		if err := watch.Walk(func(o Object, p string, err error) error {
			if err == nil {
				_, err = o.Attributes()
			}
			if d, ok := o.(*Dataset); ok && err == nil {
				var c []Chunk
				c, err = d.Chunks()
				chunks += len(c)
			}
			if err != nil {
				t.Errorf("%s: %v", p, err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		return kinds, defects, chunks
	}
	kinds, defects, all := look(b)
	for _, what := range []string{"superblock", "object header", "B-tree header", "B-tree leaf", "fractal heap header", "fractal heap direct block", "fixed array header",
		"fixed array data block", "fixed array page", "extensible array header", "extensible array index block", "extensible array data block", "raw data", "chunk"} {
		if kinds[what] == 0 {
			t.Errorf("no %s", what)
		}
	}
	if len(defects) > 0 {
		t.Errorf("defects are %v", defects)
	}
	// One data block of an extensible array.
	spoilt := bytes.Clone(b)
	at := bytes.Index(spoilt, []byte("EADB"))
	spoilt[at+20] ^= 1
	_, defects, some := look(spoilt)
	if len(defects) != 1 || some >= all || some < all/2 {
		t.Fatalf("%d of %d chunks, defects %v", some, all, defects)
	}
	needError(t, defects[0], h5err.Corrupt, "checksum of the extensible array data block", int64(at))
}

func TestHeaderExported(t *testing.T) {
	w := newBuilder()
	at := w.header2(msg{typ: msgLinks, body: hx("00 03 00 00 00")}, msg{typ: 0x0d, flags: flagShared, body: []byte("text")})
	old := w.header1(msg{typ: 0x0d, body: []byte("text")})
	w.b[old+2], w.b[old+4] = 5, 7 // messages, links
	f, err := Inspect(openBytes(t, w.single()), inspect.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := f.Header(at)
	if err != nil || h.Version != 2 || h.Links != 3 || len(h.Messages) != 2 || h.Missing != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	if m := h.Messages[1]; m.Type != 0x0d || !m.Shared() || string(m.Body) != "text" || m.Offset != int64(bytes.Index(w.b, []byte("text"))) {
		t.Errorf("%+v", m)
	}
	h, err = f.Header(old)
	if err != nil || h.Version != 1 || h.Links != 7 || len(h.Messages) != 1 || h.Missing != 4 {
		t.Errorf("%+v, %v", h, err)
	}
	_, err = f.Header(0)
	needError(t, err, h5err.Corrupt, "test.h5: ", -1)
	if h, err := f.Header(f.Root()); err != nil || h.Links != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if addr, ok := f.Extension(); ok {
		t.Errorf("a superblock extension at %#x", addr)
	}
}
