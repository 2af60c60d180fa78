package source

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// object is a Backend with everything that one may have.
type object struct {
	read    func(ctx context.Context, p []byte, off int64) (int, error)
	hints   Hints
	changed error
	closed  int
}

func (o *object) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	return o.read(ctx, p, off)
}
func (o *object) Hints() Hints                  { return o.hints }
func (o *object) Changed(context.Context) error { return o.changed }
func (o *object) Close() error                  { o.closed++; return nil }

func TestBackend(t *testing.T) {
	o := &object{hints: Hints{Span: 8 << 20, InFlight: 12}}
	o.read = func(_ context.Context, p []byte, off int64) (int, error) {
		if off+int64(len(p)) > 100 {
			t.Errorf("%d bytes at %d are asked for", len(p), off)
		}
		for i := range p {
			p[i] = byte(off) + byte(i)
		}
		return len(p), nil
	}
	s := New(o, 100, "far")
	p := make([]byte, 20)
	if n, err := s.ReadAtContext(t.Context(), p, 90); n != 10 || err != io.EOF || p[0] != 90 || p[9] != 99 || p[10] != 0 {
		t.Errorf("%d bytes, %v, %v", n, err, p)
	}
	if s.Name() != "far" || s.Path() != "" || s.Mapped() || s.Size() != 100 {
		t.Errorf("name %q, path %q, mapped %v, %d bytes", s.Name(), s.Path(), s.Mapped(), s.Size())
	}
	if err := s.Changed(t.Context()); err != nil {
		t.Error(err)
	}
	o.changed = errors.New("the entity tag is another")
	needKind(t, s.Changed(t.Context()), h5err.IO, "far", "entity tag")
	s.Retain()
	s.Release()
	if o.closed != 0 {
		t.Error("the backend was closed before the last release")
	}
	s.Release()
	if o.closed != 1 {
		t.Errorf("the backend was closed %d times", o.closed)
	}
}

// TestBackendErrors checks what becomes of a Backend's errors.
func TestBackendErrors(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	o := &object{}
	s := New(o, 100, "far")
	defer s.Release()
	o.read = func(context.Context, []byte, int64) (int, error) { return 4, errors.New("connection reset") }
	_, err := s.ReadAtContext(t.Context(), make([]byte, 8), 10)
	needKind(t, err, h5err.IO, "far", "at byte 14: can't read: connection reset")
	o.read = func(context.Context, []byte, int64) (int, error) { return 4, nil }
	if n, err := s.ReadAtContext(t.Context(), make([]byte, 8), 10); n != 4 || err != io.EOF {
		t.Errorf("a short read: %d bytes, %v", n, err)
	}
	o.read = func(context.Context, []byte, int64) (int, error) {
		return 0, h5err.New(h5err.Unsupported, "the server ignores ranges")
	}
	_, err = s.ReadAtContext(t.Context(), make([]byte, 8), 10)
	needKind(t, err, h5err.Unsupported, "far", "ignores ranges")
	o.read = func(ctx context.Context, _ []byte, _ int64) (int, error) { // a timeout of its own is not the caller's
		return 0, context.DeadlineExceeded
	}
	_, err = s.ReadAtContext(t.Context(), make([]byte, 8), 10)
	needKind(t, err, h5err.IO, "far", "at byte 10")
	o.read = func(ctx context.Context, _ []byte, _ int64) (int, error) {
		end()
		<-ctx.Done()
		return 0, errors.New("request aborted")
	}
	if _, err = s.ReadAtContext(ended, make([]byte, 8), 10); err != context.Canceled {
		t.Errorf("a read whose context ended: %v", err)
	}
	o.read = nil
	if _, err = s.ReadAtContext(ended, make([]byte, 8), 10); err != context.Canceled {
		t.Errorf("a read after its context ended: %v", err)
	}
}

func TestHints(t *testing.T) {
	local := LocalHints()
	for _, c := range []struct{ in, want Hints }{
		{Hints{}, local},
		{local, local},
		{Hints{InFlight: -1, Gap: -1, Span: 1, Join: -5, MetadataBlock: 1}, Hints{Gap: 1, Span: 4096, Join: 1, MetadataBlock: 512}},
		{Hints{MetadataBlock: 1<<20 + 1, InFlight: 64}, Hints{Gap: local.Gap, Span: local.Span, Join: local.Join, MetadataBlock: 2 << 20, InFlight: 64}},
		{Hints{MetadataBlock: 1 << 40}, Hints{Gap: local.Gap, Span: local.Span, Join: local.Join, MetadataBlock: 16 << 20}},
	} {
		s := New(&object{hints: c.in}, 0, "far")
		if got := s.Hints(); got != c.want {
			t.Errorf("%+v resolve to %+v, want %+v", c.in, got, c.want)
		}
		s.Release()
	}
	s := open(t, file(t, nil))
	defer s.Release()
	if s.Hints() != local {
		t.Errorf("hints of a local file are %+v", s.Hints())
	}
}
