// Package sink has what the writers of the ipc packages share: output, and recovery from faults of a mapping.
package sink

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	gather = 64 << 10 // small writes are gathered up to this many bytes
	direct = 16 << 10 // writes of this size and more are not copied
	// Large buffers are written in pieces: this was measured to be faster than one write of hundreds of megabytes (the
	// pages of a piece are still in the processor's cache when they are copied), and the context is checked in between.
	piece = 1 << 20
)

// Sink is an output that gathers small writes, passes large ones through, and counts bytes. Its errors are of kind IO.
type Sink struct {
	ctx   context.Context
	w     io.Writer
	room  *[gather]byte // of small
	small []byte
	n     int64
}

// rooms are those of Sinks that were closed: thousands of small tables, written one after the other, need one.
var rooms = sync.Pool{New: func() any { return new([gather]byte) }}

// New returns a Sink that writes to w until the context ends.
func New(ctx context.Context, w io.Writer) *Sink {
	room := rooms.Get().(*[gather]byte)
	return &Sink{ctx: ctx, w: w, room: room, small: room[:0]}
}

// Bytes returns how many bytes have been written to the Sink.
func (s *Sink) Bytes() int64 { return s.n }

// Write implements io.Writer. Mapped bytes are read by the system, or on this goroutine inside the caller's Guard.
func (s *Sink) Write(p []byte) (int, error) {
	if len(p) < direct {
		if len(s.small)+len(p) > gather {
			if err := s.Flush(); err != nil {
				return 0, err
			}
		}
		s.small = append(s.small, p...)
		s.n += int64(len(p))
		return len(p), nil
	}
	if err := s.Flush(); err != nil {
		return 0, err
	}
	done := 0
	for done < len(p) {
		n, err := s.put(p[done:min(len(p), done+piece)])
		done += n
		s.n += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Flush writes what has been gathered.
func (s *Sink) Flush() error {
	if len(s.small) == 0 {
		return nil
	}
	_, err := s.put(s.small)
	s.small = s.small[:0]
	return err
}

// Close flushes the Sink, which may not be written to any more. It does not close what is below. A Sink that is not closed is left to the
// garbage collector.
func (s *Sink) Close() error {
	err := s.Flush()
	if s.room != nil {
		rooms.Put(s.room)
		s.room, s.small = nil, nil
	}
	return err
}

func (s *Sink) put(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	switch {
	case err == nil:
		return n, nil
	case isFault(err):
		// The system could not read p. Reading it here returns an error with the file and the offset.
		if fault := source.Guard(func() error { crc32.ChecksumIEEE(p[n:]); return nil }); fault != nil {
			return n, fault
		}
	case errors.Is(err, os.ErrDeadlineExceeded) && s.ctx.Err() != nil: // the context interrupts blocked writes by a deadline
		return n, s.ctx.Err()
	}
	var e *h5err.Error
	if errors.As(err, &e) {
		return n, e
	}
	return n, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write") // the caller adds the name
}
