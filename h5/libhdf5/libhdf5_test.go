//go:build libhdf5 && cgo

package libhdf5_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

// write makes a file and returns its path.
func write(t *testing.T, fn func(w *libhdf5.Writer), opts ...libhdf5.CreateOption) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.h5")
	w, err := libhdf5.Create(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	fn(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string, opts ...libhdf5.Option) *libhdf5.File {
	t.Helper()
	f, err := libhdf5.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func check[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// point is a compound with a hole, whose members cover what has no heap data.
func point() *h5.Type {
	return &h5.Type{Class: h5.ClassCompound, Size: 40, Members: []h5.Member{
		{Name: "a", Offset: 0, Type: libhdf5.Int(2, true, h5.BigEndian)},
		{Name: "b", Offset: 4, Type: libhdf5.Float(8, h5.LittleEndian)},
		{Name: "c", Offset: 12, Type: &h5.Type{Class: h5.ClassArray, Size: 6, Dims: []uint64{3, 2}, Base: libhdf5.Int(1, false, h5.LittleEndian)}},
		{Name: "d", Offset: 20, Type: libhdf5.FixedString(5, h5.NullPad, h5.UTF8)},
		{Name: "e", Offset: 28, Type: &h5.Type{Class: h5.ClassOpaque, Size: 4, Tag: "tag"}},
	}}
}

func color() *h5.Type {
	return &h5.Type{Class: h5.ClassEnum, Size: 2, Order: h5.BigEndian, Base: libhdf5.Int(2, true, h5.BigEndian),
		Names: []string{"RED", "GREEN"}, Values: []byte{0, 1, 0xff, 0xfe}}
}

// bfloat16 and an odd float with offset and precision.
func oddFloats() []*h5.Type {
	return []*h5.Type{
		{Class: h5.ClassFloat, Size: 2, Order: h5.LittleEndian, Precision: 16,
			Float: &h5.FloatFields{Sign: 15, ExpLoc: 7, ExpSize: 8, MantLoc: 0, MantSize: 7, Bias: 127, Norm: 2}},
		{Class: h5.ClassFloat, Size: 4, Order: h5.BigEndian, Precision: 20, BitOffset: 7,
			Float: &h5.FloatFields{Sign: 26, ExpLoc: 20, ExpSize: 6, MantLoc: 7, MantSize: 13, Bias: 31, Norm: 2}},
		{Class: h5.ClassFloat, Size: 16, Order: h5.LittleEndian, Precision: 80,
			Float: &h5.FloatFields{Sign: 79, ExpLoc: 64, ExpSize: 15, MantLoc: 0, MantSize: 64, Bias: 16383, Norm: 1}},
	}
}

func TestTypesRoundTrip(t *testing.T) {
	types := []*h5.Type{
		libhdf5.Int(1, true, h5.LittleEndian), libhdf5.Int(2, false, h5.BigEndian), libhdf5.Int(8, true, h5.BigEndian),
		{Class: h5.ClassFixed, Size: 4, Order: h5.BigEndian, Signed: true, Precision: 17, BitOffset: 3},
		{Class: h5.ClassFixed, Size: 3, Order: h5.LittleEndian, Precision: 24},
		libhdf5.Float(2, h5.LittleEndian), libhdf5.Float(4, h5.BigEndian), libhdf5.Float(8, h5.BigEndian),
		{Class: h5.ClassBitfield, Size: 2, Order: h5.LittleEndian, Precision: 16},
		{Class: h5.ClassTime, Size: 4, Order: h5.BigEndian, Precision: 32},
		libhdf5.FixedString(3, h5.SpacePad, h5.ASCII),
		{Class: h5.ClassOpaque, Size: 7, Tag: "seven"},
		{Class: h5.ClassReference, Size: 8, Ref: h5.RefObject1},
		point(), color(),
	}
	types = append(types, oddFloats()...)
	path := write(t, func(w *libhdf5.Writer) {
		for i, typ := range types {
			must(t, w.Write(name(i), libhdf5.Spec{Type: typ, Space: libhdf5.Shape(3)}, bytesOf(3*typ.Size)))
		}
	})
	raw, err := os.ReadFile(path)
	must(t, err)
	f := open(t, path)
	for i, typ := range types {
		info, err := f.Dataset(name(i))
		must(t, err)
		check(t, name(i)+" type", info.Type, typ)
		if typ.Float != nil && info.Type.Float != nil {
			check(t, name(i)+" fields", *info.Type.Float, *typ.Float)
		}
		got, err := f.Read(name(i))
		must(t, err)
		want := bytesOf(3 * typ.Size)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: read %x, want %x", name(i), got, want)
		}
		if in := raw[info.Offset:][:len(want)]; !bytes.Equal(in, want) {
			t.Errorf("%s: the file holds %x at %d, want %x", name(i), in, info.Offset, want)
		}
	}
}

func name(i int) string { return "/g/" + string(rune('a'+i)) }

func TestHeapDataRoundTrip(t *testing.T) {
	u8 := libhdf5.Int(1, false, h5.LittleEndian)
	seq := &h5.Type{Class: h5.ClassVLen, Size: 16, Base: libhdf5.Int(2, true, h5.BigEndian)}
	mixed := &h5.Type{Class: h5.ClassCompound, Size: 54, Members: []h5.Member{
		{Name: "n", Offset: 0, Type: u8},
		{Name: "s", Offset: 1, Type: libhdf5.VarString(h5.UTF8)},
		{Name: "m", Offset: 18, Type: u8},
		{Name: "v", Offset: 19, Type: seq},
		{Name: "last", Offset: 50, Type: libhdf5.Int(4, false, h5.LittleEndian)},
	}}
	pairs := &h5.Type{Class: h5.ClassVLen, Size: 16, Base: &h5.Type{Class: h5.ClassArray, Size: 32, Dims: []uint64{2}, Base: libhdf5.VarString(h5.ASCII)}}
	le := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	tests := []struct {
		typ  *h5.Type
		rows uint64
		flat []byte
	}{
		{libhdf5.VarString(h5.UTF8), 3, libhdf5.JoinFlat("", "grün", strings.Repeat("x", 5000))},
		{seq, 2, cat(le(2), []byte{1, 2, 3, 4}, le(0))},
		{mixed, 2, cat(
			[]byte{9}, libhdf5.JoinFlat("one"), []byte{8}, le(1), []byte{7, 6}, []byte{1, 2, 3, 4},
			[]byte{5}, libhdf5.JoinFlat(""), []byte{4}, le(0), []byte{5, 6, 7, 8})},
		{pairs, 2, cat(le(2), libhdf5.JoinFlat("a", "b", "cc", ""), le(1), libhdf5.JoinFlat("d", "e"))},
	}
	path := write(t, func(w *libhdf5.Writer) {
		for i, c := range tests {
			must(t, w.Write(name(i), libhdf5.Spec{Type: c.typ, Space: libhdf5.Shape(c.rows)}, c.flat))
		}
	})
	f := open(t, path)
	for i, c := range tests {
		info, err := f.Dataset(name(i))
		must(t, err)
		check(t, name(i)+" type", info.Type, c.typ)
		check(t, name(i)+" bytes stored", info.StoredSize, int64(c.typ.Size)*int64(c.rows))
		got, err := f.ReadFlat(name(i))
		must(t, err)
		if !bytes.Equal(got, c.flat) {
			t.Errorf("%s: read %x, want %x", name(i), got, c.flat)
		}
		if _, err := f.Read(name(i)); !h5err.Is(err, h5err.Unsupported) {
			t.Errorf("%s: Read of heap data: %v", name(i), err)
		}
	}
	got, err := f.Strings(name(0))
	must(t, err)
	check(t, "strings", got, []string{"", "grün", strings.Repeat("x", 5000)})
	tail, err := f.ReadFlatRows(name(1), 1, 2)
	must(t, err)
	check(t, "row 1", tail, le(0))
}

func TestChunksAndFilters(t *testing.T) {
	deflate := []h5.Filter{{ID: 2, Name: "shuffle", Optional: true, Values: []uint32{4}}, {ID: 1, Name: "deflate", Optional: true, Values: []uint32{4}}}
	i32 := libhdf5.Int(4, true, h5.LittleEndian)
	data := bytesOf(10 * 7 * 4)
	grid := libhdf5.Spec{Type: i32, Space: libhdf5.Shape(10, 7), ChunkDims: []uint64{4, 3}, Filters: deflate}
	path := write(t, func(w *libhdf5.Writer) {
		must(t, w.Write("/grid", grid, data))
		raw := grid
		raw.RawEdges = true
		must(t, w.Write("/raw", raw, data))
		must(t, w.Write("/some", libhdf5.Spec{Type: i32, Space: libhdf5.Shape(10), ChunkDims: []uint64{4},
			Filters: deflate, Fill: []byte{1, 2, 3, 4}}, nil))
		must(t, w.WriteChunk("/some", []uint64{4}, 3, data[:16])) // neither filter applied
	}, libhdf5.UserBlock(1024))
	raw, err := os.ReadFile(path)
	must(t, err)
	f := open(t, path)

	info, err := f.Dataset("/grid")
	must(t, err)
	check(t, "storage", info.Storage, h5.StorageChunked)
	check(t, "chunk shape", info.ChunkDims, []uint64{4, 3})
	check(t, "filters", info.Filters, deflate)
	check(t, "fill state", info.FillState, libhdf5.FillDefault)
	for _, p := range []string{"/grid", "/raw"} {
		got, err := f.Read(p)
		must(t, err)
		check(t, p, got, data)
		rows, err := f.ReadRows(p, 3, 5)
		must(t, err)
		check(t, p+" rows", rows, data[3*28:5*28])
	}
	info, err = f.Dataset("/raw")
	must(t, err)
	check(t, "raw edges", info.RawEdges, true)

	chunks, err := f.Chunks("/grid")
	must(t, err)
	check(t, "number of chunks", len(chunks), 9)
	for _, c := range chunks {
		stored, mask, err := f.ReadChunk("/grid", c.Coord)
		must(t, err)
		check(t, "mask", mask, c.Mask)
		if !bytes.Equal(stored, raw[c.Offset:][:c.Size]) {
			t.Errorf("chunk %v is not at %d", c.Coord, c.Offset)
		}
	}

	got, err := f.Read("/some")
	must(t, err)
	fill := []byte{1, 2, 3, 4}
	check(t, "one chunk of three", got, bytes.Join([][]byte{bytes.Repeat(fill, 4), data[:16], bytes.Repeat(fill, 2)}, nil))
	chunks, err = f.Chunks("/some")
	must(t, err)
	check(t, "the one chunk", len(chunks), 1)
	check(t, "its mask", chunks[0].Mask, 3)
	info, err = f.Dataset("/some")
	must(t, err)
	check(t, "fill", info.Fill, fill)
	check(t, "fill state", info.FillState, libhdf5.FillUser)
}

func TestIndexes(t *testing.T) {
	u := h5.Unlimited
	i32 := libhdf5.Int(4, true, h5.LittleEndian)
	zip := []h5.Filter{{ID: 1, Name: "deflate", Optional: true, Values: []uint32{1}}}
	tests := []struct {
		name  string
		spec  libhdf5.Spec
		index h5.ChunkIndex
	}{
		{"single", libhdf5.Spec{Space: libhdf5.Shape(8), ChunkDims: []uint64{8}, Filters: zip}, h5.IndexSingle},
		{"implicit", libhdf5.Spec{Space: libhdf5.Shape(8), ChunkDims: []uint64{3}, Early: true}, h5.IndexImplicit},
		{"fixed", libhdf5.Spec{Space: libhdf5.Shape(8), ChunkDims: []uint64{3}, Filters: zip}, h5.IndexFixedArray},
		{"extensible", libhdf5.Spec{Space: h5.Space{Class: h5.SpaceSimple, Dims: []uint64{8}, Max: []uint64{u}}, ChunkDims: []uint64{3}}, h5.IndexExtensibleArray},
		{"tree", libhdf5.Spec{Space: h5.Space{Class: h5.SpaceSimple, Dims: []uint64{4, 2}, Max: []uint64{u, u}}, ChunkDims: []uint64{3, 1}}, h5.IndexBTree2},
	}
	for _, low := range []libhdf5.Compatibility{libhdf5.Earliest, libhdf5.Latest} {
		path := write(t, func(w *libhdf5.Writer) {
			for _, c := range tests {
				c.spec.Type = i32
				must(t, w.Write("/"+c.name, c.spec, bytesOf(32)))
			}
		}, libhdf5.Versions(low, libhdf5.Latest))
		f := open(t, path)
		for _, c := range tests {
			want := c.index
			if low == libhdf5.Earliest {
				want = h5.IndexBTree1
			}
			info, err := f.Dataset("/" + c.name)
			must(t, err)
			check(t, c.name, info.Index, want)
			got, err := f.Read("/" + c.name)
			must(t, err)
			check(t, c.name, got, bytesOf(32))
		}
	}
}

func TestLayouts(t *testing.T) {
	i16 := libhdf5.Int(2, true, h5.LittleEndian)
	data := bytesOf(12)
	path := write(t, func(w *libhdf5.Writer) {
		must(t, w.Write("/compact", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(6), Storage: h5.StorageCompact}, data))
		must(t, w.Write("/contiguous", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(6)}, data))
		must(t, w.Write("/late", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(6), Fill: []byte{7, 8}}, nil))
		must(t, w.Write("/early", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(6), Early: true}, nil))
		must(t, w.Write("/scalar", libhdf5.Spec{Type: i16, Space: libhdf5.Shape()}, data[:2]))
		must(t, w.Write("/null", libhdf5.Spec{Type: i16, Space: h5.Space{Class: h5.SpaceNull}}, nil))
		must(t, w.Write("/empty", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(0, 3)}, []byte{}))
		must(t, w.Write("/outside", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(6),
			External: []h5.ExternalExtent{{Name: "a.bin", Offset: 1, Size: 8}, {Name: "b.bin", Offset: 0, Size: -1}}}, data))
		must(t, w.Write("/view", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(4), Fill: []byte{9, 9}, Virtual: []h5.VirtualMapping{{
			File: ".", Dataset: "/contiguous",
			Source:  h5.Selection{Blocks: []h5.Hyperslab{{Start: []uint64{0}, Stride: []uint64{2}, Count: []uint64{3}, Block: []uint64{1}}}},
			Virtual: h5.Selection{Blocks: []h5.Hyperslab{{Start: []uint64{1}, Stride: []uint64{1}, Count: []uint64{1}, Block: []uint64{3}}}},
		}}}, nil))
	}, libhdf5.Align(8, 64))
	f := open(t, path)
	tests := []struct {
		path    string
		storage h5.Storage
		want    []byte
	}{
		{"/compact", h5.StorageCompact, data},
		{"/contiguous", h5.StorageContiguous, data},
		{"/late", h5.StorageContiguous, bytes.Repeat([]byte{7, 8}, 6)},
		{"/early", h5.StorageContiguous, make([]byte, 12)},
		{"/scalar", h5.StorageContiguous, data[:2]},
		{"/null", h5.StorageContiguous, []byte{}},
		{"/empty", h5.StorageContiguous, []byte{}},
		{"/outside", h5.StorageExternal, data},
		{"/view", h5.StorageVirtual, []byte{9, 9, data[0], data[1], data[4], data[5], data[8], data[9]}},
	}
	for _, c := range tests {
		info, err := f.Dataset(c.path)
		must(t, err)
		check(t, c.path+" storage", info.Storage, c.storage)
		got, err := f.Read(c.path)
		must(t, err)
		check(t, c.path, got, c.want)
	}
	for _, p := range []string{"/contiguous", "/early"} {
		info, _ := f.Dataset(p)
		if info.Offset <= 0 || info.Offset%64 != 0 {
			t.Errorf("%s: at byte %d in a file aligned to 64", p, info.Offset)
		}
	}
	late, _ := f.Dataset("/late")
	check(t, "offset of what was never allocated", late.Offset, -1)
	outside, _ := f.Dataset("/outside")
	check(t, "external", outside.External, []h5.ExternalExtent{{Name: "a.bin", Offset: 1, Size: 8}, {Name: "b.bin", Offset: 0, Size: -1}})
	view, _ := f.Dataset("/view")
	check(t, "virtual", len(view.Virtual), 1)
	check(t, "virtual source", view.Virtual[0].Source.Blocks[0], h5.Hyperslab{Start: []uint64{0}, Stride: []uint64{2}, Count: []uint64{3}, Block: []uint64{1}})
}

func TestAttributesAndLinks(t *testing.T) {
	space := libhdf5.Shape(2)
	numbers := libhdf5.Attribute{Name: "numbers", Type: libhdf5.Int(4, false, h5.BigEndian), Space: &space, Data: bytesOf(8)}
	var other string
	path := write(t, func(w *libhdf5.Writer) {
		must(t, w.Group("/a/b"))
		must(t, w.StringAttribute("/a", "title", "grün"))
		must(t, w.Attribute("/a", numbers))
		must(t, w.Commit("/point", point()))
		must(t, w.Write("/a/b/d", libhdf5.Spec{TypePath: "/point", Space: libhdf5.Shape(1)}, bytesOf(40)))
		must(t, w.HardLink("/again", "/a/b/d"))
		must(t, w.HardLink("/a/b/loop", "/a"))
		must(t, w.SoftLink("/soft", "/a/b/d"))
		must(t, w.SoftLink("/dangling", "/nowhere"))
		other = write(t, func(w *libhdf5.Writer) {
			must(t, w.Write("/x", libhdf5.Spec{Type: libhdf5.Int(1, false, h5.LittleEndian), Space: libhdf5.Shape(1)}, []byte{5}))
		})
		must(t, w.ExternalLink("/far", other, "/x"))
	}, libhdf5.TrackOrder())
	f := open(t, path)
	attrs, err := f.Attributes("/a")
	must(t, err)
	check(t, "attributes", len(attrs), 2)
	check(t, "numbers", attrs[0].Data, numbers.Data)
	check(t, "title", attrs[1].Data, libhdf5.JoinFlat("grün"))

	objects, err := f.Objects()
	must(t, err)
	check(t, "objects", objects, []libhdf5.Object{{Path: "/", Kind: libhdf5.KindGroup}, {Path: "/a", Kind: libhdf5.KindGroup},
		{Path: "/a/b", Kind: libhdf5.KindGroup}, {Path: "/a/b/d", Kind: libhdf5.KindDataset}, {Path: "/point", Kind: libhdf5.KindType}})
	info, err := f.Dataset("/soft")
	must(t, err)
	check(t, "committed", info.Type.Committed, true)
	if _, err := f.Read("/far"); err == nil {
		t.Error("an external link was followed")
	}
	got, err := open(t, path, libhdf5.ExternalLinks()).Read("/far")
	must(t, err)
	check(t, "allowed external link", got, []byte{5})
}

func TestResizeAndRows(t *testing.T) {
	path := write(t, func(w *libhdf5.Writer) {
		must(t, w.Write("/d", libhdf5.Spec{Type: libhdf5.Int(1, false, h5.LittleEndian),
			Space: h5.Space{Class: h5.SpaceSimple, Dims: []uint64{2, 2}, Max: []uint64{h5.Unlimited, 2}}, ChunkDims: []uint64{2, 2}}, []byte{1, 2, 3, 4}))
		must(t, w.Resize("/d", 4, 2))
		must(t, w.WriteRows("/d", 3, 4, []byte{8, 9}))
	}, libhdf5.Sizes(4, 4), libhdf5.ChunkTreeK(1))
	got, err := open(t, path).Read("/d")
	must(t, err)
	check(t, "rows", got, []byte{1, 2, 3, 4, 0, 0, 8, 9})
}

func TestErrors(t *testing.T) {
	path := write(t, func(w *libhdf5.Writer) {
		unknown := libhdf5.Spec{Type: libhdf5.Int(1, false, h5.LittleEndian), Space: libhdf5.Shape(4), ChunkDims: []uint64{4},
			Filters: []h5.Filter{{ID: 399, Name: "", Optional: true}}}
		must(t, w.Write("/unknown", unknown, nil))
		must(t, w.WriteChunk("/unknown", []uint64{0}, 0, []byte{1, 2, 3, 4}))
		must(t, w.Write("/huge", libhdf5.Spec{Type: libhdf5.Int(8, false, h5.LittleEndian), Space: libhdf5.Shape(1<<40, 1<<20), ChunkDims: []uint64{1, 1}}, nil))
		must(t, w.Group("/g"))
		err := w.Write("/short", libhdf5.Spec{Type: libhdf5.Int(8, false, h5.LittleEndian), Space: libhdf5.Shape(4)}, make([]byte, 31))
		if !h5err.Is(err, h5err.Argument) {
			t.Errorf("31 bytes for 32: %v", err)
		}
	})
	f := open(t, path)
	tests := []struct {
		name string
		call func() error
		kind h5err.Kind
		text string
	}{
		{"missing file", func() error { _, err := libhdf5.Open(path + "x"); return err }, h5err.NotFound, "no such file"},
		{"not HDF5", func() error {
			p := filepath.Join(t.TempDir(), "x")
			must(t, os.WriteFile(p, make([]byte, 4096), 0o600))
			_, err := libhdf5.Open(p)
			return err
		}, h5err.Corrupt, "signature not found"},
		{"missing dataset", func() error { _, err := f.Read("/nothing"); return err }, h5err.NotFound, "object 'nothing' doesn't exist"},
		{"a group", func() error { _, err := f.Read("/g"); return err }, h5err.Corrupt, "not a dataset"},
		{"unknown filter", func() error { _, err := f.Read("/unknown"); return err }, h5err.Unsupported, "filter"},
		{"unknown filter with plugins", func() error { _, err := open(t, path, libhdf5.Plugins()).Read("/unknown"); return err }, h5err.Unsupported, "filter"},
		{"too big", func() error { _, err := f.Read("/huge"); return err }, h5err.Limit, "1073741824"},
		{"size overflows", func() error { _, err := f.ReadRows("/huge", 0, math.MaxInt64); return err }, h5err.Limit, "1073741824"},
		{"rows reversed", func() error { _, err := f.ReadRows("/unknown", 3, 2); return err }, h5err.Argument, "rows 3 to 2 of 4"},
		{"rows beyond", func() error { _, err := f.ReadRows("/unknown", 5, 6); return err }, h5err.Argument, "rows 5 to 6 of 4"},
		{"NUL in a name", func() error { _, err := f.Read("/g\x00x"); return err }, h5err.Argument, "name"},
	}
	for _, c := range tests {
		err := c.call()
		if !h5err.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v %q, want %v with %q", c.name, h5err.KindOf(err), err, c.kind, c.text)
		}
	}
	must(t, f.Close())
	if _, err := f.Read("/g"); !h5err.Is(err, h5err.Argument) {
		t.Errorf("read of a closed file: %v", err)
	}
}

func TestVersion(t *testing.T) {
	v, err := libhdf5.Version()
	must(t, err)
	if strings.Count(v, ".") != 2 {
		t.Errorf("version %q", v)
	}
}
