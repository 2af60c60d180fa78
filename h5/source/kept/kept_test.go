package kept_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/kept"
)

// object is a Backend with metadata that counts reads.
type object struct {
	data    []byte
	version string
	reads   int
	expect  []source.Range
	changed error
}

func (o *object) ReadAtContext(_ context.Context, p []byte, off int64) (int, error) {
	o.reads++
	n := copy(p, o.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (o *object) ReadMetadata(ctx context.Context, p []byte, off int64) (int, error) {
	return o.ReadAtContext(ctx, p, off)
}

func (o *object) Expect(ranges []source.Range)  { o.expect = append(o.expect, ranges...) }
func (o *object) Paged(int64)                   {}
func (o *object) Version() string               { return o.version }
func (o *object) Changed(context.Context) error { return o.changed }
func (o *object) source() *source.Source        { return source.New(o, int64(len(o.data)), "object") }
func (o *object) index(t testing.TB) (*kept.Index, []source.Range) {
	t.Helper()
	s := o.source()
	defer s.Release()
	r := kept.NewRecorder(s)
	rec := source.New(r, s.Size(), s.Name())
	defer rec.Release()
	rng := rand.New(rand.NewPCG(1, 2))
	var ranges []source.Range
	for i := range 300 {
		off := rng.IntN(len(o.data))
		n := 1 + rng.IntN(min(2000, len(o.data)-off))
		read := rec.ReadMetadata
		if i%10 == 0 {
			read = rec.ReadAt
		}
		if _, err := read(make([]byte, n), int64(off)); err != nil {
			t.Fatal(err)
		}
		ranges = append(ranges, source.Range{Off: int64(off), Size: int64(n)})
	}
	x, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return x, ranges
}

func newObject(n int) *object {
	o := &object{data: make([]byte, n), version: "v1"}
	rand.NewChaCha8([32]byte{1}).Read(o.data)
	return o
}

// TestIndex finds what was recorded in an index that was encoded and decoded, and reads the rest.
func TestIndex(t *testing.T) {
	o := newObject(3 << 20)
	made, ranges := o.index(t)
	made = made.WithValues([]byte("of values"))
	b, err := made.Encode()
	if err != nil {
		t.Fatal(err)
	}
	x, err := kept.Decode(b)
	if err != nil || x.Version() != "v1" || x.Size() != int64(len(o.data)) {
		t.Fatalf("%v, %v", x, err)
	}
	if string(x.Values()) != "of values" {
		t.Errorf("values %q", x.Values())
	}
	hits := int64(0)
	s := source.New(x.Over(o, func(n int64) { hits += n }), x.Size(), "object")
	defer s.Release()
	o.reads, o.expect = 0, nil
	s.Expect(ranges)
	for i, r := range ranges {
		p := make([]byte, r.Size)
		read := s.ReadMetadata
		if i%2 == 0 {
			read = s.ReadAt
		}
		if n, err := read(p, r.Off); err != nil || !bytes.Equal(p[:n], o.data[r.Off:r.Off+r.Size]) {
			t.Fatal(err)
		}
		hits -= r.Size
	}
	if o.reads != 0 || len(o.expect) != 0 || hits != 0 {
		t.Errorf("%d reads, %d announced, %d bytes of hits", o.reads, len(o.expect), hits)
	}
	p := make([]byte, 1<<20)
	for _, off := range []int64{0, 1 << 20, 2<<20 + 5} {
		if n, err := s.ReadMetadata(p, off); n != min(len(p), len(o.data)-int(off)) || !bytes.Equal(p[:n], o.data[off:off+int64(n)]) {
			t.Errorf("at %d: %d, %v", off, n, err)
		}
	}
	if o.reads != 3 || s.Version() != "v1" || s.Hints().MetadataBlock != 512 || !s.Far() {
		t.Errorf("%d reads", o.reads)
	}
}

// TestRefused are files without a version, and one that is replaced meanwhile.
func TestRefused(t *testing.T) {
	o := newObject(1000)
	o.version = ""
	s := o.source()
	defer s.Release()
	if _, err := kept.NewRecorder(s).Index(t.Context()); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
	o.version, o.changed = "v1", errors.New("it was replaced")
	if _, err := kept.NewRecorder(s).Index(t.Context()); !errors.Is(err, o.changed) {
		t.Error(err)
	}
}

// TestDamaged cuts and changes an index at each place.
func TestDamaged(t *testing.T) {
	o := newObject(20_000)
	x, _ := o.index(t)
	b, err := x.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		if _, err := kept.Decode(b[:i]); !h5err.Is(err, h5err.Corrupt) {
			t.Fatalf("%d bytes: %v", i, err)
		}
		c := bytes.Clone(b)
		c[i] ^= 0x41
		if _, err := kept.Decode(c); !h5err.Is(err, h5err.Corrupt) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}
