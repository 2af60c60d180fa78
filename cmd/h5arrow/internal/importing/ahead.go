package importing

import (
	"context"
	"io"

	"github.com/h5arrow/h5arrow/h5/source"
)

// aheadBytes is how much of an object far away is asked for at a time.
const aheadBytes = 8 << 20

// ahead reads an object far away. A read that goes on where the last one ended is from a piece of aheadBytes, and while a piece is used the
// next one is asked for. It is not safe for concurrent use.
type ahead struct {
	ctx  context.Context
	stop context.CancelFunc
	src  *source.Source
	last int64 // end of the last read
	now  piece
	next chan piece // nil: none was asked for
}

// piece is a part of an object, and why there is no more of it.
type piece struct {
	at  int64
	b   []byte
	err error
}

// newAhead takes over a reference to src, which close drops.
func newAhead(ctx context.Context, src *source.Source) *ahead {
	a := &ahead{src: src}
	a.ctx, a.stop = context.WithCancel(ctx)
	return a
}

func (a *ahead) close() {
	a.stop()
	if a.next != nil {
		<-a.next
	}
	a.src.Release()
}

// ReadAt implements io.ReaderAt.
func (a *ahead) ReadAt(p []byte, off int64) (n int, err error) {
	defer func() { a.last = off + int64(n) }()
	if off != a.last || off == 0 {
		return a.src.ReadMetadata(p, off)
	}
	for n < len(p) {
		b, err := a.bytes(off + int64(n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], b)
	}
	return n, nil
}

// bytes returns some bytes from an offset on.
func (a *ahead) bytes(off int64) ([]byte, error) {
	if off >= a.src.Size() {
		return nil, io.EOF
	}
	if !a.now.has(off) {
		a.load(off)
	}
	if a.now.has(off) {
		return a.now.b[off-a.now.at:], nil
	}
	return nil, a.now.err
}

func (p *piece) has(off int64) bool { return off >= p.at && off-p.at < int64(len(p.b)) }

// load makes the piece with an offset the current one, and asks for the one after it.
func (a *ahead) load(off int64) {
	free := a.now.b
	a.now = piece{}
	if a.next != nil {
		a.now = <-a.next
		a.next = nil
	}
	if !a.now.has(off) && (a.now.err == nil || a.now.at != off) {
		a.now = a.read(a.now.b, off)
	}
	end := a.now.at + int64(len(a.now.b))
	if a.now.err != nil || end >= a.src.Size() {
		return
	}
	next := make(chan piece, 1)
	a.next = next
	go func() { next <- a.read(free, end) }()
}

// read reads a piece into the memory of buf.
func (a *ahead) read(buf []byte, off int64) piece {
	size := min(aheadBytes, a.src.Size()-off)
	if int64(cap(buf)) < size {
		buf = make([]byte, size)
	}
	n, err := a.src.ReadAtContext(a.ctx, buf[:size], off)
	if int64(n) < size && err == nil {
		err = io.ErrUnexpectedEOF
	}
	return piece{off, buf[:n], err}
}
