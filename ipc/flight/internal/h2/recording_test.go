package h2

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
)

// kind is what happened on a recorded connection.
type kind int

const (
	readStart  kind = iota
	readDone        // data was received from the client
	writeStart      // data is being written
	writeDone
	putBack // the buffer data went back to its pool
	connEnd // stats.ConnEnd was reported
)

type event struct {
	kind kind
	data []byte // as it was then
	same []byte // the slice itself, for its place in memory
}

// recording is what happened on one connection of a server, in order.
type recording struct {
	mu     sync.Mutex
	events []event
	lent   [][]byte // buffers that the codec returned and that have a pool
	plain  [][]byte // those without a pool
}

func (r *recording) add(k kind, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event{k, slices.Clone(b), b})
}

// count returns how many events of a kind there are.
func (r *recording) count(k kind) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.kind == k {
			n++
		}
	}
	return n
}

// recorded is a connection that is recorded.
type recorded struct {
	net.Conn
	r *recording
}

func (c recorded) Read(b []byte) (int, error) {
	c.r.add(readStart, nil)
	n, err := c.Conn.Read(b)
	c.r.add(readDone, b[:n])
	return n, err
}

func (c recorded) Write(b []byte) (int, error) {
	c.r.add(writeStart, b)
	defer c.r.add(writeDone, nil)
	return c.Conn.Write(b)
}

// checker compares a recording with the assumptions in the package's documentation.
type checker struct {
	*recording
	peer    *peer
	broken  map[string]string // assumption -> how it is violated
	need    int               // bytes of payload that a DATA frame lacks
	current []byte            // what is being written, else nil
	writing bool
	reading bool
	ended   bool
	put     int
	freed   map[*byte]bool  // ends of the arrays of buffers that went back
	streams map[uint32]bool // that the server ended
	data    int             // bytes of payload of the codec's
}

// arrayEnd identifies the array of a slice.
func arrayEnd(b []byte) *byte { return &b[:cap(b)][cap(b)-1] }

func (c *checker) fail(assumption, format string, args ...any) {
	if c.broken[assumption] == "" {
		c.broken[assumption] = fmt.Sprintf(format, args...)
	}
}

// check returns the assumptions that do not hold, each with how.
func (r *recording) check() *checker {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &checker{recording: r, peer: newPeer(), broken: map[string]string{}, freed: map[*byte]bool{}, streams: map[uint32]bool{}}
	for _, e := range r.events {
		switch e.kind {
		case readStart:
			if c.reading {
				c.fail("Reads", "a call of Read starts while another waits")
			}
			c.reading = true
		case readDone:
			c.reading = false
			c.peer.received(e.data)
		case writeStart:
			if c.writing {
				c.fail("One writer", "%d bytes are written while others are", len(e.data))
			}
			if c.ended {
				c.fail("End of connections", "%d bytes are written after it", len(e.data))
			}
			c.writing, c.current = true, e.same
			c.write(e)
		case writeDone:
			c.writing, c.current = false, nil
		case putBack:
			c.put++
			c.freed[arrayEnd(e.same)] = true
			if c.writing && SameArray(c.current, e.same) {
				c.fail("Written before free", "a buffer goes back while it is written")
			}
		case connEnd:
			c.ended = true
			if c.writing {
				c.fail("End of connections", "it is reported while %d bytes are written", len(c.current))
			}
		}
	}
	if c.need > 0 {
		c.fail("Payload follows", "%d bytes are missing", c.need)
	}
	if c.put != len(r.lent) {
		c.fail("Written before free", "%d of %d buffers went back", c.put, len(r.lent))
	}
	return c
}

// write checks one call of Write.
func (c *checker) write(e event) {
	switch b := e.data; {
	case c.need > 0:
		c.payload(e)
	case len(b) == frameHead && b[3] == dataFrame && frameLength(b) > 0:
		c.dataHead(b)
	default:
		c.whole(b)
	}
}

func (c *checker) payload(e event) {
	n := len(e.data)
	if n > c.need {
		c.fail("Payload follows", "%d bytes where %d are missing", n, c.need)
	}
	c.need = max(0, c.need-n)
	is := func(b []byte) bool { return SameArray(e.same, b) }
	switch {
	case slices.ContainsFunc(c.lent, is):
		c.data += n
		if c.freed[arrayEnd(e.same)] {
			c.fail("Written before free", "%d bytes are written of a buffer that went back", n)
		}
	case slices.ContainsFunc(c.plain, is):
		c.data += n
	case n != 5 || e.data[0] != 0:
		c.fail("No copies", "%d bytes of payload are in no buffer of the codec's", n)
	}
}

func (c *checker) dataHead(b []byte) {
	c.need = frameLength(b)
	if b[4] != 0 {
		c.fail("End of streams", "a DATA frame has flags %#x", b[4])
	}
	if c.need > 16<<10 {
		c.fail("Frame size", "a DATA frame of %d bytes", c.need)
	}
	c.peer.sent(frameStream(b), c.need)
	if w := c.peer.streams[frameStream(b)]; w < 0 || c.peer.window < 0 {
		c.fail("Windows", "windows of %d bytes of the stream and %d of the connection", w, c.peer.window)
	}
}

func (c *checker) whole(b []byte) {
	for len(b) > 0 {
		if len(b) < frameHead || len(b) < frameHead+frameLength(b) {
			c.fail("Whole frames", "%d bytes that are part of a frame", len(b))
			return
		}
		n := frameLength(b)
		switch {
		case b[3] == dataFrame && n > 0:
			c.fail("Header alone", "the header of a DATA frame is written with %d more bytes", len(b)-frameHead)
		case b[3] == headersFrame && b[4]&endStream != 0, b[3] == resetFrame:
			c.streams[frameStream(b)] = true
			c.peer.forget(frameStream(b))
		case b[3] == dataFrame && b[4] != 0:
			c.fail("End of streams", "a DATA frame has flags %#x", b[4])
		}
		b = b[frameHead+n:]
	}
}

// violations returns the names of assumptions that do not hold.
func (c *checker) violations() []string { return slices.Sorted(maps.Keys(c.broken)) }
