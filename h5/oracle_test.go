package h5_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// expectation is what libhdf5 reads from a test file (see testdata/generate.py).
type expectation struct {
	Superblock, Userblock int
	Objects               map[string]expectedObject
}

type expectedObject struct {
	Kind       string
	Links      [][]string
	Tracked    bool
	Type       string
	Shape      *[]uint64
	Maxshape   []int64
	Layout     string
	Chunks     []uint64
	Index      string
	Filters    []uint16
	Fill       any
	Values     any
	Attributes map[string]struct {
		Type   string
		Shape  *[]uint64
		Values any
	}
}

// expected reads all expectations, by the path of the file that they are about.
func expected(tb testing.TB) map[string]expectation {
	tb.Helper()
	out := map[string]expectation{}
	for _, p := range h5test.Fixtures(tb) {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(p), "expected", strings.TrimSuffix(filepath.Base(p), ".h5")+".json"))
		if err != nil {
			continue // sample.h5, which other packages' tests are about
		}
		var e expectation
		if err := json.Unmarshal(b, &e); err != nil {
			tb.Fatalf("%s: %v", p, err)
		}
		out[p] = e
	}
	if len(out) < 10 {
		tb.Fatalf("%d files", len(out))
	}
	return out
}

func open(tb testing.TB, p string, opts ...h5.Option) *h5.File {
	tb.Helper()
	f, err := h5.Open(p, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

// TestOracle compares every object of the test files with what libhdf5 reads.
func TestOracle(t *testing.T) {
	for p, e := range expected(t) {
		if len(e.Objects) == 0 {
			continue // made by another library: only its values are known
		}
		t.Run(filepath.Base(p), func(t *testing.T) {
			f := open(t, p)
			if s := f.Superblock(); s.Version != e.Superblock || s.Offset != int64(e.Userblock) {
				t.Errorf("superblock version %d at %d, want %d at %d", s.Version, s.Offset, e.Superblock, e.Userblock)
			}
			walked := map[uint64]bool{}
			if err := f.Walk(func(o h5.Object) error { walked[o.Address()] = true; return nil }); err != nil {
				t.Error(err)
			}
			addresses := map[uint64]bool{}
			for path, want := range e.Objects {
				o, err := f.Lookup(path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					continue
				}
				if o.Path() != path || o.File() != f {
					t.Errorf("%s: path is %s in %s", path, o.Path(), o.File().Name())
				}
				addresses[o.Address()] = true
				if bad := compareObject(o, &want); bad != "" {
					t.Errorf("%s: %s", path, bad)
				}
				if bad := compareAttributes(f, o, &want); bad != "" {
					t.Errorf("%s: %s", path, bad)
				}
			}
			if fmt.Sprint(walked) != fmt.Sprint(addresses) {
				t.Errorf("a walk comes to %d objects, want %d", len(walked), len(addresses))
			}
		})
	}
}

func compareObject(o h5.Object, want *expectedObject) string {
	switch o := o.(type) {
	case *h5.Group:
		return compareGroup(o, want)
	case *h5.Dataset:
		return compareDataset(o, want)
	case *h5.NamedType:
		if want.Kind != "type" || o.Type.String() != want.Type || !o.Type.Committed {
			return fmt.Sprintf("a committed type %s, want %s %s", o.Type, want.Kind, want.Type)
		}
	}
	return ""
}

func compareGroup(g *h5.Group, want *expectedObject) string {
	links, err := g.Links()
	if err != nil || want.Kind != "group" {
		return fmt.Sprintf("a group, want a %s; %v", want.Kind, err)
	}
	if g.TracksOrder() != want.Tracked {
		return fmt.Sprintf("order is tracked: %v", g.TracksOrder())
	}
	var got [][]string
	for _, l := range links {
		one := []string{l.Name, l.Kind.String()}
		switch l.Kind {
		case h5.LinkSoft:
			one = append(one, l.Target)
		case h5.LinkExternal:
			one = append(one, l.File, l.Target)
		}
		got = append(got, one)
		if found, ok, err := g.Link(l.Name); !ok || err != nil || found != l {
			return fmt.Sprintf("link %q is found as %v, %v, %v", l.Name, found, ok, err)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want.Links) {
		return fmt.Sprintf("links %v, want %v", got, want.Links)
	}
	return ""
}

func compareDataset(d *h5.Dataset, want *expectedObject) string {
	if want.Kind != "dataset" {
		return "a dataset, want a " + want.Kind
	}
	if d.Type().String() != want.Type {
		return fmt.Sprintf("type %s, want %s", d.Type(), want.Type)
	}
	if bad := compareSpace(d.Space(), want.Shape); bad != "" {
		return bad
	}
	for i, m := range want.Maxshape {
		if got := d.Space().Max[i]; got != uint64(m) { // -1 is Unlimited
			return fmt.Sprintf("largest shape %v, want %v", d.Space().Max, want.Maxshape)
		}
	}
	l, err := d.Layout()
	if err != nil {
		return err.Error()
	}
	if got := l.Storage.String(); got != want.Layout && !(want.Layout == "contiguous" && l.Storage == h5.StorageNone) {
		return fmt.Sprintf("storage %s, want %s", got, want.Layout)
	}
	if !slices.Equal(l.ChunkDims, want.Chunks) || l.Storage == h5.StorageChunked && l.Index.String() != want.Index {
		return fmt.Sprintf("chunks %v by index %s, want %v by %s", l.ChunkDims, l.Index, want.Chunks, want.Index)
	}
	filters, err := d.Filters()
	if err != nil {
		return err.Error()
	}
	var ids []uint16
	for _, fl := range filters {
		ids = append(ids, fl.ID)
	}
	if !slices.Equal(ids, want.Filters) {
		return fmt.Sprintf("filters %v, want %v", ids, want.Filters)
	}
	if _, err := d.Chunks(); err != nil {
		return err.Error()
	}
	fill, err := d.Fill()
	if err != nil || len(fill) != d.Type().Size || d.HasFill() != (want.Fill != nil) && want.Layout != "virtual" {
		return fmt.Sprintf("fill value %x (set: %v), want %v; %v", fill, d.HasFill(), want.Fill, err)
	}
	return ""
}

func compareSpace(s *h5.Space, shape *[]uint64) string {
	if shape == nil {
		if s.Class != h5.SpaceNull {
			return "no null dataspace"
		}
		return ""
	}
	scalar := len(*shape) == 0
	if scalar != (s.Class == h5.SpaceScalar) || !slices.Equal(s.Dims, *shape) {
		return fmt.Sprintf("shape %v of class %d, want %v", s.Dims, s.Class, *shape)
	}
	return ""
}

func compareAttributes(f *h5.File, o h5.Object, want *expectedObject) string {
	attrs, err := o.Attributes()
	if err != nil || len(attrs) != len(want.Attributes) {
		return fmt.Sprintf("%d attributes, want %d; %v", len(attrs), len(want.Attributes), err)
	}
	if !slices.IsSortedFunc(attrs, func(a, b *h5.Attribute) int { return strings.Compare(a.Name, b.Name) }) {
		return "attributes are not by name"
	}
	for _, a := range attrs {
		w, ok := want.Attributes[a.Name]
		if !ok {
			return fmt.Sprintf("attribute %q is not expected", a.Name)
		}
		if got, err := o.Attribute(a.Name); got != a || err != nil {
			return fmt.Sprintf("attribute %q by its name: %v, %v", a.Name, got, err)
		}
		if a.Type().String() != w.Type {
			return fmt.Sprintf("attribute %q: type %s, want %s", a.Name, a.Type(), w.Type)
		}
		if bad := compareSpace(a.Space(), w.Shape); bad != "" {
			return fmt.Sprintf("attribute %q: %s", a.Name, bad)
		}
		if bad := compareValues(f, a, flatten(w.Values)); bad != "" {
			return fmt.Sprintf("attribute %q: %s", a.Name, bad)
		}
	}
	if got, err := o.Attribute("there is no such attribute"); got != nil || err != nil {
		return fmt.Sprintf("an attribute that is not there: %v, %v", got, err)
	}
	return ""
}

// compareValues looks at an attribute's values through whichever helper takes its type.
func compareValues(f *h5.File, a *h5.Attribute, want []any) string {
	var got []any
	t := a.Type()
	switch {
	case t.Class == h5.ClassString || t.Class == h5.ClassVLen:
		v, ok := a.Strings()
		if !ok {
			return "no text"
		}
		for _, s := range v {
			got = append(got, s)
		}
	case t.Class == h5.ClassReference:
		v, ok := a.References()
		if !ok {
			return "no references"
		}
		for _, list := range v {
			o, err := f.Lookup(want[0].(string))
			if err != nil || len(list) != 1 || list[0] != o.Address() {
				return fmt.Sprintf("references %x; %v", list, err)
			}
			got = append(got, want[0])
		}
	case t.Class == h5.ClassCompound:
		return "" // no helper takes it
	default:
		v, ok := a.Floats()
		if !ok {
			return "no numbers"
		}
		for _, x := range v {
			got = append(got, x)
		}
	}
	if len(want) == 1 && want[0] == nil {
		want = nil
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Sprintf("values %v, want %v", got, want)
	}
	return ""
}

// flatten returns the leaves of nested lists.
func flatten(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return []any{v}
	}
	var out []any
	for _, x := range list {
		out = append(out, flatten(x)...)
	}
	return out
}

// TestChunkValues reads whole datasets of integers by hand, from extents and unfiltered chunks, and compares them with
// what was written.
func TestChunkValues(t *testing.T) {
	read := 0
	for p, e := range expected(t) {
		f := open(t, p)
		for path, want := range e.Objects {
			if want.Kind != "dataset" || want.Values == nil || want.Shape == nil || len(want.Filters) > 0 || want.Type != "i32le" && want.Type != "i16le" && want.Type != "u16le" {
				continue
			}
			o, err := f.Lookup(path)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := integers(t, o.(*h5.Dataset))
			if !ok {
				continue
			}
			read++
			if w := flatten(want.Values); fmt.Sprint(got) != fmt.Sprint(w) && len(got)+len(w) > 0 {
				t.Errorf("%s: %s: %v, want %v", p, path, got, w)
			}
		}
	}
	if read < 30 {
		t.Errorf("%d datasets", read)
	}
}

// integers reads little-endian integers; ok is false for storage outside the file.
func integers(t *testing.T, d *h5.Dataset) (values []float64, ok bool) {
	l, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	n, _ := d.Space().Elements()
	size := d.Type().Size
	raw := make([]byte, int(n)*size)
	at := func(p []byte, off int64) {
		if _, err := d.File().Source().ReadAt(p, off); err != nil {
			t.Fatal(err)
		}
	}
	switch l.Storage {
	case h5.StorageCompact:
		copy(raw, l.Data)
	case h5.StorageContiguous:
		at(raw, l.Offset)
	case h5.StorageChunked:
		fill, err := d.Fill()
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			copy(raw[int(i)*size:], fill)
		}
		chunks, err := d.Chunks()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			cell := make([]byte, l.ChunkBytes)
			at(cell, c.Offset)
			place(raw, cell, d.Space().Dims, l.ChunkDims, c.Number, size)
		}
	default:
		return nil, false
	}
	for ; len(raw) > 0; raw = raw[size:] {
		u := uint64(0)
		for i := range size {
			u |= uint64(raw[i]) << (8 * i)
		}
		if d.Type().Signed {
			u = uint64(int64(u<<(64-8*size)) >> (64 - 8*size))
		}
		values = append(values, float64(int64(u)))
	}
	return values, true
}

// place copies a chunk's elements to where they belong, one by one.
func place(raw, cell []byte, dims, chunk []uint64, number uint64, size int) {
	rank := len(dims)
	origin := make([]uint64, rank)
	for i := rank - 1; i >= 0; i-- {
		count := uint64(math.Ceil(float64(dims[i]) / float64(chunk[i])))
		origin[i] = number % count * chunk[i]
		number /= count
	}
	for e := 0; e*size < len(cell); e++ {
		index, rest, inside := uint64(0), uint64(e), true
		at := make([]uint64, rank)
		for i := rank - 1; i >= 0; i-- {
			at[i] = origin[i] + rest%chunk[i]
			rest /= chunk[i]
			inside = inside && at[i] < dims[i]
		}
		for i := range at {
			index = index*dims[i] + at[i]
		}
		if inside {
			copy(raw[int(index)*size:], cell[e*size:(e+1)*size])
		}
	}
}
