package output

import (
	"io"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Room returns an error of kind IO if an output of so many bytes does not fit the free space where it is to be written. What is
// not a regular file, or an object of a store, has room.
func (t Target) Room(bytes int64) error {
	dir := t.Dir()
	if dir == "" || bytes <= 0 {
		return nil
	}
	n, ok := Free(dir)
	if !ok || uint64(bytes) <= n {
		return nil
	}
	return wrong(t.path, h5err.New(h5err.IO, "the output takes at least %d bytes, and %d are free", bytes, n).
		WithHint("take fewer rows or columns, compress it, or write elsewhere"))
}

// Bound is how many bytes a run may write in all. The zero value bounds nothing.
type Bound struct {
	max, written int64
}

// NewBound returns a bound of so many bytes, 0 for none.
func NewBound(bytes int64) *Bound { return &Bound{max: bytes} }

// Allows returns an error if further bytes exceed the bound.
func (b *Bound) Allows(bytes int64) error {
	if b.max == 0 || bytes <= b.max-b.written {
		return nil
	}
	return h5err.New(h5err.IO, "the output has more than %d bytes", b.max).WithOption("output.NewBound", "allow more")
}

// Writer returns a writer to w that fails at the first write that exceeds the bound.
func (b *Bound) Writer(w io.Writer) io.Writer {
	if b.max == 0 {
		return w
	}
	return &bounded{w, b}
}

type bounded struct {
	w io.Writer
	b *Bound
}

func (w *bounded) Write(p []byte) (int, error) {
	if err := w.b.Allows(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := w.w.Write(p)
	w.b.written += int64(n)
	return n, err
}
