package encode_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// unflat turns elements in flat form into elements that point to a heap, as in a file.
func unflat(h dtest.Heap, t *h5.Type, b []byte) (element, rest []byte) {
	n := func() int {
		v := int(binary.LittleEndian.Uint64(b))
		b = b[8:]
		return v
	}
	switch t.Class {
	case h5.ClassVLen:
		length := n()
		if t.VarString {
			return h.Put(length, b[:length]), b[length:]
		}
		var items []byte
		for range length {
			var item []byte
			item, b = unflat(h, t.Base, b)
			items = append(items, item...)
		}
		return h.Put(length, items), b
	case h5.ClassCompound:
		for _, m := range t.Members {
			var part []byte
			part, b = unflat(h, m.Type, b)
			element = append(element, part...)
		}
		return element, b
	case h5.ClassArray:
		for range t.Size / t.Base.Size {
			var part []byte
			part, b = unflat(h, t.Base, b)
			element = append(element, part...)
		}
		return element, b
	}
	return b[:t.Size:t.Size], b[t.Size:]
}

// written is a column in vaex's layout.
type written struct {
	plan     *encode.Plan
	column   layout.Column
	contents []encode.Contents
}

// write encodes an array.
func write(t testing.TB, p *encode.Plan, md map[string]string, a arrow.Array) *written {
	t.Helper()
	contents, err := p.Encode(a, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(contents) != len(p.Datasets) {
		t.Fatalf("%d contents of %d datasets", len(contents), len(p.Datasets))
	}
	for i := range contents {
		if c, d := &contents[i], &p.Datasets[i]; d.Optional && c.Bytes == nil && c.Rows != 0 {
			t.Errorf("%d rows of the absent %v", c.Rows, d.Role)
		}
	}
	return &written{p, layout.Vaex(p, arrow.MetadataFrom(md)), contents}
}

// find returns the number of the dataset at a path, -1 where it is not written.
func (w *written) find(path string) int {
	for i := range w.column.Datasets {
		if w.column.Datasets[i].Path == path && (!w.plan.Datasets[i].Optional || w.contents[i].Bytes != nil) {
			return i
		}
	}
	return -1
}

// bytes returns the contents of the dataset at a path.
func (w *written) bytes(t testing.TB, path string) []byte {
	t.Helper()
	i := w.find(path)
	if i < 0 {
		t.Fatalf("no dataset %s", path)
	}
	return w.contents[i].Bytes
}

// text returns the text of an attribute, "" when there is none.
func text(attrs []attr.Attribute, name string) string {
	for _, a := range attrs {
		if a.Name == name && a.Type.VarString {
			return string(a.Data[8:])
		}
	}
	return ""
}

// decoder reads columns back by package dtype.
type decoder struct {
	*written
	t   testing.TB
	env *dtype.Env
}

// decode reads a column back.
func decode(t testing.TB, w *written) arrow.Array {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	d := &decoder{w, t, &dtype.Env{Alloc: mem, OffsetSize: 8, Where: "/d", Heap: dtest.Heap{}}}
	if text(w.column.Attributes, "type") != "dictionary_encoded" {
		return d.column("")
	}
	indices, labels := d.column("indices/"), d.column("dictionary/")
	defer indices.Release()
	defer labels.Release()
	ordered := slices.ContainsFunc(w.column.Attributes, func(a attr.Attribute) bool { return a.Name == "ordered" && a.Data[0] == 1 })
	a, err := dtype.BuildDictionary(indices, labels, ordered, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// column decodes the column whose datasets have paths with the prefix dir.
func (d *decoder) column(dir string) arrow.Array {
	d.t.Helper()
	at := d.find(dir + "data")
	if at < 0 {
		d.t.Fatalf("no data in %s", dir)
	}
	data, e, attrs := &d.plan.Datasets[at], &d.contents[at], d.written.column.Datasets[at].Attributes
	if text(attrs, "dtype") == "str" {
		return d.strings(dir, e)
	}
	src := dtype.Source{Type: data.Type, Dims: data.Dims, DType: text(attrs, "dtype")}
	rows, items := int(e.Rows), 1
	for _, n := range data.Dims {
		items *= int(n)
	}
	if src.DType == "utf32" {
		items = 1
	}
	valid := d.valid(dir, rows*items)
	var fill []byte
	for _, a := range attrs {
		switch a.Name {
		case "dlength":
			src.HasDLength, src.DLength = true, int64(binary.LittleEndian.Uint64(a.Data))
		case "_FillValue":
			fill = a.Data
		}
	}
	raw := e.Bytes
	if data.Flat {
		raw = nil
		for b := e.Bytes; len(b) > 0; {
			var element []byte
			element, b = unflat(d.env.Heap.(dtest.Heap), data.Type, b)
			raw = append(raw, element...)
		}
	}
	if fill != nil && valid.Bits == nil && rows > 0 {
		rule, err := nullbitmap.Equal(fill)
		if err != nil {
			d.t.Fatal(err)
		}
		valid.Bits = make([]byte, (rows*items+7)/8)
		rule.Apply(valid.Bits, 0, raw, nullbitmap.Overwrite)
	}
	p, err := dtype.New(src, d.plan.Read)
	if err != nil {
		d.t.Fatal(err)
	}
	if len(raw) != rows*p.RowBytes {
		d.t.Fatalf("%d bytes for %d rows of %d", len(raw), rows, p.RowBytes)
	}
	a, err := p.Build(dtype.Raw{Bytes: raw, Rows: rows, Valid: valid, Nulls: -1}, d.env)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// strings decodes text whose bytes are in data.
func (d *decoder) strings(dir string, data *encode.Contents) arrow.Array {
	d.t.Helper()
	at := d.find(dir + "indices")
	if at < 0 {
		d.t.Fatalf("no indices in %s", dir)
	}
	offsets := &d.contents[at]
	rows, width := int(offsets.Rows)-1, len(offsets.Bytes)/int(offsets.Rows)
	a, err := dtype.BuildStrings(dtype.StringsRaw{
		Data: data.Bytes, Offsets: offsets.Bytes, OffsetWidth: width, Rows: rows, Valid: d.valid(dir, rows), Nulls: -1,
	}, d.plan.Read, d.env)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// valid returns the validity of n items, and checks the form of what represents it.
func (d *decoder) valid(dir string, n int) dtype.Bitmap {
	if at := d.find(dir + "null_bitmap"); at >= 0 {
		e := &d.contents[at]
		if len(e.Bytes) != (n+7)/8 || int(e.Rows) != len(e.Bytes) {
			d.t.Fatalf("a bitmap of %d bytes for %d items", len(e.Bytes), n)
		}
		if n%8 != 0 && e.Bytes[n/8]>>(n%8) != 0 {
			d.t.Errorf("bits after the last: %x of %d", e.Bytes, n)
		}
		return dtype.Bitmap{Bits: e.Bytes}
	}
	if at := d.find(dir + "mask"); at >= 0 {
		e := &d.contents[at]
		if len(e.Bytes) != n {
			d.t.Fatalf("a mask of %d bytes for %d items", len(e.Bytes), n)
		}
		bits := make([]byte, (n+7)/8)
		nullbitmap.FromMask(bits, 0, e.Bytes, nullbitmap.SetIsNull, nullbitmap.Overwrite)
		return dtype.Bitmap{Bits: bits}
	}
	return dtype.Bitmap{}
}
