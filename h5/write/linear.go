package write

import (
	"errors"
	"io"
	"os"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// latest reports whether layout messages have the form of HDF5 1.10.
func (d *Dataset) latest() bool { return d.f.o.version == V110 }

// bytes is the size of all values of the shape.
func (d *Dataset) bytes() int64 {
	n, _ := format.Elements(&d.spec.Space, d.spec.Type.Size) // was checked
	return int64(n) * int64(d.spec.Type.Size)
}

// fillRun returns up to n bytes of fill values, in whole elements, for rows that were not written.
func (d *Dataset) fillRun(n int64) ([]byte, error) {
	size := int64(d.values.Size)
	if d.fill == nil {
		return make([]byte, min(n, max(64<<10/size, 1)*size)), nil
	}
	if d.values.Heap || d.values.Refs {
		return nil, h5err.New(h5err.Unsupported, "rows that are not written, with a fill value that refers to something")
	}
	run := make([]byte, 0, min(n, max(64<<10/size, 1)*size))
	for len(run)+len(d.fill.Data) <= cap(run) {
		run = append(run, d.fill.Data...)
	}
	return run, nil
}

// compact is a store in the object header.
type compact struct {
	d    *Dataset
	data []byte
}

func newCompact(d *Dataset) (*compact, error) {
	if n := d.bytes(); n > maxCompact || d.unknown {
		return nil, h5err.New(h5err.Argument, "compact storage of %d bytes; it must have a known number of at most %d", n, maxCompact)
	}
	return &compact{d: d}, nil
}

func (c *compact) write(rows []byte) error {
	c.data = append(c.data, rows...)
	return nil
}

func (c *compact) finish() error {
	for left := c.d.bytes() - int64(len(c.data)); left > 0; left = c.d.bytes() - int64(len(c.data)) {
		run, err := c.d.fillRun(left)
		if err != nil {
			return err
		}
		c.data = append(c.data, run...)
	}
	return nil
}

func (c *compact) layout() (*format.Block, []*format.Block) {
	data := c.data
	if n := c.d.bytes(); int64(len(data)) < n { // before the values are there
		data = make([]byte, n)
	}
	return format.Compact(data, c.d.latest()), nil
}

func (c *compact) abandon() {}

// contiguous is a store in one extent of the file.
type contiguous struct {
	d     *Dataset
	at    int64 // -1: not allocated
	next  int64 // bytes written
	spool *os.File
}

func newContiguous(d *Dataset) (*contiguous, error) { return &contiguous{d: d, at: -1}, nil }

// allocate gives the store its extent.
func (c *contiguous) allocate() {
	if n := c.d.bytes(); c.at < 0 && n > 0 {
		c.at = c.d.f.space.Data(n, c.d.f.space.Align(n))
	}
}

func (c *contiguous) write(rows []byte) error {
	if c.d.unknown {
		return c.keep(rows)
	}
	c.allocate()
	err := c.d.f.out.Put(rows, c.at+c.next)
	c.next += int64(len(rows))
	return err
}

// keep writes rows to a temporary file, as it is not known how many there are.
func (c *contiguous) keep(rows []byte) error {
	if c.spool == nil {
		t, err := os.CreateTemp(c.d.f.o.spool, "h5arrow-*")
		if err != nil {
			return h5err.Wrap(h5err.IO, h5err.Cause(err), "make a temporary file")
		}
		os.Remove(t.Name()) // where the system allows it, nothing is left after a crash
		c.spool = t
	}
	if _, err := c.spool.Write(rows); err != nil {
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "write a temporary file")
	}
	c.next += int64(len(rows))
	return nil
}

func (c *contiguous) finish() error {
	if c.spool != nil {
		return c.unspool()
	}
	if c.at < 0 && c.d.spec.Storage == h5.StorageNone {
		return nil
	}
	if c.next == 0 && c.at < 0 && (c.d.fill == nil || c.d.values.Heap) {
		return nil // never allocated: readers take the fill value
	}
	c.allocate()
	for left := c.d.bytes() - c.next; left > 0; left = c.d.bytes() - c.next {
		run, err := c.d.fillRun(left)
		if err == nil {
			err = c.d.f.out.Put(run, c.at+c.next)
		}
		if err != nil {
			return err
		}
		c.next += int64(len(run))
	}
	return nil
}

// unspool copies the values from the temporary file.
func (c *contiguous) unspool() error {
	c.allocate()
	buf := make([]byte, 1<<20)
	for at := int64(0); at < c.next; {
		n, err := c.spool.ReadAt(buf[:min(int64(len(buf)), c.next-at)], at)
		if n == 0 && err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return h5err.Wrap(h5err.IO, err, "read a temporary file")
		}
		if err := c.d.f.out.Put(buf[:n], c.at+at); err != nil {
			return err
		}
		at += int64(n)
	}
	c.abandon()
	return nil
}

func (c *contiguous) abandon() {
	if c.spool != nil {
		name := c.spool.Name()
		c.spool.Close()
		os.Remove(name) // where it could not be removed while it was open
		c.spool = nil
	}
}

func (c *contiguous) layout() (*format.Block, []*format.Block) {
	addr := uint64(format.Undefined)
	if c.at >= 0 {
		addr = uint64(c.at)
	}
	return format.Contiguous(addr, uint64(c.d.bytes()), c.d.latest()), nil
}

// external is the store of a dataset whose values are in other files, which are not written.
type external struct{ contiguous }

func newExternal(d *Dataset) (*external, error) {
	if len(d.spec.External) > 1<<15 {
		return nil, h5err.New(h5err.Argument, "%d external files", len(d.spec.External))
	}
	for _, e := range d.spec.External {
		if e.Name == "" || e.Offset < 0 || e.Size < -1 || len(e.Name) > 1<<15 {
			return nil, h5err.New(h5err.Argument, "an external file %q, %d bytes at %d", e.Name, e.Size, e.Offset)
		}
	}
	return &external{contiguous{d: d, at: -1}}, nil
}

func (e *external) write([]byte) error {
	return h5err.New(h5err.Argument, "the values are in other files, which are not written")
}

func (e *external) finish() error { return nil }
