package h5

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// attribute is an attribute message of version 3.
func attribute(name string, typ, space, raw []byte) msg {
	return msg{typ: msgAttribute, body: cat(hx("03 00"), le(uint64(len(name)+1), 2), le(uint64(len(typ)), 2), le(uint64(len(space)), 2), hx("01"),
		[]byte(name), []byte{0}, typ, space, raw)}
}

var attributeCases = []struct{ name, hex string }{
	{"version 1", `01 00  02 00 0c 00 08 00                // sizes of name, type, space
		'a' 00 00**6                                       // each padded to eight
		10 08 00 00 02 00 00 00  00 00 10 00  00**4
		01 00 00 00 00**4
		fe ff`},
	{"version 2", `02 00  02 00 0c 00 04 00
		'a' 00  10 08 00 00 02 00 00 00  00 00 10 00  02 00 00 00  fe ff`},
	{"version 3", `03 00  02 00 0c 00 04 00  01            // UTF-8
		'a' 00  10 08 00 00 02 00 00 00  00 00 10 00  02 00 00 00  fe ff`},
	{"name without an end", `03 00  01 00 0c 00 04 00  00
		'a'  10 08 00 00 02 00 00 00  00 00 10 00  02 00 00 00  fe ff`},
}

func TestParseAttribute(t *testing.T) {
	for _, c := range attributeCases {
		f := parser(Limits{})
		b := hx(c.hex)
		a, err := f.parseAttribute(over(f, b))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if a.Name != "a" || a.Type().String() != "i16le" || a.Space().Class != SpaceScalar || string(a.Raw()) != "\xfe\xff" {
			t.Errorf("%s: %+v", c.name, a)
		}
		if v, ok := a.Int(); v != -2 || !ok {
			t.Errorf("%s: value %d, %v", c.name, v, ok)
		}
		for n := range b {
			if a, err := f.parseAttribute(over(f, b[:n])); err == nil {
				t.Errorf("%s: %d bytes of it are %+v", c.name, n, a)
			}
		}
	}
	big := bytes.Repeat([]byte{1}, 65)
	for _, c := range []struct {
		b    []byte
		l    Limits
		kind h5err.Kind
		text string
	}{
		{hx("00 00 02 00 0c 00 04 00"), Limits{}, h5err.Corrupt, "attribute version 0"},
		{hx("04 00 02 00 0c 00 04 00"), Limits{}, h5err.Corrupt, "attribute version 4"},
		{hx("03 00 ff ff 0c 00 04 00 00 'a'"), Limits{}, h5err.Corrupt, "65535 bytes are needed"},
		{attribute("a", hx("0f 00"), scalar, nil).body, Limits{}, h5err.Corrupt, "are needed"},
		{attribute("a", i32, hx("05 00 00 00"), nil).body, Limits{}, h5err.Corrupt, "dataspace version 5"},
		{attribute("a", i32, simple(3), make([]byte, 11)).body, Limits{}, h5err.Corrupt, `attribute "a" of 3 elements of 4 bytes in a message with 11 left`},
		{attribute("a", i32, simple(1<<62), make([]byte, 11)).body, Limits{}, h5err.Corrupt, `attribute "a" of`},
		{attribute("a", i32, simple(1<<62, 1<<62), make([]byte, 11)).body, Limits{}, h5err.Corrupt, `attribute "a" of`},
		{attribute("a", hx("13 00 00 00 41 00 00 00"), scalar, big).body, Limits{AttributeSize: 64}, h5err.Limit, `attribute "a" of 65 bytes, the limit is 64`},
		{attribute("a", hx("13 00 00 00 41 00 00 00"), scalar, big).body, Limits{AttributeSize: 65}, 0, ""},
	} {
		f := parser(c.l)
		_, err := f.parseAttribute(over(f, c.b))
		if c.kind == 0 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		needError(t, err, c.kind, c.text, -1)
	}
}

// object makes an empty group with messages, and opens it.
func openGroup(t *testing.T, w *builder, opts []Option, more ...msg) *Group {
	t.Helper()
	at := w.group(more...)
	return lookup[*Group](t, openBytes(t, w.single(w.hard("g", at)), opts...), "/g")
}

func TestAttributeShared(t *testing.T) {
	w := newBuilder()
	ids := w.sohm(1<<msgAttribute|1<<msgDataspace, attribute("shared", i32, scalar, le(7, 4)).body, simple(2))
	committed := w.header2(msg{typ: msgDatatype, body: i32})
	parts := func(flags byte, typ, space, raw []byte) msg {
		m := attribute("parts", typ, space, raw)
		m.body[1] = flags
		return m
	}
	g := openGroup(t, w, nil,
		msg{typ: msgAttribute, flags: flagShared, body: cat(hx("03 01"), ids[0])},
		parts(3, cat(hx("03 02"), le(committed, 8)), cat(hx("03 01"), ids[1]), hx("01 00 00 00 02 00 00 00")))
	attrs, err := g.Attributes()
	if err != nil || len(attrs) != 2 {
		t.Fatalf("%d attributes, %v, %v", len(attrs), err, g.badAttributes())
	}
	if v, ok := attrs[0].Ints(); !ok || !reflect.DeepEqual(v, []int64{1, 2}) || attrs[0].Name != "parts" {
		t.Errorf("%s: %v", attrs[0].Name, v)
	}
	if v, ok := attrs[1].Int(); !ok || v != 7 || attrs[1].Name != "shared" {
		t.Errorf("%s: %v", attrs[1].Name, v)
	}
}

// dense puts attributes into a heap, and makes the message that names it.
func (w *builder) dense(attrs ...msg) msg {
	var objects, records [][]byte
	for _, a := range attrs {
		objects = append(objects, a.body)
	}
	heap, ids := w.fractalHeap(objects...)
	for i, id := range ids {
		records = append(records, cat(id, []byte{0}, le(uint64(i), 4), le(uint64(i), 4)))
	}
	return msg{typ: msgAttributeInfo, body: cat(hx("00 00"), w.addr(heap), w.addr(w.btree2(8, records...)))}
}

// TestAttributesOrder has compact attributes that were made in another order than the one in which they are stored.
func TestAttributesOrder(t *testing.T) {
	for tracked, want := range map[bool]string{false: "a1 b0 c2", true: "a7 b9 c300"} {
		message := func(name string, order uint64) []byte {
			body := attribute(name, i32, scalar, le(1, 4)).body
			b := cat([]byte{msgAttribute}, le(uint64(len(body)), 2), []byte{0})
			if tracked {
				b = append(b, le(order, 2)...)
			}
			return append(b, body...)
		}
		w := newBuilder()
		messages := cat(message("b", 9), message("a", 7), message("c", 300))
		flags := byte(1) // two bytes of size
		if tracked {
			flags |= 4
		}
		at := w.put(sum(cat([]byte("OHDR"), []byte{2, flags}, le(uint64(len(messages)), 2), messages)))
		h, err := w.readAt(t, at)
		if err != nil {
			t.Fatal(err)
		}
		l, err := parser(Limits{}).attributes(h)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range l.all {
			got = append(got, fmt.Sprint(a.Name, a.Order()))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("tracked %v: %s, want %s", tracked, s, want)
		}
	}
}

func TestAttributesDense(t *testing.T) {
	w := newBuilder()
	g := openGroup(t, w, nil, attribute("compact", i32, scalar, le(1, 4)),
		w.dense(attribute("z", i32, scalar, le(2, 4)), attribute("a", i32, scalar, le(3, 4))))
	attrs, err := g.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range attrs {
		v, _ := a.Int()
		got = append(got, fmt.Sprint(a.Name, v))
	}
	if strings.Join(got, " ") != "a3 compact1 z2" {
		t.Errorf("attributes %v", got)
	}
	for name, m := range map[string]msg{
		"version": {typ: msgAttributeInfo, body: hx("01 00 00**16")},
		"short":   {typ: msgAttributeInfo, body: hx("00 01 00")},
		"no heap": {typ: msgAttributeInfo, body: cat(hx("00 00"), le(256, 8), le(256, 8))},
		"no tree": func() msg {
			m := w.dense(attribute("x", i32, scalar, le(2, 4)))
			copy(m.body[10:], le(256, 8))
			return m
		}(),
		"a link tree": {typ: msgAttributeInfo, body: cat(hx("00 00"), func() []byte {
			h, ids := w.fractalHeap(nil)
			return cat(le(h, 8), le(w.btree2(5, cat(ids[0], le(0, 9))), 8))
		}())},
	} {
		g := openGroup(t, w, nil, m)
		_, err := g.Attributes()
		needError(t, err, h5err.Corrupt, "", -1)
		if _, again := g.Attribute("x"); again == nil {
			t.Errorf("%s: no error from Attribute", name)
		}
	}
	undefined := openGroup(t, newBuilder(), nil, msg{typ: msgAttributeInfo, body: hx("00 03 00 00 ff**24")})
	if attrs, err := undefined.Attributes(); len(attrs) != 0 || err != nil {
		t.Errorf("%d attributes, %v", len(attrs), err)
	}
}

// TestBadAttributes leaves out what can't be read, and returns why.
func TestBadAttributes(t *testing.T) {
	w := newBuilder()
	ids := w.sohm(1<<msgDatatype, i32) // has no attributes
	broken := attribute("broken", i32, simple(9), le(1, 4))
	heap, hid := w.fractalHeap(attribute("dense", i32, scalar, le(5, 4)).body)
	flagged := w.btree2(8, cat(hid[0], []byte{flagShared}, le(0, 8)), cat(hx("00 00 00 00 00 01 00 00 00"), le(0, 8)), cat(hid[0], []byte{0}, le(0, 8)))
	g := openGroup(t, w, nil, attribute("good", i32, scalar, le(2, 4)), broken,
		msg{typ: msgAttribute, flags: flagShared, body: cat(hx("03 01"), ids[0])},
		msg{typ: msgAttributeInfo, body: cat(hx("00 00"), le(heap, 8), le(flagged, 8))})
	attrs, err := g.Attributes()
	if err != nil || len(attrs) != 2 || attrs[0].Name != "dense" || attrs[1].Name != "good" {
		t.Errorf("%d attributes, %v", len(attrs), err)
	}
	bad := g.badAttributes()
	if len(bad) != 4 {
		t.Fatalf("errors are %v", bad)
	}
	for i, text := range []string{`attribute "broken" of 9 elements`, "has no heap for it", "a shared attribute, but", "outside the direct block"} {
		needError(t, bad[i], h5err.Corrupt, text, -1)
		if !strings.Contains(bad[i].Error(), "test.h5: /g: ") {
			t.Errorf("neither file nor object: %v", bad[i])
		}
	}
	var many []msg
	for range maxBadAttributes + 10 {
		many = append(many, broken)
	}
	if g := openGroup(t, newBuilder(), nil, many...); len(g.badAttributes()) != maxBadAttributes {
		t.Errorf("%d errors", len(g.badAttributes()))
	}
}

// TestAttributesSharedMany has many names for one large value: a few bytes each in the file, all of it in memory.
func TestAttributesSharedMany(t *testing.T) {
	w := newBuilder()
	m := attribute("a", hx("13 00 00 00 00 f0 00 00"), scalar, make([]byte, 0xf000))
	heap, ids := w.fractalHeap(m.body)
	var records [][]byte
	for range 2000 {
		records = append(records, cat(ids[0], []byte{0}, le(0, 8)))
	}
	info := msg{typ: msgAttributeInfo, body: cat(hx("00 00"), le(heap, 8), le(w.btree2(8, records...), 8))}
	_, err := openGroup(t, w, nil, info).Attributes()
	needError(t, err, h5err.Corrupt, "the attributes of an object are larger than the file", -1)

	w = newBuilder()
	info = w.dense(attribute("a", i32, scalar, le(2, 4)))
	a, b := w.group(info), w.group(info)
	f := openBytes(t, w.single(w.hard("a", a), w.hard("b", b)))
	if _, err := lookup[*Group](t, f, "/a").Attributes(); err != nil {
		t.Error(err)
	}
	_, err = lookup[*Group](t, f, "/b").Attributes()
	needError(t, err, h5err.Corrupt, "this index of attributes belongs to the objects at", -1)
}

// helperAttributes are attributes of many types, whose variable-length values are in a heap that is appended to a file.
func helperAttributes(w *builder) map[string]msg {
	heap := w.globalHeap([]byte("größe\x00"), []byte("two"), nil, cat(le(300, 8), le(0, 8), le(400, 8)))
	ref := func(n uint32, index uint32) []byte { return cat(le(uint64(n), 4), le(heap, 8), le(uint64(index), 4)) }
	vstr := hx("19 01 01 00 10 00 00 00  10 00 00 00 01 00 00 00 00 00 08 00")
	vref := hx("19 00 00 00 10 00 00 00  17 00 00 00 08 00 00 00")
	fixed := func(pad byte) []byte { return cat([]byte{0x13, pad, 0, 0}, le(4, 4)) }
	enum := hx("38 01 00 00 02 00 00 00 10 09 00 00 02 00 00 00 00 00 10 00 'A' 00 00 01")
	f32, f64be := hx(hexF32), hx("11 21 3f 00 08 00 00 00  00 00 40 00 34 0b 00 34 ff 03 00 00")
	return map[string]msg{
		"text":           attribute("text", vstr, scalar, ref(8, 1)),
		"texts":          attribute("texts", vstr, simple(5), cat(ref(3, 2), ref(0, 0), le(0, 16), cat(le(3, 4), le(meta.Undefined, 8), le(1, 4)), ref(2, 2))),
		"no text":        attribute("no text", vstr, hx("02 00 00 02"), nil),
		"lost text":      attribute("lost text", vstr, scalar, ref(3, 99)),
		"long text":      attribute("long text", vstr, scalar, ref(4, 2)),
		"no heap":        attribute("no heap", vstr, scalar, cat(le(1, 4), le(heap+8, 8), le(1, 4))),
		"nullterm":       attribute("nullterm", fixed(0), simple(3), []byte("a\x00bcabcd\x00\x00\x00\x00")),
		"nullpad":        attribute("nullpad", fixed(1), scalar, []byte("a\x00b\x00")),
		"spacepad":       attribute("spacepad", fixed(2), scalar, []byte(" a  ")),
		"ints":           attribute("ints", i32, simple(2), cat(le(1, 4), le(0xffffffff, 4))),
		"u64":            attribute("u64", hx("10 00 00 00 08 00 00 00 00 00 40 00"), scalar, hx("00**7 80")),
		"wide":           attribute("wide", hx("10 00 00 00 10 00 00 00 00 00 80 00"), scalar, make([]byte, 16)),
		"bits":           attribute("bits", hx("14 01 00 00 02 00 00 00 00 00 10 00"), scalar, hx("01 02")),
		"enum":           attribute("enum", enum, scalar, hx("ff fe")),
		"f32":            attribute("f32", f32, scalar, le(uint64(math.Float32bits(1.5)), 4)),
		"f64":            attribute("f64", f64be, simple(1), hx("3f f8 00**6")),
		"f16":            attribute("f16", hx("11 20 0f 00 02 00 00 00  00 00 10 00 0a 05 00 0a 0f 00 00 00"), scalar, hx("00 00")),
		"reference":      attribute("reference", hx("17 00 00 00 08 00 00 00"), simple(2), cat(le(300, 8), le(0, 8))),
		"references":     attribute("references", vref, simple(2), cat(ref(3, 4), ref(0, 0))),
		"bad references": attribute("bad references", vref, scalar, ref(4, 4)),
		"new reference":  attribute("new reference", hx("47 02 00 00 12 00 00 00"), scalar, make([]byte, 18)),
	}
}

// openHelpers opens a group that has them.
func openHelpers(t *testing.T) (get func(name string) *Attribute) {
	t.Helper()
	w := newBuilder()
	var msgs []msg
	for _, m := range helperAttributes(w) {
		msgs = append(msgs, m)
	}
	g := openGroup(t, w, nil, msgs...)
	return func(name string) *Attribute {
		t.Helper()
		a, err := g.Attribute(name)
		if err != nil || a == nil {
			t.Fatalf("%s: %v, %v", name, err, g.badAttributes())
		}
		return a
	}
}

func TestAttributeText(t *testing.T) {
	get := openHelpers(t)
	for name, want := range map[string][]string{
		"text": {"größe"}, "texts": {"two", "", "", "", "tw"}, "no text": nil, "nullterm": {"a", "abcd", ""}, "nullpad": {"a\x00b"}, "spacepad": {" a"},
	} {
		if v, ok := get(name).Strings(); !ok || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %q, %v", name, v, ok)
		}
	}
	for name, want := range map[string]string{"text": "größe", "no text": "", "nullpad": "a\x00b"} {
		if v, ok := get(name).Text(); !ok || v != want {
			t.Errorf("%s: %q, %v", name, v, ok)
		}
	}
	for _, name := range []string{"texts", "lost text", "long text", "no heap", "ints"} {
		if v, ok := get(name).Text(); ok {
			t.Errorf("%s is text %q", name, v)
		}
	}
}

func TestAttributeNumbers(t *testing.T) {
	get := openHelpers(t)
	for name, want := range map[string][]int64{"ints": {1, -1}, "bits": {258}, "enum": {-2}} {
		if v, ok := get(name).Ints(); !ok || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %d, %v", name, v, ok)
		}
	}
	if v, ok := get("enum").Int(); !ok || v != -2 {
		t.Errorf("enum: %d, %v", v, ok)
	}
	for _, name := range []string{"ints", "u64", "wide", "f32", "text"} {
		if v, ok := get(name).Int(); ok {
			t.Errorf("%s is integer %d", name, v)
		}
	}
	for name, want := range map[string][]float64{"f32": {1.5}, "f64": {1.5}, "ints": {1, -1}} {
		if v, ok := get(name).Floats(); !ok || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %g, %v", name, v, ok)
		}
	}
	for _, name := range []string{"f16", "text", "wide"} {
		if v, ok := get(name).Floats(); ok {
			t.Errorf("%s is %g", name, v)
		}
	}
	for name, want := range map[string][][]uint64{"reference": {{300}, {0}}, "references": {{300, 0, 400}, {}}} {
		if v, ok := get(name).References(); !ok || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %v, %v", name, v, ok)
		}
	}
	for _, name := range []string{"bad references", "new reference", "text", "ints"} {
		if v, ok := get(name).References(); ok {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// TestAttributeAmplification has elements that all lead to one large object of the heap.
func TestAttributeAmplification(t *testing.T) {
	w := newBuilder()
	heap := w.globalHeap(bytes.Repeat([]byte("x"), 1<<16), make([]byte, 1<<16))
	many := func(n uint64, index uint64) []byte {
		return bytes.Repeat(cat(le(n, 4), le(heap, 8), le(index, 4)), 1024)
	}
	g := openGroup(t, w, []Option{WithLimits(Limits{AttributeSize: 4 << 20})},
		attribute("text", hx("19 01 01 00 10 00 00 00  10 00 00 00 01 00 00 00 00 00 08 00"), simple(1024), many(1<<16, 1)),
		attribute("refs", hx("19 00 00 00 10 00 00 00  17 00 00 00 08 00 00 00"), simple(1024), many(1<<13, 2)))
	for _, name := range []string{"text", "refs"} {
		a, err := g.Attribute(name)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := a.Strings(); ok {
			t.Errorf("%d strings", len(v))
		}
		if v, ok := a.References(); ok {
			t.Errorf("%d lists", len(v))
		}
	}
}

func TestTrimString(t *testing.T) {
	for _, c := range []struct {
		in   string
		pad  StringPad
		want string
	}{
		{"", NullTerm, ""}, {"abc", NullTerm, "abc"}, {"a\x00c", NullTerm, "a"}, {"\x00bc", NullTerm, ""},
		{"", NullPad, ""}, {"a\x00c\x00\x00", NullPad, "a\x00c"}, {"\x00\x00", NullPad, ""}, {"a ", NullPad, "a "},
		{"", SpacePad, ""}, {" a b  ", SpacePad, " a b"}, {"   ", SpacePad, ""}, {"a\x00 ", SpacePad, "a\x00"}, {"ab\x00\x00", SpacePad, "ab"}, {"a b  \x00", SpacePad, "a b"}, {"\x00\x00", SpacePad, ""},
	} {
		if got := TrimString([]byte(c.in), c.pad); string(got) != c.want {
			t.Errorf("%q, %v: %q, want %q", c.in, c.pad, got, c.want)
		}
	}
}

// TestDenseFixture reads attributes that libhdf5 wrote for the index packages.
func TestDenseFixture(t *testing.T) {
	b, want := indexFixture(t, "attrs_dense")
	f := openBytes(t, b)
	n := 0
	if err := f.Walk(func(o Object) error {
		attrs, err := o.Attributes()
		if err != nil {
			return err
		}
		for _, a := range attrs {
			w, ok := want.Attributes[a.Name]
			if !ok || len(a.Raw()) != w[1]*a.Type().Size {
				t.Errorf("attribute %s of %d bytes, want %v", a.Name, len(a.Raw()), w)
			}
			n++
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if n != len(want.Attributes) {
		t.Errorf("%d attributes, want %d", n, len(want.Attributes))
	}
}
