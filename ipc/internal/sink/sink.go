// Package sink holds what the writers of this folder share: the way out, and the way back from faults of a mapping.
package sink

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	gather = 64 << 10 // small writes are gathered up to this many bytes
	direct = 16 << 10 // writes of this size and more are not copied
	// Large buffers go out in pieces: measured faster than one write of hundreds of megabytes (the pages of a piece are
	// still in the processor's cache when they are copied), and an interrupt is noticed in between.
	piece = 1 << 20
)

// Sink is the one way out: it gathers small writes, passes large ones through, counts, and tells what failed.
type Sink struct {
	ctx   context.Context
	w     io.Writer
	small []byte
	n     int64
}

// New returns a Sink that writes to w until the context ends.
func New(ctx context.Context, w io.Writer) *Sink {
	return &Sink{ctx: ctx, w: w, small: make([]byte, 0, gather)}
}

// Bytes is how many bytes were taken.
func (s *Sink) Bytes() int64 { return s.n }

// Write implements io.Writer. Bytes of a mapping are read by the system, or on this goroutine inside the caller's Guard.
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

// Flush writes what was gathered.
func (s *Sink) Flush() error {
	if len(s.small) == 0 {
		return nil
	}
	_, err := s.put(s.small)
	s.small = s.small[:0]
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
		// The system could not read p. Reading it here says which file and where.
		if fault := source.Guard(func() error { crc32.ChecksumIEEE(p[n:]); return nil }); fault != nil {
			return n, fault
		}
	case errors.Is(err, os.ErrDeadlineExceeded) && s.ctx.Err() != nil: // how a blocked write is interrupted
		return n, s.ctx.Err()
	}
	var e *h5err.Error
	if errors.As(err, &e) {
		return n, e
	}
	return n, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write") // the caller knows the name
}
