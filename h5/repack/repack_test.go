package repack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/repack"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/h5/write/flat"
)

var layouts = map[string]repack.Options{
	"contiguous": {},
	"growing":    {Growing: true},
	"keep":       {Layout: repack.Keep, PageSize: 4096},
	"chunked":    {Layout: repack.Chunked, ChunkRows: 7, Filters: []h5.Filter{{ID: encode.Shuffle}, {ID: encode.Deflate, Optional: true}}},
}

func files(t *testing.T) []string {
	t.Helper()
	if list := os.Getenv("H5ARROW_REPACK"); list != "" { // other files
		return strings.Split(list, "\n")
	}
	return h5test.Fixtures(t)
}

func TestFile(t *testing.T) {
	done := map[string]int{}
	for _, name := range files(t) {
		for layout, o := range layouts {
			in, err := h5.Open(name)
			if err != nil {
				continue
			}
			out := filepath.Join(t.TempDir(), "out.h5")
			w, err := os.Create(out)
			if err != nil {
				t.Fatal(err)
			}
			_, err = repack.File(context.Background(), in, w, o)
			w.Close()
			switch {
			case err == nil:
				done[layout]++
				compareFiles(t, layout+" "+name, in, out)
			case h5err.Is(err, h5err.Unsupported), h5err.Is(err, h5err.Limit):
				t.Logf("%s %s: %v", layout, name, err)
			default:
				t.Errorf("%s %s: %v", layout, name, err)
			}
			in.Close()
		}
	}
	t.Log(done)
	if done["contiguous"] < 10 {
		t.Errorf("%v files were written", done)
	}
}

// TestWorkers repacks chunks of several shapes: the bytes do not depend on the number of workers.
func TestWorkers(t *testing.T) {
	i16 := &h5.Type{Class: h5.ClassFixed, Size: 2, Precision: 16}
	name := written.File(t, filepath.Join(t.TempDir(), "in.h5"), func(f *write.File) error {
		for path, chunk := range map[string][]uint64{"/tiny": {100, 3}, "/columns": {5000, 1}, "/large": {2_000_000, 3}, "/plain": nil} {
			d, err := f.Dataset(path, write.Spec{Type: i16, Space: write.Shape(2_100_007, 3), ChunkDims: chunk})
			if err != nil {
				return err
			}
			rows := make([]byte, 2_100_007*6)
			for i := range rows {
				rows[i] = byte(i * i >> 7)
			}
			if err := d.Write(rows); err != nil {
				return err
			}
		}
		return nil
	})
	in, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var first []byte
	for _, workers := range []int{1, 2, 3, 8} {
		out, err := os.Create(filepath.Join(t.TempDir(), "out.h5"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = repack.File(context.Background(), in, out, repack.Options{Workers: workers})
		out.Close()
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
			compareFiles(t, "contiguous", in, out.Name())
		}
		if !bytes.Equal(b, first) {
			t.Errorf("%d workers: other bytes", workers)
		}
	}
}

// TestKept repacks what can't be decoded, and links and references whose meaning only other programs know.
func TestKept(t *testing.T) {
	byteType := &h5.Type{Class: h5.ClassFixed, Size: 1, Precision: 8}
	name := written.File(t, filepath.Join(t.TempDir(), "in.h5"), func(f *write.File) error {
		x, err := f.Dataset("/x", write.Spec{Type: byteType, Space: write.Shape(10), ChunkDims: []uint64{4}, Filters: []h5.Filter{{ID: 300, Values: []uint32{1, 2}}}})
		if err != nil {
			return err
		}
		refs, err := f.Dataset("/refs", write.Spec{Type: &h5.Type{Class: h5.ClassReference, Ref: h5.RefObject2, Size: 18}, Space: write.Shape(1)})
		if err != nil {
			return err
		}
		attribute := append([]byte{16, 0, 0, 0, 0, 0, 0, 0, h5.RefToAttribute, 0, byte(x.ID()), 0, 0, 0, 0, 0, 0, 0}, "\x04\x00name"...)
		return errors.Join(f.UserLink("/own", 65, "data"), x.WriteChunk([]uint64{0}, 0, []byte("?!")), x.WriteChunk([]uint64{8}, 0, []byte("more")), refs.Write(attribute))
	})
	in, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for layout, o := range layouts {
		out, err := os.Create(filepath.Join(t.TempDir(), "out.h5"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := repack.File(context.Background(), in, out, o)
		out.Close()
		if err != nil {
			t.Errorf("%s: %v", layout, err)
			continue
		}
		compareFiles(t, layout, in, out.Name())
		for _, d := range res.Datasets {
			if kept := d.Path == "/x" && layout != "keep"; kept != (d.Kept != nil) || kept && !strings.Contains(d.Kept.Error(), "filter 300") {
				t.Errorf("%s: %s: %v", layout, d.Path, d.Kept)
			}
		}
		if res.Copied != 2 {
			t.Errorf("%s: %d chunks were copied", layout, res.Copied)
		}
	}
}

// TestSparse repacks datasets of which few chunks were written: no others are written.
func TestSparse(t *testing.T) {
	i16 := &h5.Type{Class: h5.ClassFixed, Size: 2, Precision: 16}
	name := written.File(t, filepath.Join(t.TempDir(), "in.h5"), func(f *write.File) error {
		for path, fill := range map[string][]byte{"/zeros": nil, "/filled": {7, 1}} {
			d, err := f.Dataset(path, write.Spec{Type: i16, Space: write.Growing(100001, 3), ChunkDims: []uint64{10, 2}, Fill: fill})
			if err != nil {
				return err
			}
			for _, at := range [][]uint64{{0, 2}, {5000, 0}, {100000, 0}} {
				if err := d.WriteChunk(at, 0, bytes.Repeat([]byte{1, 2}, 20)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	in, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for what, o := range map[string]repack.Options{
		"chunked": {Layout: repack.Chunked, Filters: []h5.Filter{{ID: encode.Deflate, Optional: true}}}, "contiguous, growing": {Growing: true},
	} {
		out, err := os.Create(filepath.Join(t.TempDir(), "out.h5"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if _, err := repack.File(context.Background(), in, out, o); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		compareFiles(t, what, in, out.Name())
		f, err := h5.Open(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, path := range []string{"/zeros", "/filled"} {
			d, err := f.Lookup(path)
			if err != nil {
				t.Fatal(err)
			}
			if chunks, err := d.(*h5.Dataset).Chunks(); err != nil || len(chunks) != 3 {
				t.Errorf("%s: %s: %d chunks, %v", what, path, len(chunks), err)
			}
		}
	}
}

// TestUnlinkedType repacks datasets and attributes of committed types, one of which no link leads to: they still share it, with its
// attributes.
func TestUnlinkedType(t *testing.T) {
	i16 := &h5.Type{Class: h5.ClassFixed, Size: 2, Precision: 16}
	name := written.File(t, filepath.Join(t.TempDir(), "in.h5"), func(f *write.File) error {
		named, err := f.CommitUnlinked(i16)
		if err != nil {
			return err
		}
		linked, err := f.Commit("/type", i16)
		if err != nil {
			return err
		}
		err = named.Attribute(write.Attribute{Name: "note", Type: i16, Space: write.Shape(), Data: []byte{1, 2}})
		for _, path := range []string{"/a", "/b"} {
			d, err2 := f.Dataset(path, write.Spec{Type: i16, Named: named, Space: write.Shape(2)})
			if err2 != nil {
				return err2
			}
			err = errors.Join(err, d.Write([]byte{1, 0, 2, 0}), d.Attribute(write.Attribute{Name: "x", Type: i16, Named: linked, Space: write.Shape(), Data: []byte{7, 0}}),
				d.Attribute(write.Attribute{Name: "y", Type: i16, Named: named, Space: write.Shape(), Data: []byte{8, 0}}))
		}
		return errors.Join(err, linked.Attribute(write.Attribute{Name: "own", Type: i16, Named: linked, Space: write.Shape(), Data: []byte{9, 0}}))
	})
	in, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for layout, o := range layouts {
		out, err := os.Create(filepath.Join(t.TempDir(), "out.h5"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = repack.File(context.Background(), in, out, o)
		out.Close()
		if err != nil {
			t.Errorf("%s: %v", layout, err)
			continue
		}
		compareFiles(t, layout, in, out.Name())
		b, err := os.ReadFile(out.Name())
		if n := bytes.Count(b, []byte("note\x00")); err != nil || n != 1 {
			t.Errorf("%s: the type's attribute is there %d times, %v", layout, n, err)
		}
	}
}

// compareFiles compares objects, links, attributes and values.
func compareFiles(t *testing.T, what string, in *h5.File, name string) {
	t.Helper()
	out, err := h5.Open(name)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer out.Close()
	if _, err := check.File(context.Background(), out, check.Options{Deep: true}, func(err error) {
		if !h5err.Is(err, h5err.Unsupported) && !h5err.Is(err, h5err.NotFound) && !h5err.Is(err, h5err.IO) { // other files are elsewhere
			t.Errorf("%s: check: %v", what, err)
		}
	}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	c := comparison{t: t, what: what, in: in, out: out, ids: [2]map[uint64]uint64{{}, {}}}
	c.number(in.Root(), out.Root())
	c.each(in.Root(), out.Root(), map[uint64]bool{})
}

type comparison struct {
	t       *testing.T
	what    string
	in, out *h5.File
	ids     [2]map[uint64]uint64 // numbers of objects by address
}

// number numbers the objects of both files, which hard links must lead to alike.
func (c *comparison) number(a, b h5.Object) {
	if id, ok := c.ids[0][a.Address()]; ok {
		if c.ids[1][b.Address()] != id {
			c.t.Errorf("%s: %s is another object", c.what, a.Path())
		}
		return
	}
	n := uint64(len(c.ids[0]) + 1)
	c.ids[0][a.Address()], c.ids[1][b.Address()] = n, n
	g, ok := a.(*h5.Group)
	if !ok {
		return
	}
	h, ok := b.(*h5.Group)
	if !ok {
		c.t.Fatalf("%s: %s is not a group", c.what, a.Path())
	}
	x, err := g.Links()
	y, err2 := h.Links()
	if err != nil || err2 != nil || len(x) != len(y) {
		c.t.Fatalf("%s: %s: %d links, %d, %v, %v", c.what, a.Path(), len(x), len(y), err, err2)
	}
	for i := range x {
		l, m := x[i], y[i]
		if l.Name != m.Name || l.Kind != m.Kind || l.Target != m.Target || l.File != m.File || l.Class != m.Class || l.Data != m.Data {
			c.t.Errorf("%s: %s: link %+v, %+v", c.what, a.Path(), l, m)
		}
		if l.Kind == h5.LinkHard {
			p, err := g.OpenLink(l)
			q, err2 := h.OpenLink(m)
			if err != nil || err2 != nil {
				c.t.Fatalf("%s: %s/%s: %v, %v", c.what, a.Path(), l.Name, err, err2)
			}
			c.number(p, q)
		}
	}
}

func (c *comparison) each(a, b h5.Object, seen map[uint64]bool) {
	if seen[a.Address()] {
		return
	}
	seen[a.Address()] = true
	c.attributes(a, b)
	switch a := a.(type) {
	case *h5.Dataset:
		c.dataset(a, b.(*h5.Dataset))
	case *h5.Group:
		links, _ := a.Links()
		for _, l := range links {
			if l.Kind == h5.LinkHard {
				p, _ := a.OpenLink(l)
				m, _, _ := b.(*h5.Group).Link(l.Name)
				q, err := b.(*h5.Group).OpenLink(m)
				if err != nil {
					c.t.Fatal(err)
				}
				c.each(p, q, seen)
			}
		}
	}
}

// flat returns values with the numbers of objects in place of their addresses.
func (c *comparison) flat(i int, typ *h5.Type, stored []byte) []byte {
	f := []*h5.File{c.in, c.out}[i]
	b, err := flat.NewFlattener(f, typ, func(addr uint64) (uint64, error) { return c.ids[i][addr], nil }).Append(nil, stored)
	if err != nil {
		c.t.Errorf("%s: %v", c.what, err)
	}
	return b
}

func plain(t *h5.Type) *h5.Type {
	p := *t
	p.Committed = false
	return &p
}

func (c *comparison) attributes(a, b h5.Object) {
	x, err := a.Attributes()
	y, err2 := b.Attributes()
	if err != nil || err2 != nil || len(x) != len(y) {
		c.t.Errorf("%s: %s: %d attributes, %d, %v, %v", c.what, a.Path(), len(x), len(y), err, err2)
		return
	}
	if p, q := namesInOrder(x), namesInOrder(y); !slices.Equal(p, q) {
		c.t.Errorf("%s: %s: attributes in the order %q, %q", c.what, a.Path(), p, q)
	}
	for i := range x {
		if x[i].Name != y[i].Name || !reflect.DeepEqual(plain(x[i].Type()), plain(y[i].Type())) || fmt.Sprint(*x[i].Space()) != fmt.Sprint(*y[i].Space()) {
			c.t.Errorf("%s: %s: attribute %s %v %v, %s %v %v", c.what, a.Path(), x[i].Name, x[i].Type(), x[i].Space(), y[i].Name, y[i].Type(), y[i].Space())
			continue
		}
		p, named := x[i].Committed()
		q, named2 := y[i].Committed()
		if named != named2 || c.ids[0][p] != c.ids[1][q] {
			c.t.Errorf("%s: %s: attribute %s of a committed type %v, %v", c.what, a.Path(), x[i].Name, named, named2)
		}
		if !bytes.Equal(c.flat(0, x[i].Type(), x[i].Raw()), c.flat(1, y[i].Type(), y[i].Raw())) {
			c.t.Errorf("%s: %s: values of attribute %s", c.what, a.Path(), x[i].Name)
		}
	}
}

// namesInOrder returns the names of attributes in the order in which they were made.
func namesInOrder(attrs []*h5.Attribute) (names []string) {
	attrs = slices.Clone(attrs)
	slices.SortStableFunc(attrs, func(a, b *h5.Attribute) int { return int(int64(a.Order()) - int64(b.Order())) })
	for _, a := range attrs {
		names = append(names, a.Name)
	}
	return names
}

func (c *comparison) dataset(a, b *h5.Dataset) {
	if !reflect.DeepEqual(plain(a.Type()), plain(b.Type())) || fmt.Sprint(a.Space().Class, a.Space().Dims) != fmt.Sprint(b.Space().Class, b.Space().Dims) || a.HasFill() != b.HasFill() {
		c.t.Errorf("%s: %s: %v %v, %v %v, fill values %v, %v", c.what, a.Path(), a.Type(), a.Space(), b.Type(), b.Space(), a.HasFill(), b.HasFill())
		return
	}
	if a.Type().Committed != b.Type().Committed {
		c.t.Errorf("%s: %s: a committed type %v, %v", c.what, a.Path(), a.Type().Committed, b.Type().Committed)
	}
	l, err := a.Layout()
	if err == nil && l.Storage == h5.StorageChunked && !strings.HasPrefix(c.what, "contiguous") && a.Space().Growable() && fmt.Sprint(a.Space().Max) != fmt.Sprint(b.Space().Max) {
		c.t.Errorf("%s: %s: maximum shape %v, %v", c.what, a.Path(), a.Space().Max, b.Space().Max)
	}
	if err != nil || l.Storage == h5.StorageExternal || l.Storage == h5.StorageVirtual {
		return // elsewhere
	}
	if err := chunk.Decodable(a); l.Storage == h5.StorageChunked && h5err.Is(err, h5err.Unsupported) {
		if x, y := c.chunks(a), c.chunks(b); !reflect.DeepEqual(x, y) {
			c.t.Errorf("%s: %s: chunks differ", c.what, a.Path())
		}
		return
	}
	x, y := c.values(a), c.values(b)
	if !bytes.Equal(c.flat(0, a.Type(), x), c.flat(1, b.Type(), y)) {
		c.t.Errorf("%s: %s: values differ", c.what, a.Path())
	}
}

// chunks returns the chunks of a dataset as they are stored, by their numbers.
func (c *comparison) chunks(d *h5.Dataset) map[uint64]string {
	all := map[uint64]string{}
	err := d.EachChunk(func(k h5.Chunk) error {
		b := make([]byte, k.Size)
		_, err := d.File().Source().ReadAt(b, k.Offset)
		all[k.Number] = fmt.Sprintf("%x %s", k.FilterMask, b)
		return err
	})
	if err != nil || len(all) == 0 {
		c.t.Errorf("%s: %s: %d chunks, %v", c.what, d.Path(), len(all), err)
	}
	return all
}

func (c *comparison) values(d *h5.Dataset) []byte {
	r, err := chunk.NewReader(d)
	if err != nil {
		c.t.Errorf("%s: %v", c.what, err)
		return nil
	}
	defer r.Close()
	b := make([]byte, min(r.Rows(), 1000000)*r.RowBytes())
	if err := r.Read(context.Background(), 0, min(r.Rows(), 1000000), b); err != nil {
		c.t.Errorf("%s: %v", c.what, err)
	}
	return b
}
