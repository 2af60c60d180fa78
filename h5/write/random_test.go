package write_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/h5/write/flat"
)

// tree is what a random file holds.
type tree struct {
	r       *rand.Rand
	version write.Version
	stream  bool // only what can be streamed
	plain   bool // no references
	objects []*node
	links   map[string]link // soft and external
}

type link struct{ target, file string }

type node struct {
	path   string
	kind   string // group, dataset, type
	typ    *h5.Type
	named  *node
	spec   write.Spec
	data   []byte // in flat form
	rows   uint64
	attrs  []write.Attribute
	order  bool
	writer write.Object
	hard   []string
}

// randomType returns a type; deep allows composite ones.
func (t *tree) randomType(depth int, heap bool) *h5.Type {
	r := t.r
	order := h5.LittleEndian
	if r.IntN(3) == 0 {
		order = h5.BigEndian
	}
	n := 14
	if depth > 2 {
		n = 7
	}
	switch r.IntN(n) {
	case 0, 1:
		size := 1 << r.IntN(4)
		return &h5.Type{Class: h5.ClassFixed, Size: size, Order: order, Signed: r.IntN(2) == 0, Precision: 8 * size}
	case 2:
		return &h5.Type{Class: h5.ClassFixed, Size: 4, Order: order, Precision: 20, BitOffset: 3}
	case 3:
		return &h5.Type{Class: h5.ClassFloat, Size: 8, Order: order, Precision: 64, Float: &h5.FloatFields{Sign: 63, ExpLoc: 52, ExpSize: 11, MantSize: 52, Bias: 1023, Norm: 2}}
	case 4:
		return &h5.Type{Class: h5.ClassString, Size: 1 + r.IntN(9), Pad: h5.StringPad(r.IntN(3)), CharSet: h5.CharSet(r.IntN(2))}
	case 5:
		return &h5.Type{Class: h5.ClassBitfield, Size: 2, Order: order, Precision: 16}
	case 6:
		return &h5.Type{Class: h5.ClassOpaque, Size: 1 + r.IntN(20), Tag: "tag " + strings.Repeat("x", r.IntN(9))}
	case 7, 8:
		return t.compound(depth, heap)
	case 9:
		base := &h5.Type{Class: h5.ClassFixed, Size: 2, Order: order, Signed: true, Precision: 16}
		e := &h5.Type{Class: h5.ClassEnum, Size: 2, Order: order, Base: base}
		for i := range 1 + r.IntN(5) {
			e.Names = append(e.Names, fmt.Sprint("name", i))
			e.Values = append(e.Values, byte(i), 0)
		}
		return e
	case 10:
		base := t.randomType(depth+1, heap)
		dims := []uint64{uint64(1 + r.IntN(3)), uint64(1 + r.IntN(3))}[:1+r.IntN(2)]
		size := base.Size
		for _, d := range dims {
			size *= int(d)
		}
		return &h5.Type{Class: h5.ClassArray, Size: size, Base: base, Dims: dims}
	case 11:
		if t.plain {
			return fixed(8, true)
		}
		return &h5.Type{Class: h5.ClassReference, Size: 8}
	case 12:
		if heap {
			return &h5.Type{Class: h5.ClassVLen, Size: 16, Base: t.randomType(depth+1, heap)}
		}
	}
	if heap {
		v := varString()
		v.Base.Order, v.Order = 0, 0
		return v
	}
	return fixed(1, false)
}

func (t *tree) compound(depth int, heap bool) *h5.Type {
	c := &h5.Type{Class: h5.ClassCompound}
	for i := range 1 + t.r.IntN(4) {
		m := h5.Member{Name: fmt.Sprint("m", i), Offset: c.Size + t.r.IntN(3), Type: t.randomType(depth+1, heap)}
		c.Size = m.Offset + m.Type.Size
		c.Members = append(c.Members, m)
	}
	c.Size += t.r.IntN(4)
	return c
}

// pointing reports whether elements of a type point to the heap.
func pointing(t *h5.Type) bool {
	for _, m := range t.Members {
		if pointing(m.Type) {
			return true
		}
	}
	return t.Class == h5.ClassVLen || t.Base != nil && t.Class == h5.ClassArray && pointing(t.Base)
}

// values appends n elements in the form that the writer takes.
func (t *tree) values(b []byte, typ *h5.Type, n int) []byte {
	return t.parts(b, typ, n, pointing(typ))
}

func (t *tree) value(b []byte, typ *h5.Type) []byte { return t.values(b, typ, 1) }

func (t *tree) parts(b []byte, typ *h5.Type, n int, flat bool) []byte {
	for range n {
		b = t.part(b, typ, flat)
	}
	return b
}

func (t *tree) part(b []byte, typ *h5.Type, packed bool) []byte {
	switch {
	case typ.Class == h5.ClassReference:
		return binary.LittleEndian.AppendUint64(b, uint64(t.r.IntN(len(t.objects)+1)))
	case typ.Class == h5.ClassVLen && typ.VarString:
		return append(b, texts(strings.Repeat("añ", t.r.IntN(40)))...)
	case typ.Class == h5.ClassVLen:
		n := t.r.IntN(4)
		return t.parts(binary.LittleEndian.AppendUint64(b, uint64(n)), typ.Base, n, true)
	case typ.Class == h5.ClassArray:
		return t.parts(b, typ.Base, typ.Size/typ.Base.Size, packed)
	case typ.Class == h5.ClassCompound && packed:
		for _, m := range typ.Members {
			b = t.part(b, m.Type, true)
		}
		return b
	case typ.Class == h5.ClassCompound:
		at := len(b)
		b = append(b, make([]byte, typ.Size)...)
		for _, m := range typ.Members {
			copy(b[at+m.Offset:], t.part(nil, m.Type, false))
		}
		return b
	}
	for range typ.Size {
		b = append(b, byte(t.r.Uint32()))
	}
	return b
}

func (t *tree) space(max int) h5.Space {
	switch t.r.IntN(9) {
	case 0:
		return write.Shape()
	case 1:
		if t.version != write.Earliest {
			return h5.Space{Class: h5.SpaceNull}
		}
	}
	dims := make([]uint64, 1+t.r.IntN(3))
	for i := range dims {
		dims[i] = uint64(t.r.IntN(max) + t.r.IntN(2))
	}
	return write.Shape(dims...)
}

func elements(s h5.Space) int {
	n, _ := s.Elements()
	return int(n)
}

func (t *tree) attributes(n *node) {
	count := t.r.IntN(4)
	if t.r.IntN(6) == 0 {
		count = 30
	}
	for i := range count {
		a := write.Attribute{Name: fmt.Sprintf("a%dé", i), Type: t.randomType(0, true), Space: t.space(4)}
		if t.r.IntN(40) == 0 && t.version != write.Earliest {
			a.Type, a.Space = fixed(8, true), write.Shape(10000)
		}
		a.Data = t.values(nil, a.Type, elements(a.Space))
		n.attrs = append(n.attrs, a)
	}
}

// newTree makes the plan of a file.
func newTree(seed uint64, version write.Version, stream bool) *tree {
	t := &tree{r: rand.New(rand.NewPCG(seed, 1)), version: version, stream: stream, links: map[string]link{}}
	paths := []string{""}
	for i := range 3 + t.r.IntN(25) {
		n := &node{path: fmt.Sprintf("%s/o%d", paths[t.r.IntN(len(paths))], i), order: version != write.Earliest && t.r.IntN(3) == 0}
		switch t.r.IntN(6) {
		case 0, 1:
			n.kind = "group"
			paths = append(paths, n.path)
		case 2:
			n.kind, n.typ = "type", t.randomType(0, true)
		default:
			n.kind = "dataset"
		}
		t.objects = append(t.objects, n)
		if t.r.IntN(4) == 0 {
			n.hard = append(n.hard, fmt.Sprintf("%s/h%d", paths[t.r.IntN(len(paths))], i))
		}
		if t.r.IntN(5) == 0 {
			t.links[fmt.Sprintf("%s/s%d", paths[t.r.IntN(len(paths))], i)] = link{target: "/nowhere"}
		}
		if t.r.IntN(8) == 0 && version != write.Earliest {
			t.links[fmt.Sprintf("%s/e%d", paths[t.r.IntN(len(paths))], i)] = link{"/x", "other.h5"}
		}
	}
	for _, n := range t.objects {
		t.attributes(n)
		if n.kind == "dataset" {
			t.dataset(n)
		}
	}
	return t
}

// dataset chooses a dataset's type, shape, layout, filters and values.
func (t *tree) dataset(n *node) {
	s := &n.spec
	n.typ = t.randomType(0, !t.stream)
	for _, o := range t.objects {
		if o.kind == "type" && t.r.IntN(8) == 0 && !(t.stream && pointing(o.typ)) {
			n.named, n.typ = o, o.typ
			break
		}
	}
	s.Type, s.Space = n.typ, t.space(20)
	rows := uint64(1)
	if s.Space.Class == h5.SpaceSimple {
		rows = s.Space.Dims[0]
	}
	if s.Space.Class == h5.SpaceNull {
		rows = 0
	}
	n.rows = rows
	if s.Space.Class == h5.SpaceSimple && t.r.IntN(5) > 1 {
		t.chunks(s)
	} else if t.r.IntN(3) == 0 && elements(s.Space)*n.typ.Size < 1000 {
		s.Storage = h5.StorageCompact
	}
	if t.r.IntN(3) == 0 && !pointing(n.typ) && n.typ.Class != h5.ClassReference && !refers(n.typ) {
		s.Fill = t.value(nil, n.typ)
		if rows > 0 && t.r.IntN(2) == 0 {
			n.rows = uint64(t.r.IntN(int(rows)))
		}
	}
	per := 1
	for _, d := range s.Space.Dims[min(1, len(s.Space.Dims)):] {
		per *= int(d)
	}
	n.data = t.values(nil, n.typ, int(n.rows)*per)
}

func refers(t *h5.Type) bool {
	for _, m := range t.Members {
		if refers(m.Type) {
			return true
		}
	}
	return t.Class == h5.ClassReference || t.Base != nil && refers(t.Base)
}

func (t *tree) chunks(s *write.Spec) {
	for _, d := range s.Space.Dims {
		s.ChunkDims = append(s.ChunkDims, uint64(1+t.r.IntN(int(d)+3)))
		switch t.r.IntN(4) {
		case 0:
			s.Space.Max = append(s.Space.Max, h5.Unlimited)
		case 1:
			s.Space.Max = append(s.Space.Max, d+uint64(t.r.IntN(30)))
		default:
			s.Space.Max = append(s.Space.Max, d)
		}
	}
	if t.r.IntN(2) == 0 {
		s.Space.Max = nil
	}
	if t.stream {
		if s.Space.Max != nil { // the number of chunks in the file is that of their order
			s.Space.Max = nil
		}
		return
	}
	if t.version == write.V110 && s.Space.Max == nil && t.r.IntN(5) == 0 {
		s.Index = h5.IndexImplicit
		return
	}
	s.RawEdges = t.version == write.V110 && t.r.IntN(5) == 0
	for _, pool := range [][]h5.Filter{
		{{ID: encode.Shuffle}, {ID: encode.Bitshuffle}},
		{{ID: encode.Deflate}, {ID: encode.LZF, Optional: true}, {ID: encode.Zstd}, {ID: encode.LZ4}, {ID: encode.Blosc}, {ID: encode.Blosc2}},
		{{ID: encode.Fletcher32}},
	} {
		if t.r.IntN(3) == 0 {
			s.Filters = append(s.Filters, pool[t.r.IntN(len(pool))])
		}
	}
}

// write writes the file. Rows arrive in pieces of random sizes, which don't matter for the bytes of the file.
func (t *tree) write(f *write.File) error {
	for i, n := range t.objects {
		var err error
		switch n.kind {
		case "group":
			n.writer, err = f.Group(n.path)
		case "type":
			n.writer, err = f.Commit(n.path, n.typ)
		default:
			if n.named != nil && n.named.writer != nil {
				n.spec.Named = n.named.writer.(*write.NamedType)
			}
			n.writer, err = f.Dataset(n.path, n.spec)
		}
		if err != nil {
			return err
		}
		if want := uint64(i + 2); n.writer.ID() != want { // 1 is the root
			return fmt.Errorf("%s has number %d, want %d", n.path, n.writer.ID(), want)
		}
		if n.order {
			n.writer.TrackOrder(true, true)
		}
	}
	for _, n := range t.objects {
		for _, a := range n.attrs {
			if err := n.writer.Attribute(a); err != nil {
				return err
			}
		}
		for _, p := range n.hard {
			if err := f.HardLink(p, n.writer); err != nil {
				return err
			}
		}
	}
	for p, l := range t.links {
		var err error
		if l.file == "" {
			err = f.SoftLink(p, l.target)
		} else {
			err = f.ExternalLink(p, l.file, l.target)
		}
		if err != nil {
			return err
		}
	}
	return t.writeRows()
}

func (t *tree) writeRows() error {
	for _, compact := range []bool{true, false} {
		for _, n := range t.objects {
			d, ok := n.writer.(*write.Dataset)
			if !ok || len(n.data) == 0 || compact != (n.spec.Storage == h5.StorageCompact) {
				continue
			}
			if pointing(n.typ) || n.spec.Space.Class != h5.SpaceSimple || t.r.IntN(2) == 0 {
				if err := d.Write(n.data); err != nil {
					return err
				}
				continue
			}
			row := len(n.data) / int(n.rows)
			for b := n.data; len(b) > 0; {
				k := min(len(b), row*(1+t.r.IntN(5)))
				if err := d.Write(b[:k]); err != nil {
					return err
				}
				b = b[k:]
			}
		}
	}
	return nil
}

// verify compares a file with the plan.
func (t *tree) verify(tb testing.TB, path string) {
	tb.Helper()
	f, err := h5.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if _, err := check.File(context.Background(), f, check.Options{Deep: true}, func(err error) { tb.Errorf("check: %v", err) }); err != nil {
		tb.Fatal(err)
	}
	ids := map[uint64]uint64{f.Root().Address(): 1}
	found := make([]h5.Object, len(t.objects))
	for i, n := range t.objects {
		if found[i], err = f.Lookup(n.path); err != nil {
			tb.Fatal(err)
		}
		ids[found[i].Address()] = uint64(i + 2)
		for _, p := range n.hard {
			if o, err := f.Lookup(p); err != nil || o.Address() != found[i].Address() {
				tb.Errorf("%s is not %s: %v", p, n.path, err)
			}
		}
	}
	number := func(addr uint64) (uint64, error) {
		if id, ok := ids[addr]; ok {
			return id, nil
		}
		return 0, h5err.New(h5err.Corrupt, "a reference to address %#x", addr)
	}
	for i, n := range t.objects {
		t.verifyObject(tb, f, n, found[i], number)
	}
	for p, l := range t.links {
		t.verifyLink(tb, f, p, l)
	}
}

func (t *tree) verifyLink(tb testing.TB, f *h5.File, path string, want link) {
	dir, name := filepath.Split(path)
	o, err := f.Lookup(dir)
	if err != nil {
		tb.Fatal(err)
	}
	l, ok, err := o.(*h5.Group).Link(name)
	if err != nil || !ok || l.Target != want.target || l.File != want.file {
		tb.Errorf("%s: %+v, %v", path, l, err)
	}
}

func (t *tree) verifyObject(tb testing.TB, f *h5.File, n *node, o h5.Object, number func(uint64) (uint64, error)) {
	tb.Helper()
	switch o := o.(type) {
	case *h5.NamedType:
		sameType(tb, n.path, o.Type, n.typ)
	case *h5.Dataset:
		t.verifyDataset(tb, f, n, o, number)
	}
	attrs, err := o.Attributes()
	if err != nil || len(attrs) != len(n.attrs) {
		tb.Fatalf("%s: %d attributes, want %d, %v", n.path, len(attrs), len(n.attrs), err)
	}
	for i := range n.attrs {
		want := &n.attrs[i]
		got, err := o.Attribute(want.Name)
		if err != nil || got == nil {
			tb.Fatalf("%s: attribute %s: %v", n.path, want.Name, err)
		}
		sameType(tb, n.path+" "+want.Name, got.Type(), want.Type)
		if !sameSpace(got.Space(), &want.Space) {
			tb.Errorf("%s %s: shape %v, want %v", n.path, want.Name, got.Space(), want.Space)
		}
		back, err := flat.NewFlattener(f, want.Type, number).Append(nil, got.Raw())
		if err != nil || !bytes.Equal(back, want.Data) {
			tb.Errorf("%s %s: values differ: %v", n.path, want.Name, err)
		}
	}
}

func sameType(tb testing.TB, what string, got, want *h5.Type) {
	tb.Helper()
	g := *got
	g.Committed = false
	if !reflect.DeepEqual(&g, want) {
		tb.Errorf("%s: type %v, want %v", what, got, want)
	}
}

func sameSpace(a, b *h5.Space) bool {
	return a.Class == b.Class && fmt.Sprint(a.Dims, a.Max) == fmt.Sprint(b.Dims, b.Max)
}

func (t *tree) verifyDataset(tb testing.TB, f *h5.File, n *node, d *h5.Dataset, number func(uint64) (uint64, error)) {
	tb.Helper()
	sameType(tb, n.path, d.Type(), n.typ)
	if d.Type().Committed != (n.named != nil && n.spec.Named != nil) {
		tb.Errorf("%s: committed %v", n.path, d.Type().Committed)
	}
	if !sameSpace(d.Space(), &n.spec.Space) {
		tb.Errorf("%s: shape %v, want %v", n.path, d.Space(), n.spec.Space)
	}
	fill, err := d.Fill()
	if err != nil || d.HasFill() != (n.spec.Fill != nil) || n.spec.Fill != nil && !bytes.Equal(fill, n.spec.Fill) {
		tb.Errorf("%s: fill value %v %x, %v", n.path, d.HasFill(), fill, err)
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	stored := make([]byte, r.Rows()*r.RowBytes())
	if err := r.Read(context.Background(), 0, r.Rows(), stored); err != nil {
		tb.Fatal(err)
	}
	got, err := flat.NewFlattener(f, n.typ, number).Append(nil, stored)
	want := bytes.Clone(n.data)
	for !pointing(n.typ) && len(want) < len(stored) {
		want = append(want, fill...)
	}
	if err != nil || !bytes.Equal(got, want) {
		tb.Errorf("%s: %v %v values of type %v differ: %v", n.path, n.spec.Space.Dims, d.Type().Class, n.typ, err)
	}
}

// options are those that a seed chooses.
func (t *tree) options(seed uint64) []write.Option {
	opts := []write.Option{write.WithVersion(t.version), write.WithWorkers(int(1 + seed%3))}
	if seed%4 == 1 {
		opts = append(opts, write.WithUserBlock(512<<(seed%3), []byte("hello")))
	}
	if seed%5 == 2 && t.version != write.Earliest {
		opts = append(opts, write.WithPageSize(4096))
	}
	if seed%3 == 2 {
		opts = append(opts, write.WithMetadataFirst())
	}
	if seed%7 == 3 && t.version != write.Earliest {
		opts = append(opts, write.WithCreationOrder())
	}
	return opts
}

func TestRandomTrees(t *testing.T) {
	seeds := uint64(50)
	if testing.Short() {
		seeds = 10
	}
	dir := t.TempDir()
	for version := write.V110; version <= write.Earliest; version++ {
		for seed := range seeds {
			name := filepath.Join(dir, fmt.Sprintf("%v-%d.h5", version, seed))
			tree := newTree(seed, version, false)
			writeTo(t, name, func(w *os.File) (*write.File, error) { return write.Create(w, tree.options(seed)...) }, tree)
			tree.verify(t, name)
			if t.Failed() {
				t.Fatalf("%s", name)
			}
		}
	}
}

// What is streamed is what is written at any place.
func TestRandomStreams(t *testing.T) {
	for seed := range uint64(30) {
		name := filepath.Join(t.TempDir(), "stream.h5")
		tree := newTree(seed, write.Version(seed%3), true)
		opts := tree.options(seed)
		writeTo(t, name, func(w *os.File) (*write.File, error) { return write.CreateStream(struct{ io.Writer }{w}, opts...) }, tree)
		tree.verify(t, name)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func writeTo(t *testing.T, name string, create func(w *os.File) (*write.File, error), tree *tree) {
	t.Helper()
	w, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f, err := create(w)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abandon()
	must(t, tree.write(f))
	must(t, f.Close())
}
