package flight

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

// wire gathers what grpc writes to a connection that is not encrypted, without copying the bodies of our messages: they
// go from where they are to the system, many frames with one call (writev), which fails cleanly when it meets bytes of a
// mapped file that are no longer there.
//
// grpc is told to keep no buffer of its own. It then writes the header of an HTTP/2 DATA frame (RFC 9113, 4.1) and its
// payload one by one, and anything else as whole frames. Payload that belongs to a message of ours stays as it is until
// the message is given back, so the frame can wait. It waits until there is enough, until the client takes no more, until
// something else is to be written, or for a moment. Frames of one stream that wait together become one, as long as the client takes: grpc always makes frames
// of 16 KiB, and each costs the client time.
type wire struct {
	write func(v *net.Buffers) error // to the system
	fail  func()                     // breaks the connection off

	mu     sync.Mutex
	out    *conn       // whose messages these are; nil before the first call
	last   []byte      // the part of a message that was met last
	mapped bool        // it is of a mapped file
	vec    net.Buffers // frames that wait
	sent   net.Buffers // room for a copy of vec
	held   []*message  // what grpc is done with, but vec is not
	heads  []byte      // what vec has of headers; never grown, so that it stays in its place
	size   int         // bytes that wait
	made   int         // of them, those that are not of mapped files
	frame  []byte      // the header of the last frame, where another one of its stream may join it; nil: none may
	need   int         // bytes of payload that the last frame lacks
	now    bool        // there is payload that will not stay
	stuck  bool        // nothing follows until the client takes more
	timer  *time.Timer
	armed  bool
	delay  time.Duration // until the timer comes again; late's alone
	err    error

	client *remote
}

const (
	enough     = 256 << 10              // bytes of our memory that are worth a call
	plenty     = 4 << 20                // bytes that are, of mapped files too, which cost nothing while they wait
	moment     = 200 * time.Microsecond // that a frame waits when nothing follows
	longest    = 20 * time.Millisecond  // before it is looked again whether it may be written
	headsRoom  = 4 << 10
	tinyCopied = 64 // payload up to this size is copied: the five bytes before a message
)

func newWire(write func(v *net.Buffers) error, fail func()) *wire {
	w := &wire{write: write, fail: fail, heads: make([]byte, 0, headsRoom), client: newRemote()}
	w.timer = time.AfterFunc(time.Hour, w.late)
	w.timer.Stop()
	return w
}

// put takes what grpc writes.
func (w *wire) put(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	switch {
	case w.need > 0:
		w.need -= len(b)
		if len(b) <= tinyCopied && len(w.heads)+len(b) <= cap(w.heads) && !source.InMapping(b) {
			w.head(b)
		} else {
			if !w.owns(b) {
				w.now = true
			}
			if !w.mapped {
				w.made += len(b)
			}
			w.add(b)
		}
	case len(b) == frameHead && b[3] == dataFrame && (b[0]|b[1]|b[2]) != 0:
		if cap(w.heads)-len(w.heads) < frameHead+tinyCopied {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
		w.need = frameLength(b)
		w.stuck = !w.client.data(frameStream(b), w.need)
		if w.join(b) {
			return len(b), nil
		}
		w.head(b)
		w.frame = w.heads[len(w.heads)-frameHead:]
	default:
		if len(b) >= frameHead && (b[3] == headersFrame && b[4]&endStream != 0 || b[3] == resetFrame) {
			w.client.forget(frameStream(b))
		}
		w.add(b)
		w.now, w.frame = true, nil
	}
	w.size += len(b)
	switch {
	case w.need > 0:
	case w.now || w.stuck || w.made >= enough || w.size >= plenty:
		if err := w.flush(); err != nil {
			return 0, err
		}
	case !w.armed:
		w.armed = true
		w.timer.Reset(moment)
	}
	return len(b), nil
}

// join makes the DATA frame with a header part of the one before, if it may be.
func (w *wire) join(head []byte) bool {
	if w.frame == nil || !bytes.Equal(w.frame[4:], head[4:]) || head[4] != 0 { // another stream, or flags
		return false
	}
	n := frameLength(w.frame) + w.need
	if n > w.client.maxFrame() {
		return false
	}
	w.frame[0], w.frame[1], w.frame[2] = byte(n>>16), byte(n>>8), byte(n)
	return true
}

// head copies a few bytes to the frames that wait.
func (w *wire) head(b []byte) {
	at := len(w.heads)
	w.heads = append(w.heads, b...)
	w.add(w.heads[at:])
}

// add appends bytes to what waits: to the last piece where they follow it in memory.
func (w *wire) add(b []byte) {
	if n := len(w.vec); n > 0 && len(b) > 0 {
		if p := w.vec[n-1]; cap(p)-len(p) >= len(b) && &p[:len(p)+1][len(p)] == &b[0] {
			w.vec[n-1] = p[:len(p)+len(b)]
			return
		}
	}
	w.vec = append(w.vec, b)
}

// late writes frames that nothing followed. While something is being written, which may take as long as a client does not
// read, it looks again less and less often.
func (w *wire) late() {
	if !w.mu.TryLock() {
		w.delay = min(2*max(w.delay, moment), longest)
		w.timer.Reset(w.delay)
		return
	}
	defer w.mu.Unlock()
	w.armed, w.delay = false, 0
	_ = w.flush() // grpc is told when it writes again
}

// settle writes what waits, unless something is being written just now.
func (w *wire) settle() {
	if w.mu.TryLock() {
		defer w.mu.Unlock()
		_ = w.flush() // grpc is told when it writes again
	}
}

// done gives a message back when nothing of it waits any more; with now that is at once.
func (w *wire) done(m *message, now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = nil
	w.held = append(w.held, m)
	if now || w.err != nil || len(w.vec) == 0 {
		_ = w.flush() // grpc is told when it writes again
	}
}

// free gives back what was held for the frames that waited; w.mu is held.
func (w *wire) free() {
	for _, m := range w.held {
		m.free()
	}
	clear(w.held)
	w.held = w.held[:0]
}

// flush writes all that waits; w.mu is held. After an error the connection is of no use.
func (w *wire) flush() error {
	defer w.free()
	if w.err != nil || len(w.vec) == 0 {
		return w.err
	}
	w.sent = append(w.sent[:0], w.vec...)
	v := w.sent // writing consumes it
	if w.err = w.write(&v); w.err != nil {
		w.blame()
		w.fail()
	}
	clear(w.sent)
	clear(w.vec)
	w.vec, w.heads, w.frame, w.size, w.made, w.now = w.vec[:0], w.heads[:0], nil, 0, 0, false
	return w.err
}

// blame finds out which mapped file can't be read when the system could not read what waits.
func (w *wire) blame() {
	if w.out == nil || !errors.Is(w.err, syscall.EFAULT) {
		return
	}
	err := source.Guard(func() error {
		for _, b := range w.vec {
			crc32.ChecksumIEEE(b)
		}
		return nil
	})
	if err != nil {
		w.out.broken(err)
	}
}

// drop forgets what waits: the connection has ended, and messages are about to be used again.
func (w *wire) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = net.ErrClosed
	}
	clear(w.vec)
	w.vec, w.last = nil, nil
	w.free()
	w.timer.Stop()
}

// owns tells whether bytes belong to a message of the connection that is under way; w.mu is held.
func (w *wire) owns(b []byte) bool {
	if within(b, w.last) {
		return true
	}
	if w.out == nil {
		return false
	}
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	for m := range w.out.out {
		for _, p := range m.bytes {
			if within(b, p) {
				w.last, w.mapped = p, source.InMapping(p)
				return true
			}
		}
	}
	return false
}

// within tells whether two slices are of one array: whether their room ends at the same place.
func within(b, p []byte) bool {
	return cap(b) > 0 && cap(p) > 0 && &b[:cap(b)][cap(b)-1] == &p[:cap(p)][cap(p)-1]
}
