package h2

import (
	"encoding/binary"
	"maps"
	"testing"
)

// hello is what a client sends first, and frames after it.
func hello(frames ...[]byte) []byte {
	out := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	for _, f := range frames {
		out = append(out, f...)
	}
	return out
}

func sent(kind, flags byte, stream uint32, payload ...byte) []byte {
	head := binary.BigEndian.AppendUint32([]byte{0, 0, byte(len(payload)), kind, flags}, stream)
	return append(head, payload...)
}

func setting(id byte, v uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0, id}, v) }

// What a client takes is what RFC 9113 (6.5, 6.9) says.
func TestPeer(t *testing.T) {
	r := newPeer()
	more := func(want bool, stream uint32, n int) {
		t.Helper()
		if got := r.sent(stream, n); got != want {
			t.Errorf("%d bytes of stream %d: %v", n, stream, got)
		}
	}
	r.received(hello(sent(settingsFrame, 0, 0), sent(headersFrame, 4, 1)))
	more(false, 3, 10) // it is not open
	more(true, 1, 65524)
	more(false, 1, 1)
	r.received(sent(windowFrame, 0, 1, 0, 0, 0, 10))
	more(false, 1, 0) // the connection's is used up
	r.received(sent(windowFrame, 0, 0, 0x80, 0, 1, 0))
	more(true, 1, 9)
	more(false, 1, 11)
	r.received(sent(settingsFrame, 0, 0, append(setting(initialWindowSize, 70000), setting(maxFrameSize, 20000)...)...))
	more(true, 1, 0)                                                                                                  // a change is one of all streams
	r.received(sent(settingsFrame, 0, 0, append(setting(maxFrameSize, 1<<14-1), setting(maxFrameSize, 1<<24)...)...)) // not allowed
	if got := r.maxFrame(); got != 20000 {
		t.Errorf("frames of up to %d bytes", got)
	}
	r.received(sent(settingsFrame, 0, 0, setting(initialWindowSize, 0)...))
	r.received(sent(headersFrame, 4, 5))
	more(false, 5, 0)
	more(false, 1, 0)
	r.received(sent(resetFrame, 0, 1, 0, 0, 0, 8))
	r.received(sent(windowFrame, 0, 1, 0, 1, 0, 0)) // of a stream that has ended
	r.forget(5)
	if len(r.streams) != 0 {
		t.Errorf("%v", r.streams)
	}
	for i := range uint32(maxStreams + 10) {
		r.received(sent(headersFrame, 4, 2*i+1))
	}
	if len(r.streams) != maxStreams {
		t.Errorf("%d streams are followed", len(r.streams))
	}
}

// FuzzPeer: whatever a client sends, in whatever parts it comes.
func FuzzPeer(f *testing.F) {
	f.Add(hello(sent(settingsFrame, 0, 0, setting(maxFrameSize, 1<<20)...), sent(headersFrame, 4, 1, 1, 2, 3), sent(windowFrame, 0, 0, 0, 1, 0, 0)), byte(7))
	f.Add(hello(sent(headersFrame, 4, 1), sent(dataFrame, 0, 1, 1, 2), sent(settingsFrame, 0, 0, append(setting(initialWindowSize, 1<<31), 1, 2)...), sent(resetFrame, 0, 1, 0, 0, 0, 1)), byte(1))
	f.Fuzz(func(t *testing.T, b []byte, part byte) {
		whole, parts := newPeer(), newPeer()
		whole.received(b)
		for rest := b; len(rest) > 0; {
			n := min(len(rest), 1+int(part))
			parts.received(rest[:n])
			rest = rest[n:]
		}
		if whole.window != parts.window || whole.initial != parts.initial || whole.frame != parts.frame || whole.left != parts.left || !maps.Equal(whole.streams, parts.streams) {
			t.Fatalf("%+v\n%+v", whole, parts)
		}
		if n := whole.maxFrame(); n < defaultFrameSize || n > maxFrameSizeLimit {
			t.Errorf("frames of up to %d bytes", n)
		}
	})
}
