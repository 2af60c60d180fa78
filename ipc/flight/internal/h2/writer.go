package h2

import (
	"bytes"
	"errors"
	"hash/crc32"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Memory knows the messages whose bytes stay as they are until their Release is called.
type Memory interface {
	// Whole returns the slice of a message's memory that b is a part of, nil if b belongs to no message.
	Whole(b []byte) []byte
	// Fault is called with the reason when the system cannot read bytes of a message, before the connection is closed.
	Fault(err error)
}

// Message is what a message's memory belongs to.
type Message interface {
	// Release is called when nothing of the message is used any more, at least once.
	Release()
}

// Writer gathers what grpc writes to a connection that is not encrypted. The bytes of messages go from where they are to
// the system, many frames with one call (writev), which returns an error when it meets bytes of a mapped file that no
// longer exist.
//
// Payload that belongs to a message stays as it is until the message is released, so its frame can wait. It waits until
// there are enough bytes, until the client accepts no more, until something else is to be written, or for maxDelay.
// Frames of one stream that wait together become one, up to the length that the client accepts: grpc makes frames of
// 16 KiB, and each costs the client time.
type Writer struct {
	write func(v *net.Buffers) error // to the system
	abort func()                     // closes the connection

	mu     sync.Mutex
	memory Memory      // nil before the first call
	last   []byte      // the part of a message that was met last
	mapped bool        // last is in a mapped file
	vec    net.Buffers // what waits
	sent   net.Buffers // room for a copy of vec
	held   []Message   // grpc is done with them, but vec is not
	heads  []byte      // the headers in vec; never grown, so that it is not moved
	size   int         // bytes that wait
	inHeap int         // of them, those that are not in mapped files
	frame  []byte      // header of the last frame if another frame of its stream may join it, else nil
	need   int         // bytes of payload that the last frame lacks
	now    bool        // there is payload that does not stay
	full   bool        // nothing follows until the client accepts more
	timer  *time.Timer
	armed  bool
	delay  time.Duration // until the timer fires again; used by late only
	err    error

	peer *peer
}

const (
	flushHeap   = 256 << 10              // bytes that are not in mapped files from which on they are written
	flushAll    = 4 << 20                // bytes from which on they are written: those in mapped files cost nothing while they wait
	maxDelay    = 200 * time.Microsecond // for which a frame waits when nothing follows
	maxRetry    = 20 * time.Millisecond  // between two attempts to write what waits
	headsRoom   = 4 << 10                // bytes of headers that can wait
	maxTinySize = 64                     // payload up to this size is copied: the five bytes before a message
)

// NewWriter returns a Writer for a connection. write sends buffers to it and consumes them; abort closes it.
func NewWriter(write func(v *net.Buffers) error, abort func()) *Writer {
	w := &Writer{write: write, abort: abort, heads: make([]byte, 0, headsRoom), peer: newPeer()}
	w.timer = time.AfterFunc(time.Hour, w.late)
	w.timer.Stop()
	return w
}

// SetMemory sets whose messages are sent. It is called before the first of them is.
func (w *Writer) SetMemory(m Memory) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.memory = m
}

// Received is called with everything that was read from the client, in order, by one goroutine at a time.
func (w *Writer) Received(b []byte) { w.peer.received(b) }

// Write takes what grpc writes. After an error the connection is of no use.
func (w *Writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	var err error
	switch {
	case w.need > 0:
		w.payload(b)
	case len(b) == frameHead && b[3] == dataFrame && frameLength(b) > 0:
		err = w.dataHead(b)
	default:
		if len(b) >= frameHead && (b[3] == headersFrame && b[4]&endStream != 0 || b[3] == resetFrame) {
			w.peer.forget(frameStream(b))
		}
		w.add(b)
		w.now, w.frame = true, nil
	}
	if err != nil {
		return 0, err
	}
	switch {
	case w.need > 0:
	case w.now || w.full || w.inHeap >= flushHeap || w.size >= flushAll:
		if err := w.flush(); err != nil {
			return 0, err
		}
	case !w.armed:
		w.armed = true
		w.timer.Reset(maxDelay)
	}
	return len(b), nil
}

// payload takes payload of a DATA frame.
func (w *Writer) payload(b []byte) {
	w.need -= len(b)
	if len(b) <= maxTinySize && len(w.heads)+len(b) <= cap(w.heads) && !source.InMapping(b) {
		w.addCopy(b)
		return
	}
	if !w.lent(b) {
		w.now = true
	}
	if !w.mapped {
		w.inHeap += len(b)
	}
	w.add(b)
}

// dataHead takes the header of a DATA frame: of a new one, or of one that joins the last.
func (w *Writer) dataHead(b []byte) error {
	if cap(w.heads)-len(w.heads) < frameHead+maxTinySize {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.need = frameLength(b)
	w.full = !w.peer.sent(frameStream(b), w.need)
	if !w.join(b) {
		w.addCopy(b)
		w.frame = w.heads[len(w.heads)-frameHead:]
	}
	return nil
}

// join makes the DATA frame with a header part of the one before, and reports whether it could.
func (w *Writer) join(head []byte) bool {
	if w.frame == nil || !bytes.Equal(w.frame[4:], head[4:]) || head[4] != 0 { // another stream, or flags
		return false
	}
	n := frameLength(w.frame) + w.need
	if n > w.peer.maxFrame() {
		return false
	}
	w.frame[0], w.frame[1], w.frame[2] = byte(n>>16), byte(n>>8), byte(n)
	return true
}

// addCopy appends a copy of a few bytes to what waits.
func (w *Writer) addCopy(b []byte) {
	at := len(w.heads)
	w.heads = append(w.heads, b...)
	w.add(w.heads[at:])
}

// add appends bytes to what waits: to the last piece if they follow it in memory.
func (w *Writer) add(b []byte) {
	w.size += len(b)
	if n := len(w.vec); n > 0 && len(b) > 0 {
		if p := w.vec[n-1]; cap(p)-len(p) >= len(b) && &p[:len(p)+1][len(p)] == &b[0] {
			w.vec[n-1] = p[:len(p)+len(b)]
			return
		}
	}
	w.vec = append(w.vec, b)
}

// late writes frames that nothing followed. While another call writes, which may take as long as a client does not read,
// it tries again less and less often.
func (w *Writer) late() {
	if !w.mu.TryLock() {
		w.delay = min(2*max(w.delay, maxDelay), maxRetry)
		w.timer.Reset(w.delay)
		return
	}
	defer w.mu.Unlock()
	w.armed, w.delay = false, 0
	_ = w.flush() // the next Write returns the error
}

// Flush writes what waits, unless another call writes just now.
func (w *Writer) Flush() {
	if w.mu.TryLock() {
		defer w.mu.Unlock()
		_ = w.flush() // the next Write returns the error
	}
}

// Done releases a message when nothing of it waits any more; with now, what waits is written at once.
func (w *Writer) Done(m Message, now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = nil
	w.held = append(w.held, m)
	if now || w.err != nil || len(w.vec) == 0 {
		_ = w.flush() // the next Write returns the error
	}
}

// releaseHeld releases what was held for frames that waited; w.mu is held.
func (w *Writer) releaseHeld() {
	for _, m := range w.held {
		m.Release()
	}
	clear(w.held)
	w.held = w.held[:0]
}

// flush writes all that waits; w.mu is held.
func (w *Writer) flush() error {
	defer w.releaseHeld()
	if w.err != nil || len(w.vec) == 0 {
		return w.err
	}
	w.sent = append(w.sent[:0], w.vec...)
	v := w.sent // writing consumes it
	if w.err = w.write(&v); w.err != nil {
		w.findFault()
		w.abort()
	}
	clear(w.sent)
	clear(w.vec)
	w.vec, w.heads, w.frame, w.size, w.inHeap, w.now = w.vec[:0], w.heads[:0], nil, 0, 0, false
	return w.err
}

// findFault reports which mapped file cannot be read when the system could not read what waits.
func (w *Writer) findFault() {
	if w.memory == nil || !errors.Is(w.err, syscall.EFAULT) {
		return
	}
	err := source.Guard(func() error {
		for _, b := range w.vec {
			crc32.ChecksumIEEE(b)
		}
		return nil
	})
	if err != nil {
		w.memory.Fault(err)
	}
}

// Drop discards what waits and releases the messages that are done: the connection has ended. Write then returns an
// error.
func (w *Writer) Drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = net.ErrClosed
	}
	clear(w.vec)
	w.vec, w.last = nil, nil
	w.releaseHeld()
	w.timer.Stop()
}

// lent reports whether bytes belong to a message, and notes to which part of it; w.mu is held.
func (w *Writer) lent(b []byte) bool {
	if SameArray(b, w.last) {
		return true
	}
	if w.memory == nil {
		return false
	}
	whole := w.memory.Whole(b)
	if whole == nil {
		return false
	}
	w.last, w.mapped = whole, source.InMapping(whole)
	return true
}

// SameArray reports whether two slices are parts of one array with the same end of their capacities.
func SameArray(a, b []byte) bool {
	return cap(a) > 0 && cap(b) > 0 && &a[:cap(a)][cap(a)-1] == &b[:cap(b)][cap(b)-1]
}
