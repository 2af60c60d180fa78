package flight

import (
	"encoding/binary"
	"sync"
)

// remote is what a client says of the frames that it takes, found in what it sends (RFC 9113): how long they may be, and how
// much it takes until it says that it takes more. Its bytes are seen by one goroutine.
type remote struct {
	greeted int // bytes of the preface that were seen
	head    []byte
	left    int    // bytes of the frame's payload that are to come
	unit    int    // bytes of an entry in it, 0: it says nothing of what matters here
	entry   []byte // of the one that is to come, what has come

	mu      sync.Mutex
	frame   int              // SETTINGS_MAX_FRAME_SIZE
	initial int64            // SETTINGS_INITIAL_WINDOW_SIZE
	window  int64            // of the connection
	streams map[uint32]int64 // the windows of the streams that are open
}

// Of HTTP/2.
const (
	prefaceLength     = 24
	frameHead         = 9
	dataFrame         = 0
	headersFrame      = 1
	resetFrame        = 3
	settingsFrame     = 4
	windowFrame       = 8
	endStream         = 1 // flag
	initialWindowSize = 4 // setting
	maxFrameSize      = 5 // setting
	defaultWindow     = 1<<16 - 1
	defaultFrameSize  = 1 << 14 // and the least
	largestFrameSize  = 1<<24 - 1
	mostWindows       = 1 << 11 // streams that are followed; grpc lets far fewer be open
)

func newRemote() *remote {
	return &remote{frame: defaultFrameSize, initial: defaultWindow, window: defaultWindow, streams: map[uint32]int64{}}
}

func frameLength(head []byte) int { return int(head[0])<<16 | int(head[1])<<8 | int(head[2]) }

func frameStream(head []byte) uint32 { return binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1) }

// see takes what was read from the client.
func (r *remote) see(b []byte) {
	n := min(prefaceLength-r.greeted, len(b))
	r.greeted += n
	for b = b[n:]; len(b) > 0; {
		if r.left == 0 {
			n = min(frameHead-len(r.head), len(b))
			r.head = append(r.head, b[:n]...)
			if b = b[n:]; len(r.head) == frameHead {
				r.begin()
			}
			continue
		}
		n = min(r.left, len(b))
		if r.unit > 0 {
			n = min(n, r.unit-len(r.entry))
			if r.entry = append(r.entry, b[:n]...); len(r.entry) == r.unit {
				r.take()
			}
		}
		b, r.left = b[n:], r.left-n
		if r.left == 0 {
			r.head = r.head[:0]
		}
	}
}

// begin reads the header of a frame.
func (r *remote) begin() {
	r.left, r.unit, r.entry = frameLength(r.head), 0, r.entry[:0]
	switch r.head[3] {
	case headersFrame:
		r.mu.Lock()
		if _, ok := r.streams[frameStream(r.head)]; !ok && len(r.streams) < mostWindows {
			r.streams[frameStream(r.head)] = r.initial
		}
		r.mu.Unlock()
	case resetFrame:
		r.forget(frameStream(r.head))
	case settingsFrame:
		r.unit = 6
	case windowFrame:
		r.unit = 4
	}
	if r.left == 0 {
		r.head = r.head[:0]
	}
}

// take reads an entry of a frame.
func (r *remote) take() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head[3] == windowFrame {
		n, id := int64(binary.BigEndian.Uint32(r.entry)&(1<<31-1)), frameStream(r.head)
		if id == 0 {
			r.window += n
		} else if w, ok := r.streams[id]; ok {
			r.streams[id] = w + n
		}
	} else {
		switch v := binary.BigEndian.Uint32(r.entry[2:]); binary.BigEndian.Uint16(r.entry) {
		case initialWindowSize:
			for id := range r.streams {
				r.streams[id] += int64(v) - r.initial
			}
			r.initial = int64(v)
		case maxFrameSize:
			if v >= defaultFrameSize && v <= largestFrameSize {
				r.frame = int(v)
			}
		}
	}
	r.entry = r.entry[:0]
}

// maxFrame is the most bytes of payload that a frame may have.
func (r *remote) maxFrame() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frame
}

// data notes bytes of payload that are sent, and tells whether the client takes more of that stream just now.
func (r *remote) data(stream uint32, n int) (more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.window -= int64(n)
	w, ok := r.streams[stream]
	if ok {
		w -= int64(n)
		r.streams[stream] = w
	}
	return w > 0 && r.window > 0
}

// forget is told that a stream has ended.
func (r *remote) forget(stream uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.streams, stream)
}
