package mcos

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// metadata returns the metadata of three objects: two of class a.B, one saved by a method saveobj of class string.
func metadata(order binary.AppendByteOrder, version uint32) []byte {
	names := []byte("any\x00string\x00x\x00a\x00B\x00\x00\x00\x00\x00\x00\x00")
	regions := [][]uint32{
		{0, 0, 0, 0, 0, 2, 0, 0, 4, 5, 0, 0}, // classes: string, a.B
		{0, 0, 1, 1, 1, 7},                   // properties of saveobj
		{0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 2, 3}, // objects
		{0, 0, 2, 3, 1, 4, 2, 2, 9, 0},                                           // properties
		{0, 0, 0, 0, 0, 0, 0, 0},
		nil,
		{0, 0},
	}
	out := order.AppendUint32(nil, version)
	out = order.AppendUint32(out, 5)
	at := headerBytes + len(names)
	out = order.AppendUint32(out, uint32(at))
	for _, r := range regions {
		at += 4 * len(r)
		out = order.AppendUint32(out, uint32(at))
	}
	out = append(out, names...)
	for _, r := range regions {
		for _, v := range r {
			out = order.AppendUint32(out, v)
		}
	}
	return out
}

func TestParse(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for version := range uint32(6) {
			w, err := Parse(metadata(order, version))
			if version < 2 || version > 4 {
				if !h5err.Is(err, h5err.Unsupported) {
					t.Errorf("version %d: %v, want Unsupported", version, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if w.Version() != int(version) || w.Trailing() != int(version)-1 {
				t.Errorf("version %d is %d with %d trailing cells", version, w.Version(), w.Trailing())
			}
			for i, want := range []string{"", "string", "a.B", ""} {
				got, err := w.Class(uint32(i))
				if got != want || (want == "") != h5err.Is(err, h5err.Corrupt) {
					t.Errorf("class %d is %q, %v; want %q", i, got, err, want)
				}
			}
			want := []*Object{
				nil,
				{Class: 1, Saved: true, Properties: []Property{{"any", KindCell, 7}}},
				{Class: 2, Properties: []Property{{"x", KindCell, 4}, {"string", KindValue, 9}}},
				nil, // its properties are the second block of one
			}
			for i, o := range want {
				got, err := w.Object(uint32(i))
				if !reflect.DeepEqual(got, o) || (o == nil) != h5err.Is(err, h5err.Corrupt) {
					t.Errorf("%v: object %d is %+v, %v; want %+v", order, i, got, err, o)
				}
			}
			o, _ := w.Object(2)
			if p, ok := o.Property("string"); !ok || p.Value != 9 {
				t.Errorf("property string is %v, %v", p, ok)
			}
			if _, ok := o.Property("y"); ok {
				t.Error("there is a property y")
			}
		}
	}
}

// TestParseBroken has regions and names that contradict the metadata's size.
func TestParseBroken(t *testing.T) {
	good := metadata(binary.LittleEndian, 4)
	set := func(at int, v uint32) []byte {
		p := bytes.Clone(good)
		binary.LittleEndian.PutUint32(p[at:], v)
		return p
	}
	region := func(i int) int { return int(binary.LittleEndian.Uint32(good[8+4*i:])) }
	for name, p := range map[string][]byte{
		"nothing":                   nil,
		"no header":                 good[:39],
		"more names than bytes":     set(4, 1<<31),
		"more names than there are": set(4, 60),
		"regions go back":           set(12, 40),
		"a region past the end":     set(20, uint32(len(good)+1)),
		"names before the header":   set(8, 8),
		"many properties":           set(region(3)+8, 1<<30),
		"properties past the end":   set(region(3)+8, 4),
	} {
		if _, err := Parse(p); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%s: %v, want Corrupt", name, err)
		}
	}
	w, err := Parse(set(region(3)+12, 77))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Object(2); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("a property without a name: %v, want Corrupt", err)
	}
}

func TestHandle(t *testing.T) {
	for _, tt := range []struct {
		p    []uint32
		want *Handle
	}{
		{[]uint32{Magic, 2, 1, 1, 5, 3}, &Handle{[]uint32{1, 1}, []uint32{5}, 3}},
		{[]uint32{Magic, 2, 2, 1, 5, 6, 3}, &Handle{[]uint32{2, 1}, []uint32{5, 6}, 3}},
		{[]uint32{Magic, 2, 0, 7, 3}, &Handle{[]uint32{0, 7}, []uint32{}, 3}},
		{[]uint32{Magic, 3, 1 << 31, 1 << 31, 0, 3}, &Handle{[]uint32{1 << 31, 1 << 31, 0}, []uint32{}, 3}},
		{[]uint32{Magic, 2, 1, 1, 5}, nil},
		{[]uint32{Magic, 2, 1 << 31, 1 << 31, 5, 3}, nil},
		{[]uint32{Magic, 2, 1, 2, 5, 3}, nil},
		{[]uint32{Magic, 4, 1, 1, 5, 3}, nil},
		{[]uint32{Magic, 0, 1, 1, 5, 3}, nil},
		{[]uint32{1, 2, 1, 1, 5, 3}, nil},
		{nil, nil},
	} {
		got, err := ParseHandle(tt.p)
		if !reflect.DeepEqual(got, tt.want) || (tt.want == nil) != h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%x: %+v, %v; want %+v", tt.p, got, err, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    []uint64
		want string // of units as letters; "-" is missing
		kind h5err.Kind
	}{
		{"three", []uint64{1, 2, 3, 1, 5, MissingText, 0, 'a' | 'b'<<16 | 'c'<<32 | 'd'<<48, 'e'}, "abcde,-,", 0},
		{"rows and columns", []uint64{1, 2, 1, 2, 1, 3, 'a' | 'b'<<16 | 'c'<<32 | 'd'<<48}, "a,bcd", 0},
		{"none", []uint64{1, 2, 0, 5}, "", 0},
		{"a length past the end", []uint64{1, 2, 1, 1, 5, 'a'}, "", h5err.Corrupt},
		{"lengths that overflow together", []uint64{1, 2, 2, 1, 3, 1<<64 - 2, 'a'}, "", h5err.Corrupt},
		{"more strings than integers", []uint64{1, 2, 1 << 40, 1, 5, 'a'}, "", h5err.Corrupt},
		{"a shape that overflows", []uint64{1, 2, 1 << 40, 1 << 40, 5, 'a'}, "", h5err.Corrupt},
		{"rank 0", []uint64{1, 0, 1}, "", h5err.Corrupt},
		{"a rank past the end", []uint64{1, 9, 1}, "", h5err.Corrupt},
		{"version 2", []uint64{2, 2, 1, 1, 0}, "", h5err.Unsupported},
		{"nothing", nil, "", h5err.Corrupt},
	} {
		text, err := ParseText(tt.p)
		if tt.kind != 0 {
			if !h5err.Is(err, tt.kind) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		text.Each(func(_ int, units []uint16, missing bool) error {
			s := ""
			for _, u := range units {
				s += string(rune(u))
			}
			if missing {
				s = "-"
			}
			got = append(got, s)
			return nil
		})
		if s := strings.Join(got, ","); s != tt.want || text.Len() != len(got) {
			t.Errorf("%s: %q, want %q", tt.name, s, tt.want)
		}
	}
}

// FuzzMetadata: whatever comes in, nothing panics, and every object has properties with names.
func FuzzMetadata(f *testing.F) {
	f.Add(metadata(binary.LittleEndian, 4))
	f.Add(metadata(binary.BigEndian, 2))
	f.Fuzz(func(t *testing.T, p []byte) {
		w, err := Parse(p)
		if err != nil {
			if k := h5err.KindOf(err); w != nil && len(w.names) > len(p) || k != h5err.Corrupt && k != h5err.Unsupported {
				t.Fatal(err)
			}
			return
		}
		for i := range uint32(len(p)/objectBytes + 2) {
			o, err := w.Object(i)
			if err != nil {
				if !h5err.Is(err, h5err.Corrupt) {
					t.Fatal(err)
				}
				continue
			}
			if len(o.Properties) > len(p)/propertyBytes {
				t.Fatalf("%d properties in %d bytes", len(o.Properties), len(p))
			}
			w.Class(o.Class)
		}
	})
}

// FuzzNumbers: handles and strings of whatever numbers neither panic nor have more parts than there are numbers.
func FuzzNumbers(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00a\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\xdd\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		var ids []uint32
		for q := p; len(q) >= 4; q = q[4:] {
			ids = append(ids, binary.LittleEndian.Uint32(q))
		}
		if h, err := ParseHandle(ids); err == nil && len(h.Objects)+len(h.Dims)+3 != len(ids) {
			t.Fatalf("%v of %v", h, ids)
		}
		var words []uint64
		for q := p; len(q) >= 8; q = q[8:] {
			words = append(words, binary.LittleEndian.Uint64(q))
		}
		text, err := ParseText(slices.Clone(words))
		if err != nil {
			return
		}
		n, units := 0, 0
		text.Each(func(_ int, u []uint16, _ bool) error {
			n++
			units += len(u)
			return nil
		})
		if n != text.Len() || n > len(words) || units > 4*len(words) {
			t.Fatalf("%d strings of %d units in %d integers", n, units, len(words))
		}
	})
}
