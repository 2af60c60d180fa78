package h5

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

var spaceCases = []struct {
	name, hex string
	want      Space
}{
	{"scalar, version 1", "01 00 00 00 00**4", Space{Class: SpaceScalar}},
	{"simple, version 1", "01 02 00 00 00**4  03 00**7  05 00**7", Space{Class: SpaceSimple, Dims: []uint64{3, 5}}},
	{"with maxima, version 1", "01 02 01 00 00**4  03 00**7 05 00**7  ff**8 05 00**7", Space{Class: SpaceSimple, Dims: []uint64{3, 5}, Max: []uint64{Unlimited, 5}}},
	{"scalar, version 2", "02 00 00 00", Space{Class: SpaceScalar}},
	{"simple of rank 0", "02 00 00 01", Space{Class: SpaceScalar}},
	{"simple, version 2", "02 01 00 01  00**7 01", Space{Class: SpaceSimple, Dims: []uint64{1 << 56}}},
	{"with maxima, version 2", "02 01 01 01  00**8  0a 00**7", Space{Class: SpaceSimple, Dims: []uint64{0}, Max: []uint64{10}}},
	{"null", "02 00 00 02", Space{Class: SpaceNull}},
}

func TestParseSpace(t *testing.T) {
	for _, c := range spaceCases {
		f := parser(Limits{})
		b := hx(c.hex)
		cur := over(f, b)
		s := f.parseSpace(cur)
		if s == nil || !reflect.DeepEqual(*s, c.want) || cur.Len() != 0 {
			t.Errorf("%s: %+v; %v", c.name, s, cur.Err())
		}
		for n := range b {
			if s := f.parseSpace(over(f, b[:n])); s != nil {
				t.Errorf("%s: %d bytes of it are %+v", c.name, n, s)
			}
		}
	}
	for _, c := range []struct {
		hex  string
		l    Limits
		kind h5err.Kind
		text string
	}{
		{"00 00 00 00", Limits{}, h5err.Corrupt, "dataspace version 0"},
		{"03 00 00 00", Limits{}, h5err.Corrupt, "dataspace version 3"},
		{"02 00 00 03", Limits{}, h5err.Corrupt, "dataspace of kind 3"},
		{"02 01 00 00 01 00**7", Limits{}, h5err.Corrupt, "scalar or null dataspace of rank 1"},
		{"02 01 00 02 01 00**7", Limits{}, h5err.Corrupt, "scalar or null dataspace of rank 1"},
		{"02 21 00 01" + strings.Repeat(" 01 00**7", 33), Limits{}, h5err.Corrupt, "dataspace of rank 33"},
		{"02 03 00 01" + strings.Repeat(" 01 00**7", 3), Limits{Rank: 2}, h5err.Limit, "dataspace of rank 3, the limit is 2"},
		{"02 01 00 01 ff**8", Limits{}, h5err.Corrupt, "dimension 0 of unlimited extent"},
		{"02 01 01 01 05 00**7 04 00**7", Limits{}, h5err.Corrupt, "dimension 0 is 5, its maximum 4"},
	} {
		f := parser(c.l)
		cur := over(f, hx(c.hex))
		if s := f.parseSpace(cur); s != nil {
			t.Errorf("%s: %+v", c.hex, s)
		}
		needError(t, cur.Err(), c.kind, c.text, -1)
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		s    Space
		n    uint64
		fits bool
	}{
		{Space{Class: SpaceScalar}, 1, true},
		{Space{Class: SpaceNull}, 0, true},
		{Space{Class: SpaceSimple, Dims: []uint64{3, 5, 2}}, 30, true},
		{Space{Class: SpaceSimple, Dims: []uint64{1 << 62, 1 << 62, 0}}, 0, true},
		{Space{Class: SpaceSimple, Dims: []uint64{1 << 32, 1 << 30}}, 1 << 62, true},
		{Space{Class: SpaceSimple, Dims: []uint64{1 << 32, 1 << 31}}, 0, false},
		{Space{Class: SpaceSimple, Dims: []uint64{1 << 63}}, 0, false},
	} {
		if n, ok := c.s.Elements(); n != c.n || ok != c.fits {
			t.Errorf("%v: %d, %v", c.s, n, ok)
		}
	}
}

// openDataset opens a dataset of 32-bit integers, made by hand.
func openDataset(t *testing.T, w *builder, space []byte, opts []Option, more ...msg) *Dataset {
	t.Helper()
	at := w.dataset(space, more...)
	return lookup[*Dataset](t, openBytes(t, w.single(w.hard("d", at)), opts...), "/d")
}

func TestFill(t *testing.T) {
	for _, c := range []struct {
		name string
		typ  uint16
		hex  string
		want string // "": none is defined
		text string // of the error
	}{
		{"old", msgOldFill, "04 00 00 00  01 02 03 04", "01020304", ""},
		{"old, none", msgOldFill, "00 00 00 00", "", ""},
		{"old, of another size", msgOldFill, "02 00 00 00  01 02", "", "fill value of 2 bytes for elements of 4"},
		{"version 1", msgFill, "01 01 02 01  04 00 00 00  01 02 03 04", "01020304", ""},
		{"version 1, none", msgFill, "01 01 02 00  00 00 00 00", "", ""},
		{"version 1, undefined", msgFill, "01 01 02 00  ff ff ff ff", "", ""},
		{"version 2", msgFill, "02 01 02 01  04 00 00 00  01 02 03 04", "01020304", ""},
		{"version 2, default", msgFill, "02 01 02 01  00 00 00 00", "", ""},
		{"version 2, undefined", msgFill, "02 01 02 00", "", ""},
		{"version 3", msgFill, "03 2a  04 00 00 00  01 02 03 04", "01020304", ""},
		{"version 3, default", msgFill, "03 0a", "", ""},
		{"version 3, undefined", msgFill, "03 1a", "", ""},
		{"version 4", msgFill, "04 00", "", "fill value version 4"},
		{"version 0", msgFill, "00 00", "", "fill value version 0"},
		{"cut", msgFill, "03 2a  04 00 00 00  01 02 03", "", "4 bytes are needed, 3 are left"},
		{"empty", msgFill, "", "", "1 bytes are needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDataset(t, newBuilder(), scalar, nil, msg{typ: c.typ, body: hx(c.hex)})
			fill, err := d.Fill()
			if c.text != "" {
				needError(t, err, h5err.Corrupt, c.text, -1)
				return
			}
			want := c.want
			if want == "" {
				want = "00000000"
			}
			if got := fmt.Sprintf("%x", fill); err != nil || got != want || d.HasFill() != (c.want != "") {
				t.Errorf("fill value is %s (defined: %v), %v", got, d.HasFill(), err)
			}
		})
	}
	d := openDataset(t, newBuilder(), scalar, nil, msg{typ: msgFill, body: hx("03 2a 04 00 00 00 01 02 03 04")}, msg{typ: msgOldFill, body: hx("04 00 00 00 09 09 09 09")})
	if fill, err := d.Fill(); fmt.Sprintf("%x", fill) != "01020304" || err != nil {
		t.Errorf("of both kinds of message: %x, %v", fill, err)
	}
	if fill, err := openDataset(t, newBuilder(), scalar, nil).Fill(); fmt.Sprintf("%x", fill) != "00000000" || err != nil {
		t.Errorf("without a message: %x, %v", fill, err)
	}
}

// TestFillSize has an element of two gigabytes in a file of some hundred bytes.
func TestFillSize(t *testing.T) {
	w := newBuilder()
	at := w.header2(msg{typ: msgDatatype, body: hx("13 00 00 00 ff ff ff 7f")}, msg{typ: msgDataspace, body: scalar})
	_, err := lookup[*Dataset](t, openBytes(t, w.single(w.hard("d", at))), "/d").Fill()
	needError(t, err, h5err.Limit, "fill value", -1)
}

var filterCases = []struct {
	name, hex string
	want      []Filter
}{
	{"none", "02 00", []Filter{}},
	{"version 1", `01 02 00**6
		02 00 08 00 01 00 01 00  'shuffle' 00  04 00 00 00  00 00 00 00   // one value, and padding to two
		01 00 00 00 00 00 02 00                06 00 00 00  07 00 00 00   // no name, two values`,
		[]Filter{{ID: 2, Name: "shuffle", Optional: true, Values: []uint32{4}}, {ID: 1, Values: []uint32{6, 7}}}},
	{"version 1, name padded", "01 01 00**6  00 01 05 00 00 00 00 00  'mine' 00 00 00 00", []Filter{{ID: 256, Name: "mine"}}},
	{"version 1, last padding left out", "01 01 00**6  02 00 00 00 00 00 01 00  04 00 00 00", []Filter{{ID: 2, Values: []uint32{4}}}},
	{"version 2", `02 02
		02 00 01 00 01 00  04 00 00 00                                    // the library's own have no name
		00 7d 04 00 00 00 01 00  'lzf' 00  09 00 00 00                    // no padding`,
		[]Filter{{ID: 2, Optional: true, Values: []uint32{4}}, {ID: 32000, Name: "lzf", Values: []uint32{9}}}},
	{"version 2, no name", "02 01  00 01 00 00 00 00 00 00", []Filter{{ID: 256}}},
}

func TestParseFilters(t *testing.T) {
	for _, c := range filterCases {
		f := parser(Limits{})
		b := hx(c.hex)
		cur := over(f, b)
		got, err := parseFilters(cur)
		if err != nil || !reflect.DeepEqual(got, c.want) || cur.Len() != 0 {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		for n := range b {
			if got, err := parseFilters(over(f, b[:n])); err == nil && len(got) == len(c.want) && c.name != "version 1" {
				t.Errorf("%s: %d bytes of it are %+v", c.name, n, got)
			}
		}
	}
	for _, c := range []struct{ hex, text string }{
		{"00 00", "filter pipeline version 0"},
		{"04 00", "filter pipeline version 4"},
		{"02 21", "33 filters"},
		{"02 01 02 00 00 00 ff ff 00 00 00 00", "65535 values of filter 2"},
		{"02 01 00 01 ff ff 00 00 00 00", "65535 bytes are needed"},
	} {
		_, err := parseFilters(over(parser(Limits{}), hx(c.hex)))
		needError(t, err, h5err.Corrupt, c.text, -1)
	}
	_, err := parseFilters(over(parser(Limits{}), hx("03 00")))
	needError(t, err, h5err.Unsupported, "filter pipeline version 3, of structured chunks", -1)
}

// layoutCases are layout messages for a dataset of six 32-bit integers. $data is the address of 24 bytes.
var layoutCases = []struct {
	name, hex string
	want      Layout
	index     chunkIndex
}{
	{"version 1, compact", "01 01 00 00**5  06 00 00 00  18 00 00 00 07**24", Layout{Storage: StorageCompact, Data: bytes.Repeat([]byte{7}, 24)}, chunkIndex{}},
	{"version 1, contiguous", "01 01 01 00**5  $data  06 00 00 00", Layout{Storage: StorageContiguous, Size: 24}, chunkIndex{}},
	{"version 2, contiguous", "02 02 01 00**5  $data  06 00 00 00 04 00 00 00", Layout{Storage: StorageContiguous, Size: 24}, chunkIndex{}},
	{"version 2, unallocated", "02 02 01 00**5  ff**8  06 00 00 00 04 00 00 00", Layout{Storage: StorageNone}, chunkIndex{}},
	{"version 2, chunked", "02 02 02 00**5  $data  04 00 00 00 04 00 00 00", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexBTree1}, chunkIndex{}},
	{"version 3, compact", "03 00 18 00 07**24", Layout{Storage: StorageCompact, Data: bytes.Repeat([]byte{7}, 24)}, chunkIndex{}},
	{"version 3, compact, unallocated", "03 00 00 00", Layout{Storage: StorageNone, Data: []byte{}}, chunkIndex{}},
	{"version 3, contiguous", "03 01 $data 18 00**7", Layout{Storage: StorageContiguous, Size: 24}, chunkIndex{}},
	{"version 3, contiguous, larger", "03 01 $data 20 00**7", Layout{Storage: StorageContiguous, Size: 24}, chunkIndex{}},
	{"version 3, unallocated", "03 01 ff**8 18 00**7", Layout{Storage: StorageNone, Size: 24}, chunkIndex{}},
	{"version 3, chunked", "03 02 02 $data 04 00 00 00 04 00 00 00", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexBTree1}, chunkIndex{}},
	{"version 4, single", "04 02 00 02 01  04 04  01  $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexSingle}, chunkIndex{size: 16}},
	{"version 4, single, filtered", "04 02 02 02 01  04 04  01  05 00**7 03 00 00 00 $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexSingle}, chunkIndex{size: 5, mask: 3}},
	{"version 4, implicit", "04 02 00 02 01  04 04  02  $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexImplicit}, chunkIndex{}},
	{"version 4, fixed array", "04 02 00 02 02  04 00 04 00  03 0a $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexFixedArray}, chunkIndex{}},
	{"version 4, extensible array", "04 02 00 02 04  04 00 00 00 04 00 00 00  04 20 04 04 10 0a $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexExtensibleArray}, chunkIndex{}},
	{"version 4, B-tree", "04 02 01 02 08  04 00**7 04 00**7  05 00 02 00 00 64 28 $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexBTree2, RawEdges: true}, chunkIndex{}},
	{"version 5, fixed array", "05 02 00 02 01  04 04  03 0a $data", Layout{Storage: StorageChunked, ChunkDims: []uint64{4}, ChunkBytes: 16, Index: IndexFixedArray}, chunkIndex{}},
	{"version 4, virtual without mappings", "04 03 ff**8 00 00 00 00", Layout{Storage: StorageVirtual}, chunkIndex{}},
}

// layoutMessage puts an address in for $data.
func layoutMessage(hex string, data uint64) msg {
	return msg{typ: msgLayout, body: hx(strings.ReplaceAll(hex, "$data", fmt.Sprintf("%x", le(data, 8))))}
}

func TestLayout(t *testing.T) {
	for _, c := range layoutCases {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			data := w.put(make([]byte, 24))
			d := openDataset(t, w, simple(6), nil, layoutMessage(c.hex, data))
			l, err := d.Layout()
			if err != nil {
				t.Fatal(err)
			}
			want, index := c.want, c.index
			if want.Storage == StorageContiguous {
				want.Offset = int64(data)
			}
			if strings.Contains(c.hex, "$data") && want.Storage == StorageChunked {
				index.addr = data
			}
			if !reflect.DeepEqual(*l, want) || d.index != index {
				t.Errorf("layout is %+v, %+v", *l, d.index)
			}
			if again, _ := d.Layout(); again != l {
				t.Error("the layout is read twice")
			}
			// No part of the message is enough, except the part before the padding.
			for n := range hx(strings.ReplaceAll(c.hex, "$data", "00**8")) {
				m := layoutMessage(c.hex, data)
				m.body = m.body[:n]
				w := newBuilder()
				w.put(make([]byte, 24))
				l, err := openDataset(t, w, simple(6), nil, m).Layout()
				if err == nil {
					t.Errorf("%d bytes of it are layout %+v", n, l)
				}
			}
		})
	}
}

func TestLayoutRefused(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		kind      h5err.Kind
		text      string
	}{
		{"version 0", "00 01 01", h5err.Corrupt, "layout version 0"},
		{"version 6", "06 01 01", h5err.Corrupt, "layout version 6"},
		{"class 3 of version 3", "03 03 $data 00 00 00 00", h5err.Corrupt, "layout class 3"},
		{"class 4 of version 4", "04 04", h5err.Corrupt, "layout class 4"},
		{"class 4 of version 5", "05 04 01 02", h5err.Unsupported, "structured chunks"},
		{"class 5 of version 5", "05 05", h5err.Corrupt, "layout class 5"},
		{"class 3 of version 1", "01 01 03 00**5 $data 06 00 00 00", h5err.Corrupt, "layout class 3"},
		{"rank 0 of version 2", "02 00 01 00**5 $data", h5err.Corrupt, "layout of 0 dimensions"},
		{"rank 34 of version 1", "01 22 01 00**5 $data" + strings.Repeat(" 01 00 00 00", 34), h5err.Corrupt, "layout of rank 33"},
		{"chunks of rank 0, version 1", "01 01 02 00**5 $data 04 00 00 00", h5err.Corrupt, "chunk of rank 0"},
		{"chunks of rank 0, version 3", "03 02 01 $data 04 00 00 00", h5err.Corrupt, "chunk of rank 0"},
		{"chunks of rank 33", "04 02 00 22 01" + strings.Repeat(" 01", 34) + " 02 $data", h5err.Corrupt, "chunk of rank 33"},
		{"chunks of another rank", "03 02 03 $data 04 00 00 00 04 00 00 00 04 00 00 00", h5err.Corrupt, "chunks of rank 2, the dataset has rank 1"},
		{"elements of 0 bytes", "03 02 02 $data 04 00 00 00 00 00 00 00", h5err.Corrupt, "chunks of elements of 0 bytes, the type has 4"},
		{"elements of another size, no sizes of chunks", "04 02 00 02 01 04 08 02 $data", h5err.Corrupt, "chunks of elements of 8 bytes, the type has 4"},
		{"chunks of no elements", "03 02 02 $data 00 00 00 00 04 00 00 00", h5err.Corrupt, "chunks of shape [0]"},
		{"vast chunks", "03 02 02 $data ff ff ff ff 04 00 00 00", h5err.Limit, "chunks of 17179869180 bytes, the limit is 4294967296"},
		{"chunks without bounds", "04 02 00 02 08 ff**8 04 00**7 02 $data", h5err.Corrupt, "chunks of shape"},
		{"dimensions of 0 bytes", "04 02 00 02 00 02 $data", h5err.Corrupt, "chunk dimensions of 0 bytes"},
		{"dimensions of 9 bytes", "04 02 00 02 09 00**18 02 $data", h5err.Corrupt, "chunk dimensions of 9 bytes"},
		{"index 0", "04 02 00 02 01 04 04 00 $data", h5err.Corrupt, "chunk index of kind 0"},
		{"index 6", "04 02 00 02 01 04 04 06 $data", h5err.Corrupt, "chunk index of kind 6"},
		{"contiguous outside", "03 01 00**4 01 00**3 18 00**7", h5err.Corrupt, "24 bytes at address 0x100000000 are not inside the file"},
		{"contiguous over the end", "03 01 $data ff ff 00**6", h5err.Corrupt, "not inside the file"},
		{"contiguous, too small", "03 01 $data 17 00**7", h5err.Corrupt, "contiguous storage of 23 bytes for a shape of [6] elements of 4 bytes"},
		{"contiguous, negative", "03 01 $data 00**7 80", h5err.Corrupt, "contiguous storage of 9223372036854775808 bytes"},
		{"compact, too small", "03 00 17 00 00**23", h5err.Corrupt, "compact storage of 23 bytes"},
		{"virtual, no such heap", "04 03 $data 01 00 00 00", h5err.Corrupt, `signature "GCOL" expected`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			data := w.put(make([]byte, 24))
			_, err := openDataset(t, w, simple(6), nil, layoutMessage(c.hex, data)).Layout()
			needError(t, err, c.kind, c.text, -1)
			if err != nil && !strings.Contains(err.Error(), "test.h5: /d: ") {
				t.Errorf("neither file nor object: %v", err)
			}
		})
	}
	_, err := openDataset(t, newBuilder(), simple(6), nil).Layout()
	needError(t, err, h5err.Corrupt, "a dataset without a layout", -1)
}

func TestDatasetRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		msgs []msg
		kind h5err.Kind
		text string
	}{
		{"no type", []msg{{typ: msgDataspace, body: scalar}}, h5err.Corrupt, "a dataset without a datatype or a dataspace"},
		{"no space", []msg{{typ: msgDatatype, body: i32}, {typ: msgLayout, body: hx("03 00 00 00")}}, h5err.Corrupt, "a dataset without a datatype or a dataspace"},
		{"broken type", []msg{{typ: msgDatatype, body: hx("00**12")}, {typ: msgDataspace, body: scalar}}, h5err.Corrupt, "datatype version 0"},
		{"unknown type", []msg{{typ: msgDatatype, body: hx("1f 00 00 00 01 00 00 00")}, {typ: msgDataspace, body: scalar}}, h5err.Unsupported, "datatype class 15"},
		{"broken space", []msg{{typ: msgDatatype, body: i32}, {typ: msgDataspace, body: hx("09 00 00 00")}}, h5err.Corrupt, "dataspace version 9"},
		{"broken committed type", []msg{{typ: msgDatatype, body: hx("00**12")}}, h5err.Corrupt, "datatype version 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			at := w.header2(c.msgs...)
			_, err := openBytes(t, w.single(w.hard("d", at))).Lookup("/d")
			needError(t, err, c.kind, c.text, -1)
			if err != nil && !strings.HasPrefix(err.Error(), "test.h5: /d: ") {
				t.Errorf("neither file nor object: %v", err)
			}
		})
	}
}

// unallocated is the layout of contiguous data that were never written.
var unallocated = msg{typ: msgLayout, body: cat(hx("03 01 ff**8"), le(24, 8))}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		space []byte
		rows  int64
		row   int64
		ok    bool
	}{
		{scalar, 1, 4, true},
		{hx("02 00 00 02"), 0, 4, true},
		{simple(7), 7, 4, true},
		{simple(7, 3, 2), 7, 24, true},
		{simple(0, 3), 0, 12, true},
		{simple(7, 0), 7, 0, true},
		{simple(1<<63, 1), 1<<63 - 1, 4, true},
		{simple(2, 1<<61), 2, 0, false},
		{simple(2, 1<<40, 1<<40), 2, 0, false},
	} {
		d := openDataset(t, newBuilder(), c.space, nil, unallocated)
		row, err := d.RowBytes()
		if d.Rows() != c.rows || row != c.row || (err == nil) != c.ok {
			t.Errorf("%v: %d rows of %d bytes, %v", d.Space().Dims, d.Rows(), row, err)
		}
		if !c.ok {
			needError(t, err, h5err.Limit, "a row of", -1)
		}
		if n, ok := d.Space().Elements(); !ok || n > 1<<48 {
			_, err := d.Bytes()
			needError(t, err, h5err.Limit, "a shape of", -1)
		}
		if extent, err := d.Extent(); err != nil || !reflect.DeepEqual(extent, d.Space().Dims) {
			t.Errorf("%v: extent %v, %v", d.Space().Dims, extent, err)
		}
	}
}

// The limit of elements holds for every layout, whether anything was stored or not.
func TestElementLimit(t *testing.T) {
	for name, layout := range map[string]string{
		"contiguous": "03 01 $data 18 00**7", "never written": "03 01 ff**8 18 00**7", "compact": "03 00 18 00 00**24",
		"chunks": "03 02 02 ff**8 04 00 00 00 04 00 00 00", "new chunks": "04 02 00 02 01 04 04 02 ff**8", "virtual": "04 03 ff**8 00 00 00 00",
	} {
		w := newBuilder()
		m := layoutMessage(layout, w.put(make([]byte, 24)))
		d := openDataset(t, w, simple(6), []Option{WithLimits(Limits{Elements: 5})}, m)
		_, err := d.Bytes()
		needError(t, err, h5err.Limit, "a shape of [6] has 6 elements, the limit is 5; raise it to 6 with h5.Limits.Elements", -1)
		d = openDataset(t, w, simple(6), []Option{WithLimits(Limits{Elements: 6})}, m)
		if _, err := d.Layout(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := d.Bytes(); n != 24 || err != nil {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

func TestExternalList(t *testing.T) {
	make1 := func(w *builder, version byte, slots ...[3]uint64) msg {
		heap, at := w.localHeap("a.raw", "b.raw")
		body := cat([]byte{version}, hx("00 00 00"), le(8, 2), le(uint64(len(slots)), 2), w.addr(heap))
		for _, s := range slots {
			name := s[0]
			if name < 2 {
				name = at[name]
			}
			body = append(body, cat(w.len(name), w.len(s[1]), w.len(s[2]))...)
		}
		return msg{typ: msgExternalFiles, body: body}
	}
	for _, c := range []struct {
		name    string
		version byte
		slots   [][3]uint64
		want    []ExternalExtent
		text    string
	}{
		{"two", 1, [][3]uint64{{0, 4, 8}, {1, 0, 16}}, []ExternalExtent{{"a.raw", 4, 8}, {"b.raw", 0, 16}}, ""},
		{"to the end", 1, [][3]uint64{{1, 5, Unlimited}}, []ExternalExtent{{"b.raw", 5, -1}}, ""},
		{"none", 1, nil, nil, ""},
		{"version", 2, nil, nil, "external file list version 2"},
		{"no such name", 1, [][3]uint64{{999, 0, 24}}, nil, "offset 999 is not inside the local heap"},
		{"offset", 1, [][3]uint64{{0, 1 << 63, 24}}, nil, "external extent of 24 bytes at 9223372036854775808"},
		{"size", 1, [][3]uint64{{0, 0, 1 << 63}}, nil, "external extent of 9223372036854775808 bytes"},
		{"all sizes", 1, [][3]uint64{{0, 0, 1<<63 - 1}, {1, 0, 1}}, nil, "external extent of 1 bytes"},
		{"one name many times", 1, [][3]uint64{{0, 0, 1}, {0, 1, 1}, {0, 2, 1}, {0, 3, 1}, {0, 4, 1}, {0, 5, 1}}, nil, "the names of external files are larger than their heap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			l, err := openDataset(t, w, simple(6), nil, unallocated, make1(w, c.version, c.slots...)).Layout()
			if c.text != "" {
				needError(t, err, h5err.Corrupt, c.text, -1)
				return
			}
			if err != nil || l.Storage != StorageExternal || l.Size != 24 || !reflect.DeepEqual(l.External, c.want) {
				t.Errorf("layout is %+v, %v", l, err)
			}
		})
	}
	w := newBuilder()
	_, err := openDataset(t, w, simple(6), nil, unallocated, msg{typ: msgExternalFiles, body: cat(hx("01 00 00 00 01 00 01 00"), w.addr(meta.Undefined))}).Layout()
	needError(t, err, h5err.Corrupt, "not inside the file", -1)
	w = newBuilder()
	_, err = openDataset(t, w, simple(6), nil, unallocated, msg{typ: msgExternalFiles, body: hx("01 00 00 00 01 00 01 00")}).Layout()
	needError(t, err, h5err.Corrupt, "8 bytes are needed, 0 are left", -1)
	w = newBuilder()
	m := make1(w, 1, [3]uint64{0, 0, 24})
	m.body = m.body[:len(m.body)-1]
	_, err = openDataset(t, w, simple(6), nil, unallocated, m).Layout()
	needError(t, err, h5err.Corrupt, "8 bytes are needed, 7 are left", -1)
}
