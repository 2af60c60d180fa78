package h2

import (
	"encoding/binary"
	"sync"
)

// peer is what a client allows: how long frames may be, and how much data may be sent until it allows more (RFC 9113, 5.2
// and 6.5). It is found in the frames that the client sends.
type peer struct {
	// What follows is used by the goroutine that reads.
	greeted int // bytes of the preface that have been read
	head    []byte
	left    int    // bytes of the frame's payload that have not been read
	unit    int    // bytes of an entry in the payload, 0 if it says nothing about what matters here
	entry   []byte // what has been read of the next entry

	mu      sync.Mutex
	frame   int              // SETTINGS_MAX_FRAME_SIZE
	initial int64            // SETTINGS_INITIAL_WINDOW_SIZE
	window  int64            // of the connection
	streams map[uint32]int64 // windows of open streams
}

// Constants of HTTP/2 (RFC 9113, 3.4, 4.1, 6 and 11.3).
const (
	prefaceLength     = 24
	frameHead         = 9 // bytes of a frame's header
	dataFrame         = 0
	headersFrame      = 1
	resetFrame        = 3
	settingsFrame     = 4
	windowFrame       = 8
	endStream         = 1 // flag
	initialWindowSize = 4 // setting
	maxFrameSize      = 5 // setting
	defaultWindow     = 1<<16 - 1
	defaultFrameSize  = 1 << 14 // and the smallest that may be set
	maxFrameSizeLimit = 1<<24 - 1
)

// maxStreams bounds the streams whose windows are known. grpc lets far fewer be open.
const maxStreams = 1 << 11

func newPeer() *peer {
	return &peer{frame: defaultFrameSize, initial: defaultWindow, window: defaultWindow, streams: map[uint32]int64{}}
}

// frameLength returns the length of a frame's payload.
func frameLength(head []byte) int { return int(head[0])<<16 | int(head[1])<<8 | int(head[2]) }

// frameStream returns the stream that a frame belongs to.
func frameStream(head []byte) uint32 { return binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1) }

// received takes what was read from the client.
func (p *peer) received(b []byte) {
	n := min(prefaceLength-p.greeted, len(b))
	p.greeted += n
	for b = b[n:]; len(b) > 0; {
		if p.left == 0 {
			n = min(frameHead-len(p.head), len(b))
			p.head = append(p.head, b[:n]...)
			if b = b[n:]; len(p.head) == frameHead {
				p.startFrame()
			}
			continue
		}
		n = min(p.left, len(b))
		if p.unit > 0 {
			n = min(n, p.unit-len(p.entry))
			if p.entry = append(p.entry, b[:n]...); len(p.entry) == p.unit {
				p.apply()
			}
		}
		b, p.left = b[n:], p.left-n
		if p.left == 0 {
			p.head = p.head[:0]
		}
	}
}

// startFrame reads the header of a frame.
func (p *peer) startFrame() {
	p.left, p.unit, p.entry = frameLength(p.head), 0, p.entry[:0]
	switch p.head[3] {
	case headersFrame:
		p.mu.Lock()
		if _, ok := p.streams[frameStream(p.head)]; !ok && len(p.streams) < maxStreams {
			p.streams[frameStream(p.head)] = p.initial
		}
		p.mu.Unlock()
	case resetFrame:
		p.forget(frameStream(p.head))
	case settingsFrame:
		p.unit = 6
	case windowFrame:
		p.unit = 4
	}
	if p.left == 0 {
		p.head = p.head[:0]
	}
}

// apply applies an entry of a frame: a setting, or an increment of a window.
func (p *peer) apply() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.head[3] == windowFrame {
		n, id := int64(binary.BigEndian.Uint32(p.entry)&(1<<31-1)), frameStream(p.head)
		if id == 0 {
			p.window += n
		} else if w, ok := p.streams[id]; ok {
			p.streams[id] = w + n
		}
	} else {
		switch v := binary.BigEndian.Uint32(p.entry[2:]); binary.BigEndian.Uint16(p.entry) {
		case initialWindowSize:
			for id := range p.streams {
				p.streams[id] += int64(v) - p.initial
			}
			p.initial = int64(v)
		case maxFrameSize:
			if v >= defaultFrameSize && v <= maxFrameSizeLimit {
				p.frame = int(v)
			}
		}
	}
	p.entry = p.entry[:0]
}

// maxFrame returns how many bytes of payload a frame may have.
func (p *peer) maxFrame() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frame
}

// sent subtracts n bytes of payload from the windows, and reports whether the client allows more of that stream.
func (p *peer) sent(stream uint32, n int) (more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.window -= int64(n)
	w, ok := p.streams[stream]
	if ok {
		w -= int64(n)
		p.streams[stream] = w
	}
	return w > 0 && p.window > 0
}

// forget drops the window of a stream that has ended.
func (p *peer) forget(stream uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, stream)
}
