package h5

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// readAt reads the header that a file made by hand has at an address.
func (w *builder) readAt(tb testing.TB, addr uint64, opts ...Option) (*header, error) {
	tb.Helper()
	return openBytes(tb, w.single(), opts...).readHeader(addr)
}

// bodies lists messages as type:body.
func bodies(h *header) string {
	var out []string
	for _, m := range h.messages {
		out = append(out, fmt.Sprintf("%x:%s", m.typ, bytes.TrimRight(m.body, "\x00")))
	}
	return strings.Join(out, " ")
}

func TestHeader1(t *testing.T) {
	w := newBuilder()
	third := w.put(hx(`
		0d 00 08 00 00 00 00 00  'comment2'
		00 00 00 00 00 00 00 00             // the count of messages is used up: libhdf5 reads on
		0d 00 08 00 00 00 00 00  'comment3'`))
	second := w.put(cat(hx("0e 00 08 00 00 00 00 00  'date...1'"),
		hx("10 00 10 00 00 00 00 00"), le(third, 8), le(24+16, 8), hx("00**5"))) // and a gap
	at := w.put(cat(hx(`
		01 00 06 00              // version, reserved, number of messages
		07 00 00 00              // hard links
		38 00 00 00  00 00 00 00 // bytes of the first block, padding
		0d 00 08 00 00 00 00 00  'comment1'
		10 00 10 00 00 00 00 00`), le(second, 8), le(16+24+5, 8), hx("00 00 08 00 00 00 00 00 ff**8")))
	h, err := w.readAt(t, at)
	if err != nil {
		t.Fatal(err)
	}
	if got := bodies(h); got != "d:comment1 e:date...1 d:comment2 d:comment3" || h.version != 1 || h.missing != -2 {
		t.Errorf("version %d: %s", h.version, got)
	}
	if m := h.messages[2]; m.at != third+8 {
		t.Errorf("third message at %d, want %d", m.at, third+8)
	}
	if h.bytes != 16+56+45+40 {
		t.Errorf("header of %d bytes", h.bytes)
	}
}

func TestHeader2(t *testing.T) {
	for _, c := range []struct {
		name, head string // from the version on
		size       int    // bytes of the size of the first block
		order      bool
	}{
		{"size of one byte", "02 00", 1, false},
		{"size of two", "02 01", 2, false},
		{"size of four", "02 02", 4, false},
		{"size of eight", "02 03", 8, false},
		{"times", "02 22 11**16", 4, false},
		{"phase change", "02 12 08 00 06 00", 4, false},
		{"creation order", "02 04", 1, true},
		{"all", "02 3e 11**16 08 00 06 00", 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := func(typ byte, body string) []byte {
				b := cat([]byte{typ}, le(uint64(len(body)), 2), []byte{0})
				if c.order {
					b = append(b, 9, 0)
				}
				return append(b, body...)
			}
			w := newBuilder()
			next := w.put(sum(cat([]byte("OCHK"), message(0x0d, "second"), hx("00 00 00")))) // and a gap
			first := cat(message(0x0d, "first"), message(0, "nothing"), message(0x10, string(cat(le(next, 8), le(uint64(len(w.b))-next, 8)))), message(0x12, "third"))
			at := w.put(sum(cat([]byte("OHDR"), hx(c.head), le(uint64(len(first)), c.size), first)))
			h, err := w.readAt(t, at)
			if err != nil {
				t.Fatal(err)
			}
			if got := bodies(h); got != "d:first 12:third d:second" || h.version != 2 || h.trackOrder != c.order {
				t.Errorf("version %d, order %v: %s", h.version, h.trackOrder, got)
			}
			for _, m := range h.messages {
				if string(w.b[m.at:m.at+uint64(len(m.body))]) != string(m.body) {
					t.Errorf("message %s is not at %d", m.body, m.at)
				}
			}
		})
	}
}

var aComment = msg{typ: 0x0d, body: []byte("text")}

func continuation(addr, size uint64) msg {
	return msg{typ: msgContinuation, body: cat(le(addr, 8), le(size, 8))}
}

// headersRefused make object headers that are broken.
var headersRefused = []struct {
	name string
	make func(w *builder) uint64
	kind h5err.Kind
	text string
}{
	{"v2: version 3", func(w *builder) uint64 {
		b := header2(aComment)
		b[4] = 3
		return w.put(sum(b[:len(b)-4]))
	}, h5err.Unsupported, "object header version 3"},
	{"v2: checksum", func(w *builder) uint64 {
		b := header2(aComment)
		b[len(b)-1]++
		return w.put(b)
	}, h5err.Corrupt, "checksum of the object header is"},
	{"v2: larger than the file", func(w *builder) uint64 {
		return w.put(sum(hx("'OHDR' 02 03 ff ff ff ff ff ff ff 7f")))
	}, h5err.Corrupt, "object header of 9223372036854775807 bytes"},
	{"v2: message over the end", func(w *builder) uint64 {
		return w.put(sum(hx("'OHDR' 02 00 06  0d 03 00 00  'ab'")))
	}, h5err.Corrupt, "3 bytes are needed, 2 are left"},
	{"v2: cut in its head", func(w *builder) uint64 {
		return w.put([]byte("OHDR\x02\x03"))
	}, h5err.Corrupt, "not inside the file"},
	{"v2: continuation of no bytes", func(w *builder) uint64 { return w.header2(continuation(264, 0)) }, h5err.Corrupt, "no room for a checksum"},
	{"v2: continuation without its signature", func(w *builder) uint64 {
		at := w.put(sum([]byte("ochk")))
		return w.header2(continuation(at, 8))
	}, h5err.Corrupt, `signature "OCHK" expected`},
	{"v2: continuation outside", func(w *builder) uint64 { return w.header2(continuation(1<<40, 64)) }, h5err.Corrupt, "not inside the file"},
	{"v2: continuation larger than the file", func(w *builder) uint64 { return w.header2(continuation(264, 1<<62)) }, h5err.Corrupt, "more than are left in the file"},
	{"v2: continuation leads to the header", func(w *builder) uint64 {
		at := uint64(256) // where the header will be
		w.header2(continuation(at, 8))
		return at
	}, h5err.Corrupt, "leads back to itself"},
	{"v2: cycle of two", func(w *builder) uint64 {
		a := uint64(256)
		b := a + 32
		w.put(sum(cat([]byte("OCHK"), messages2([]msg{continuation(b, 28)}))))
		w.put(sum(cat([]byte("OCHK"), messages2([]msg{continuation(a, 28)}))))
		return w.header2(continuation(a, 28))
	}, h5err.Corrupt, "object header continuation at address 0x100 leads back to itself"},
	{"v2: undefined continuation", func(w *builder) uint64 { return w.header2(continuation(meta.Undefined, 64)) }, h5err.Corrupt, "not inside the file"},
	{"v2: short continuation message", func(w *builder) uint64 { return w.header2(msg{typ: msgContinuation, body: hx("00 01")}) }, h5err.Corrupt, "8 bytes are needed"},
	{"v1: version 0", func(w *builder) uint64 { return w.put(make([]byte, 64)) }, h5err.Corrupt, "not an object header (version 0)"},
	{"v1: cut", func(w *builder) uint64 { return w.put(hx("01 00 01 00 01 00 00 00")) }, h5err.Corrupt, "not inside the file"},
	{"v1: message over the end", func(w *builder) uint64 {
		return w.put(hx("01 00 01 00 01 00 00 00  10 00 00 00 00 00 00 00  0d 00 10 00 00 00 00 00 00**8 00**64"))
	}, h5err.Corrupt, "16 bytes are needed, 8 are left"},
	{"v1: block larger than the file", func(w *builder) uint64 {
		return w.put(hx("01 00 01 00 01 00 00 00  ff ff ff ff 00 00 00 00"))
	}, h5err.Corrupt, "more than are left in the file"},
	{"v1: cycle", func(w *builder) uint64 {
		at := uint64(256)
		w.header1(continuation(at+16, 24), aComment)
		return at
	}, h5err.Corrupt, "leads back to itself"},
	{"v1: continuation outside", func(w *builder) uint64 {
		at := w.header1(continuation(1<<40, 64), aComment)
		w.b[at+2]++ // there is one more message
		return at
	}, h5err.Corrupt, "not inside the file"},
	{"undefined", func(*builder) uint64 { return meta.Undefined }, h5err.Corrupt, "undefined object address"},
	{"outside", func(*builder) uint64 { return 1 << 50 }, h5err.Corrupt, "not inside the file"},
	{"at the end", func(w *builder) uint64 { w.single(); return uint64(len(w.b)) * 2 }, h5err.Corrupt, "not inside the file"},
}

func TestHeaderRefused(t *testing.T) {
	for _, c := range headersRefused {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			at := c.make(w)
			var root uint64
			if c.name == "v2: cut in its head" || c.name == "v1: cut" { // nothing may come after it
				cut := bytes.Clone(w.b)
				w = newBuilder()
				w.put(make([]byte, len(cut)-256))
				root = w.group()
				at = w.put(cut[at:])
			} else {
				root = w.group()
			}
			_, err := openBytes(t, w.file(root)).readHeader(at)
			needError(t, err, c.kind, c.text, -1)
		})
	}
}

func TestUnknownMessages(t *testing.T) {
	for _, c := range []struct {
		typ   uint16
		flags uint8
		ok    bool
	}{
		{0x0d, 0x80, true},  // known, though not read
		{0x19, 0x00, true},  // unknown
		{0x19, 0x08, true},  // only writers must fail
		{0x19, 0x80, false}, // all must
		{0xfe, 0x81, false},
	} {
		w := newBuilder()
		m := msg{typ: c.typ, flags: c.flags, body: make([]byte, 8)}
		for version, at := range map[int]uint64{1: w.header1(m), 2: w.header2(m)} {
			_, err := w.readAt(t, at)
			if c.ok && err != nil {
				t.Errorf("version %d, message %#x of flags %#x: %v", version, c.typ, c.flags, err)
			}
			if !c.ok {
				needError(t, err, h5err.Unsupported, fmt.Sprintf("header message type %#x", c.typ), -1)
			}
		}
	}
}

// TestNestedContinuations has blocks inside of blocks, each sound by itself: reading all of them would take time that
// grows with the square of the file's size.
func TestNestedContinuations(t *testing.T) {
	const n, step = 2000, 36
	w := newBuilder()
	// Block i is at step*i and as much shorter at its end: "OCHK", a continuation message that leads to the next one, a
	// message that covers the blocks inside, and a checksum.
	size := func(i int) int { return 2*step*(n-i) + 64 }
	b := make([]byte, size(0))
	for i := n - 1; i >= 0; i-- {
		at := step * i
		blk := b[at : at+size(i)]
		next := cat(le(256+uint64(at)+step, 8), le(uint64(size(i+1)), 8))
		if i == n-1 {
			next = cat(le(256, 8), le(0, 8)) // none
		}
		copy(blk, cat([]byte("OCHK"), messages2([]msg{{typ: msgContinuation, body: next}})))
		if i == n-1 {
			blk[4] = 0
		}
		rest := size(i) - 24 - 4 - 4
		copy(blk[24:], cat([]byte{0}, le(uint64(min(rest, 65535)), 2), []byte{0}))
		copy(blk[size(i)-4:], le(uint64(meta.Checksum(blk[:size(i)-4])), 4))
	}
	at := w.put(b)
	h, err := w.readAt(t, w.header2(msg{typ: msgContinuation, body: cat(le(at, 8), le(uint64(size(0)), 8))}))
	needError(t, err, h5err.Corrupt, "more than are left in the file", -1)
	if h != nil {
		t.Error("there is a header")
	}
}

func TestMessageLimit(t *testing.T) {
	var many []msg
	for range 20 {
		many = append(many, msg{typ: 0x0d, body: make([]byte, 8)})
	}
	w := newBuilder()
	for version, at := range map[int]uint64{1: w.header1(many...), 2: w.header2(many...)} {
		if _, err := w.readAt(t, at, WithLimits(Limits{Messages: 20})); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
		_, err := w.readAt(t, at, WithLimits(Limits{Messages: 19}))
		needError(t, err, h5err.Limit, "19", -1)
	}
}

// sohm makes a shared message heap that holds messages, with its table in the superblock extension.
func (w *builder) sohm(types uint16, messages ...[]byte) (ids [][]byte) {
	heap, ids := w.fractalHeap(messages...)
	table := w.put(sum(cat([]byte("SMTB"), hx("00 00"), le(uint64(types), 2), le(8, 4), le(50, 2), le(40, 2), le(uint64(len(messages)), 2),
		w.addr(meta.Undefined), w.addr(heap))))
	w.extension = w.header2(msg{typ: msgSharedTable, body: cat([]byte{0}, w.addr(table), []byte{1})})
	return ids
}

func TestSharedMessages(t *testing.T) {
	u16 := hx("10 00 00 00 02 00 00 00  00 00 10 00")
	open := func(t *testing.T, make func(w *builder, committed uint64) []byte) (*Dataset, error) {
		w := newBuilder()
		committed := w.header2(msg{typ: msgDatatype, body: u16})
		body := make(w, committed)
		at := w.header2(msg{typ: msgDatatype, flags: flagShared, body: body}, msg{typ: msgDataspace, body: scalar})
		f := openBytes(t, w.single(w.hard("d", at), w.hard("t", committed)))
		o, err := f.Lookup("/d")
		if err != nil {
			return nil, err
		}
		return o.(*Dataset), nil
	}
	for _, c := range []struct {
		name      string
		committed bool
		make      func(w *builder, committed uint64) []byte
	}{
		{"version 1", true, func(w *builder, at uint64) []byte { return cat(hx("01 00 00**6 00**8"), le(at, 8)) }},
		{"version 2", true, func(w *builder, at uint64) []byte { return cat(hx("02 00"), le(at, 8)) }},
		{"version 3, committed", true, func(w *builder, at uint64) []byte { return cat(hx("03 02"), le(at, 8)) }},
		{"version 3, heap", false, func(w *builder, _ uint64) []byte {
			return cat(hx("03 01"), w.sohm(1<<msgDatatype, i32, u16)[1])
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := open(t, c.make)
			if err != nil {
				t.Fatal(err)
			}
			if d.Type().String() != "u16le" || d.Type().Committed != c.committed {
				t.Errorf("type %s, committed: %v", d.Type(), d.Type().Committed)
			}
		})
	}
	for _, c := range []struct {
		name string
		make func(w *builder, committed uint64) []byte
		text string
	}{
		{"version 0", func(*builder, uint64) []byte { return hx("00 02 00**8") }, "shared message version 0"},
		{"version 4", func(*builder, uint64) []byte { return hx("04 02 00**8") }, "shared message version 4"},
		{"cut", func(*builder, uint64) []byte { return hx("03 02 00**7") }, "8 bytes are needed, 7 are left"},
		{"empty", func(*builder, uint64) []byte { return nil }, "1 bytes are needed"},
		{"undefined", func(*builder, uint64) []byte { return hx("03 02 ff**8") }, "undefined object address"},
		{"nothing there", func(w *builder, _ uint64) []byte { return cat(hx("03 02"), le(w.header2(), 8)) }, "no message of type 0x3 to share"},
		{"shared again", func(w *builder, at uint64) []byte {
			return cat(hx("03 02"), le(w.header2(msg{typ: msgDatatype, flags: flagShared, body: cat(hx("03 02"), le(at, 8))}), 8))
		}, "one that is shared itself"},
		{"no table", func(*builder, uint64) []byte { return hx("03 01 00**8") }, "the file has no heap for it"},
		{"no heap for types", func(w *builder, _ uint64) []byte { return cat(hx("03 01"), w.sohm(1<<msgFill, i32)[0]) }, "the file has no heap for it"},
		{"no such object", func(w *builder, _ uint64) []byte {
			w.sohm(1<<msgDatatype, i32)
			return hx("03 01  00 00 00 80 00 0c 00 00")
		}, "fractal heap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := open(t, c.make)
			needError(t, err, h5err.Corrupt, c.text, -1)
		})
	}
	w := newBuilder()
	w.extension = w.header2(msg{typ: msgSharedTable, body: cat([]byte{0}, w.addr(w.put(sum([]byte("SMTB")))), []byte{2})})
	_, err := tryBytes(w.single())
	needError(t, err, h5err.Corrupt, "", -1)
}

// TestSharedFromOneObject has many messages that one committed datatype shares, which must be read only once.
func TestSharedFromOneObject(t *testing.T) {
	w := newBuilder()
	committed := w.header2(msg{typ: msgDatatype, body: i32}, msg{typ: 0x0d, body: make([]byte, 60000)})
	var links []msg
	for i := range 2000 {
		at := w.header2(msg{typ: msgDatatype, flags: flagShared, body: cat(hx("03 02"), le(committed, 8))}, msg{typ: msgDataspace, body: scalar})
		links = append(links, w.hard(fmt.Sprint(i), at))
	}
	f := openBytes(t, w.single(links...))
	reads := 0
	f.r.OnExtent = func(off, _ int64, _ string) {
		if off == int64(committed) {
			reads++
		}
	}
	n := 0
	if err := f.Walk(func(o Object) error { n++; return nil }); err != nil || n != 2001 {
		t.Errorf("%d objects, %v", n, err)
	}
	if reads != 1 {
		t.Errorf("the committed type was read %d times", reads)
	}
}

// TestOverlappingHeaders has objects whose headers share most of their bytes.
func TestOverlappingHeaders(t *testing.T) {
	w := newBuilder()
	block := w.put(messages1([]msg{{typ: 0x0d, body: make([]byte, 60000)}}))
	var links []msg
	for i := range 100 {
		at := w.header1(msg{typ: msgContinuation, body: cat(le(block, 8), le(60008, 8))}, msg{typ: 0x0d, body: nil})
		links = append(links, w.hard(fmt.Sprint(i), at))
	}
	f := openBytes(t, w.single(links...))
	needError(t, f.Walk(func(Object) error { return nil }), h5err.Corrupt, "object headers that overlap one another", -1)
}
