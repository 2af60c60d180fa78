package h5

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// ours fails unless err is nil or an error of this module's on one line.
func ours(t *testing.T, err error) {
	t.Helper()
	var e *h5err.Error
	if err != nil && (!errors.As(err, &e) || strings.Contains(err.Error(), "\n") || e.Kind < h5err.Corrupt || e.Kind > h5err.Limit) {
		t.Errorf("error %v of type %T", err, err)
	}
}

// soundType fails if a type contradicts itself.
func soundType(t *testing.T, typ *Type) {
	t.Helper()
	switch {
	case typ.Size < 1:
		t.Errorf("%s has %d bytes", typ, typ.Size)
	case typ.Class == ClassFixed || typ.Class == ClassFloat || typ.Class == ClassBitfield:
		if typ.Precision < 1 || typ.BitOffset < 0 || typ.BitOffset+typ.Precision > 8*typ.Size {
			t.Errorf("%s: %d bits at %d", typ, typ.Precision, typ.BitOffset)
		}
	case typ.Class == ClassEnum && len(typ.Values) != len(typ.Names)*typ.Base.Size:
		t.Errorf("%s: %d names, %d bytes of values", typ, len(typ.Names), len(typ.Values))
	}
	for i := range typ.Members {
		m := &typ.Members[i]
		if m.Offset < 0 || m.Offset+m.Type.Size > typ.Size {
			t.Errorf("%s: member %d has %d bytes at %d of %d", typ, i, m.Type.Size, m.Offset, typ.Size)
		}
		soundType(t, m.Type)
	}
	if typ.Base != nil {
		soundType(t, typ.Base)
		n := 1
		for _, d := range typ.Dims {
			n *= int(d)
		}
		if typ.Class == ClassArray && typ.Size != n*typ.Base.Size {
			t.Errorf("%s has %d bytes", typ, typ.Size)
		}
	}
	if typ.String() == "" {
		t.Error("a type without a string")
	}
}

func FuzzType(f *testing.F) {
	for _, c := range typeCases {
		f.Add(hx(c.hex))
	}
	p := parser(Limits{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := over(p, b)
		typ := p.parseType(c, 0)
		if (typ == nil) != (c.Err() != nil) {
			t.Errorf("type %s, error %v", typ, c.Err())
		}
		ours(t, c.Err())
		if typ != nil {
			soundType(t, typ)
		}
	})
}

func FuzzSpace(f *testing.F) {
	for _, c := range spaceCases {
		f.Add(hx(c.hex))
	}
	p := parser(Limits{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := over(p, b)
		s := p.parseSpace(c)
		ours(t, c.Err())
		if s == nil {
			return
		}
		if len(s.Max) != 0 && len(s.Max) != len(s.Dims) || (len(s.Dims) > 0) != (s.Class == SpaceSimple) {
			t.Errorf("%+v", s)
		}
		s.Elements()
	})
}

func FuzzFilters(f *testing.F) {
	for _, c := range filterCases {
		f.Add(hx(c.hex))
	}
	p := parser(Limits{})
	f.Fuzz(func(t *testing.T, b []byte) {
		specs, err := parseFilters(over(p, b))
		ours(t, err)
		if len(specs) > 32 {
			t.Errorf("%d filters", len(specs))
		}
	})
}

func FuzzAttribute(f *testing.F) {
	for _, c := range attributeCases {
		f.Add(hx(c.hex))
	}
	f.Add(attribute("text", hx("19 01 01 00 10 00 00 00  10 00 00 00 01 00 00 00 00 00 08 00"), scalar, make([]byte, 16)).body)
	f.Add(attribute("reference", hx("17 00 00 00 08 00 00 00"), simple(2), make([]byte, 16)).body)
	p := openBytes(f, newBuilder().single())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := p.parseAttribute(over(p, b))
		ours(t, err)
		if err != nil {
			return
		}
		if n, ok := a.Space().Elements(); !ok || uint64(len(a.Raw())) != n*uint64(a.Type().Size) {
			t.Errorf("%d elements of %d bytes in %d bytes", n, a.Type().Size, len(a.Raw()))
		}
		a.Strings()
		a.Text()
		a.Ints()
		a.Floats()
		a.References()
	})
}

func FuzzLink(f *testing.F) {
	for _, c := range linkCases {
		f.Add(hx(c.hex))
	}
	p := parser(Limits{})
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &Group{object: object{f: p}, groupState: &groupState{room: 1 << 20}}
		err := g.addLink(over(p, b))
		ours(t, err)
		if (err == nil) != (len(g.links) == 1) {
			t.Errorf("%d links, error %v", len(g.links), err)
		}
	})
}

func FuzzVirtual(f *testing.F) {
	for _, c := range virtualCases {
		f.Add(hx(c.hex), 1)
	}
	for _, c := range selectionCases {
		f.Add(cat(hx("00 01 00**7 'f' 00 'd' 00"), hx(c.hex), hx(c.hex)), 1)
	}
	p := parser(Limits{})
	f.Fuzz(func(t *testing.T, b []byte, rank int) {
		var l Layout
		err := p.parseVirtual(over(p, b), &l, rank)
		ours(t, err)
		if err != nil {
			return
		}
		for i := range l.Virtual {
			m := &l.Virtual[i]
			for _, s := range []*Selection{&m.Source, &m.Virtual} {
				for k := range s.Blocks {
					soundHyperslab(t, &s.Blocks[k])
				}
				s.unlimited()
			}
			substitute(m.File, 7)
			numbered(m.Dataset)
		}
	})
}

func soundHyperslab(t *testing.T, h *Hyperslab) {
	t.Helper()
	free := 0
	for k := range h.Start {
		if h.Block[k] == 0 {
			t.Errorf("%+v has blocks of nothing", h)
		}
		if h.Count[k] == Unlimited || h.Block[k] == Unlimited {
			free++
			if n := h.slices(k, 1000); n > 0 {
				for _, c := range h.cut(k, n) {
					if end, ok := c.end(k); !ok || end > 1000 {
						t.Errorf("%+v below 1000 ends at %d", h, end)
					}
				}
			}
			continue
		}
		h.end(k)
	}
	if free > 1 {
		t.Errorf("%+v has no end in %d dimensions", h, free)
	}
}

// FuzzLayout has the messages of a dataset: layout, fill value, filters.
func FuzzLayout(f *testing.F) {
	for _, c := range layoutCases {
		f.Add(hx(strings.ReplaceAll(c.hex, "$data", "00 01 00**6")), hx("03 2a 04 00 00 00 01 02 03 04"), uint64(6))
	}
	f.Fuzz(func(t *testing.T, layout, fill []byte, n uint64) {
		if len(layout) > 60000 || len(fill) > 60000 {
			return
		}
		w := newBuilder()
		w.put(make([]byte, 64))
		at := w.dataset(simple(n), msg{typ: msgLayout, body: layout}, msg{typ: msgFill, body: fill})
		b := w.single(w.hard("d", at))
		file, err := tryBytes(b, WithLimits(Limits{Chunks: 1000}))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		o, err := file.Lookup("/d")
		ours(t, err)
		if err != nil {
			return
		}
		d := o.(*Dataset)
		l, err := d.Layout()
		ours(t, err)
		if l != nil {
			switch l.Storage {
			case StorageContiguous:
				if l.Offset < 0 || l.Size < 0 || l.Offset > int64(len(b)) || l.Size > int64(len(b))-l.Offset || l.Size != int64(4*n) {
					t.Errorf("%+v in %d bytes", l, len(b))
				}
			case StorageCompact:
				if uint64(len(l.Data)) < 4*n {
					t.Errorf("%+v for %d elements", l, n)
				}
			case StorageChunked:
				if l.ChunkBytes != int64(4*l.ChunkDims[0]) {
					t.Errorf("%+v", l)
				}
			}
		}
		chunks, err := d.Chunks()
		ours(t, err)
		for i, c := range chunks {
			if c.Offset < 0 || c.Size < 0 || c.Offset > int64(len(b)) || c.Size > int64(len(b))-c.Offset || i > 0 && chunks[i-1].Number >= c.Number {
				t.Errorf("%+v in %d bytes", c, len(b))
			}
		}
		v, err := d.Fill()
		ours(t, err)
		if err == nil && len(v) != 4 {
			t.Errorf("fill value of %d bytes", len(v))
		}
		_, _, err = d.Mappings()
		ours(t, err)
	})
}

// FuzzHeader has the first and a second block of an object header, of either version.
func FuzzHeader(f *testing.F) {
	w := newBuilder()
	for _, h := range [][]byte{header2(w.hard("a", 256), attribute("a", i32, scalar, le(1, 4))), w.b[w.header1(msg{typ: 0x0d, body: []byte("text")}):]} {
		f.Add(h, sum(cat([]byte("OCHK"), messages2([]msg{{typ: 0x0d, body: []byte("text")}}))))
	}
	next := func(size uint64) msg { return msg{typ: msgContinuation, body: cat(le(256, 8), le(size, 8))} }
	second := sum(cat([]byte("OCHK"), messages2([]msg{{typ: msgDatatype, body: i32}, {typ: msgDataspace, body: scalar}})))
	f.Add(header2(next(uint64(len(second)))), second)
	w = newBuilder()
	at := w.header1(msg{typ: 0, body: nil}, next(40), msg{typ: 0, body: nil})
	f.Add(w.b[at:], messages1([]msg{{typ: msgDatatype, body: i32}, {typ: msgDataspace, body: scalar}}))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		w := newBuilder()
		w.put(second)
		at := w.put(first)
		file, err := tryBytes(w.single())
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		file.r.AnyChecksum = true
		h, err := file.readHeader(at)
		ours(t, err)
		if err == nil {
			for _, m := range h.messages {
				if m.at > uint64(len(w.b)) || !bytes.Equal(m.body, w.b[m.at:m.at+uint64(len(m.body))]) {
					t.Errorf("message %#x is not at %d", m.typ, m.at)
				}
			}
		}
		o, err := file.ObjectAt(at, "/x")
		ours(t, err)
		if err != nil {
			return
		}
		_, err = o.Attributes()
		ours(t, err)
		if g, ok := o.(*Group); ok {
			_, err = g.Links()
			ours(t, err)
		}
	})
}

func FuzzSuperblock(f *testing.F) {
	f.Add(hextest.Load(f, "superblock_v1").Bytes)
	for version := range 4 {
		for _, sizes := range [][2]int{{8, 8}, {2, 4}} {
			w := newBuilderOf(sizes[0], sizes[1])
			w.b = w.b[:104]
			f.Add(append([]byte(nil), w.superblock(version, w.header1())...))
		}
	}
	w := newBuilder()
	w.sohm(1<<msgDatatype, i32)
	f.Add(w.single()[:96])
	f.Fuzz(func(t *testing.T, b []byte) {
		r := meta.NewReader(bytes.NewReader(b), int64(len(b)), meta.Limits{})
		r.AnyChecksum = true
		s, err := readSuperblock(r)
		ours(t, err)
		if err == nil && (s.Offset < 0 || s.EndOfFile < s.Offset || s.Version > 3) {
			t.Errorf("%+v", s)
		}
		file, err := tryBytes(b)
		ours(t, err)
		if err == nil {
			_, err = file.Root().Links()
			ours(t, err)
			file.Close()
		}
	})
}
