package h2

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

func leaks(t *testing.T) {
	t.Helper()
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
}

// messages is a Memory of parts of messages.
type messages struct{ parts [][]byte }

func (m *messages) Whole(b []byte) []byte {
	for _, p := range m.parts {
		if SameArray(b, p) {
			return p
		}
	}
	return nil
}

func (m *messages) Fault(error) {}

// onRelease is a message that is a function.
type onRelease func()

func (f onRelease) Release() { f() }

// joined returns a stream of HTTP/2 frames with DATA frames joined where they may be. No frame may be longer than limit.
func joined(t *testing.T, b []byte, limit int) []byte {
	t.Helper()
	var out, last []byte // last is the header of a DATA frame that is open
	var body []byte
	end := func() {
		if last != nil {
			out = append(append(binary.BigEndian.AppendUint32(out, uint32(len(body))), last...), body...)
		}
		last, body = nil, nil
	}
	for len(b) > 0 {
		n := frameLength(b)
		if n > limit || len(b) < frameHead+n {
			t.Fatalf("a frame of %d bytes where %d are allowed and %d are left", n, limit, len(b)-frameHead)
		}
		head := b[3:frameHead]
		if last == nil || !bytes.Equal(last, head) || head[0] != dataFrame || head[1] != 0 {
			end()
			last = head
		}
		body = append(body, b[frameHead:frameHead+n]...)
		b = b[frameHead+n:]
	}
	end()
	return out
}

// traffic writes random frames to a Writer as grpc does, and records them.
type traffic struct {
	t      *testing.T
	rng    *rand.Rand
	w      *Writer
	mem    *messages
	head   []byte // reused, as grpc does
	stream byte
	want   []byte // all that was written
}

func (f *traffic) put(b []byte) {
	f.t.Helper()
	f.want = append(f.want, b...)
	if n, err := f.w.Write(b); n != len(b) || err != nil {
		f.t.Fatal(n, err)
	}
}

func (f *traffic) frame(kind byte, n int) {
	f.t.Helper()
	copy(f.head, []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, 0, 0, 0, 0, f.stream})
	f.put(f.head)
}

// message writes one message of random length in frames. Most belong to the Memory; the others may change at once.
func (f *traffic) message() {
	f.t.Helper()
	body := make([]byte, 1+f.rng.IntN(600_000))
	for rest := body; len(rest) > 0; {
		rest = rest[copy(rest, binary.LittleEndian.AppendUint64(nil, f.rng.Uint64())):]
	}
	owned := f.rng.IntN(4) > 0
	if owned {
		f.mem.parts = [][]byte{body[:len(body)/2], body[len(body)/2:]}
	}
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 1+f.rng.IntN(16384))
		prefix := 0
		if f.rng.IntN(3) == 0 {
			prefix = 5
		}
		f.frame(dataFrame, n+prefix)
		if prefix > 0 {
			f.put([]byte{1, 2, 3, 4, 5})
		}
		cut := f.rng.IntN(n)
		if cut > 0 {
			f.put(rest[:cut])
		}
		f.put(rest[cut:n])
		rest = rest[n:]
		if f.rng.IntN(10) == 0 {
			f.stream ^= 2
		}
		if f.rng.IntN(20) == 0 { // a complete frame of another kind, and an empty one
			f.put([]byte{0, 0, 2, 6, 0, 0, 0, 0, 0, 7, 7})
			f.frame(dataFrame, 0)
		}
	}
	if owned {
		f.mem.parts = nil
		f.w.Done(onRelease(func() { clear(body) }), false)
	} else {
		clear(body) // it was written or copied
	}
}

// settings sends what a client may say before it reads, in pieces, and returns the length of frames that it allows.
func (f *traffic) settings() int {
	f.t.Helper()
	limit := 1 << (15 + f.rng.IntN(8))
	b := hello(
		sent(headersFrame, 4, 1, make([]byte, f.rng.IntN(20))...),
		sent(settingsFrame, 0, 0, append(setting(1, 0x9090909), setting(maxFrameSize, uint32(limit))...)...),
		sent(settingsFrame, 1, 0),
		sent(settingsFrame, 0, 0, setting(initialWindowSize, uint32(f.rng.IntN(16))<<16)...),
		sent(6, 0, 0, make([]byte, 8)...),
		sent(headersFrame, 4, 3),
		sent(windowFrame, 0, 0, 0, byte(f.rng.IntN(100)), 0, 0),
		sent(windowFrame, 0, 3, 0, 1, 2, 3))
	for len(b) > 0 {
		n := 1 + f.rng.IntN(len(b))
		f.w.Received(b[:n])
		b = b[n:]
	}
	if got := f.w.peer.maxFrame(); got != limit {
		f.t.Fatalf("frames of up to %d bytes, the client allows %d", got, limit)
	}
	return limit
}

// What grpc writes arrives as it was written, except for the borders of frames, and memory that may change is written at
// once.
func TestWriter(t *testing.T) {
	leaks(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		var got bytes.Buffer
		calls := 0
		w := NewWriter(func(v *net.Buffers) error {
			calls++
			_, err := v.WriteTo(&got)
			return err
		}, func() {})
		f := &traffic{t: t, rng: rng, w: w, mem: &messages{}, head: make([]byte, frameHead), stream: 1}
		w.SetMemory(f.mem)
		limit := defaultFrameSize + 5
		if rng.IntN(2) == 0 {
			limit = f.settings()
		}
		for range 1 + rng.IntN(5) {
			f.message()
		}
		if round == 0 && calls == 0 {
			t.Error("nothing was written")
		}
		f.frame(dataFrame, 3)
		f.put([]byte{1, 2, 3})
		h5test.Eventually(t, 10*time.Second, func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.size == 0
		})
		w.Drop()
		if _, err := w.Write(f.head); err == nil || !bytes.Equal(joined(t, got.Bytes(), limit), joined(t, f.want, limit)) {
			t.Fatalf("what arrived is not what was written, %v", err)
		}
	}
}

func TestWriterFails(t *testing.T) {
	leaks(t)
	aborted := false
	w := NewWriter(func(*net.Buffers) error { return io.ErrClosedPipe }, func() { aborted = true })
	for range 2 {
		if _, err := w.Write(make([]byte, 20)); err != io.ErrClosedPipe || !aborted {
			t.Error(err)
		}
	}
	released := false
	w.Done(onRelease(func() { released = true }), false)
	if !released {
		t.Error("a message is held after an error")
	}
}

// A piece of a mapped file is read by the system, even if it is as short as grpc's own prefix of a message.
func TestWriterTiny(t *testing.T) {
	leaks(t)
	b, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/sample.h5"
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := source.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Release()
	page := int64(os.Getpagesize())
	view, ok := src.View(4*page, page)
	if !ok {
		t.Skip("nothing is mapped on this system")
	}
	if err := os.Truncate(path, page); err != nil {
		t.Fatal(err)
	}
	var got net.Buffers
	w := NewWriter(func(v *net.Buffers) error { got = slices.Clone(*v); return nil }, func() {})
	w.SetMemory(&messages{[][]byte{view}})
	for _, piece := range [][]byte{{0, 0, 15, dataFrame, 0, 0, 0, 0, 1}, {1, 2, 3, 4, 5}, view[:10]} {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || len(got[0]) != frameHead+5 || &got[1][0] != &view[0] || len(got[1]) != 10 {
		t.Errorf("%d pieces were written", len(got))
	}
	w.Done(onRelease(func() {}), false)
	w.Drop()
}
