package tablewriter

import (
	"encoding/binary"
	"io"
	"math"
	"os"

	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// output is the file that a table is written to.
type output struct {
	f   *write.File
	o   *Options
	old *existing // nil: the table is a new one
}

// minChunk is the number of rows to which chunks are made smaller if the table has fewer: more may be added.
const minChunk = 1024

// spec describes a dataset of rows of a shape; rows is write.Unknown or their number. A chunk has chunk rows.
func (w *output) spec(t *h5.Type, rows uint64, dims []uint64, chunk int64) write.Spec {
	s := write.Spec{Type: t, Space: write.Shape(append([]uint64{rows}, dims...)...)}
	if w.o.ChunkRows == 0 {
		return s
	}
	s.Space = write.Growing(append([]uint64{rows}, dims...)...)
	if rows != write.Unknown {
		chunk = min(chunk, max(int64(min(rows, math.MaxInt32)), minChunk))
	}
	s.ChunkDims = append([]uint64{uint64(max(chunk, 1))}, dims...)
	if w.o.Filters != nil {
		s.Filters = w.o.Filters(t.Size)
	}
	return s
}

// dataset makes a dataset for a row of each row of the table.
func (w *output) dataset(path string, t *h5.Type, rows uint64, dims []uint64) (*write.Dataset, error) {
	return w.open(path, w.spec(t, rows, dims, w.o.ChunkRows))
}

// bytes makes a dataset of single bytes, of which chunks have more than rows.
func (w *output) bytes(path string, t *h5.Type) (*write.Dataset, error) {
	return w.open(path, w.spec(t, write.Unknown, nil, max(4096, min(8*w.o.ChunkRows, 4<<20))))
}

func (w *output) open(path string, s write.Spec) (*write.Dataset, error) {
	if w.old != nil {
		return w.continued(path, &s)
	}
	return w.f.Dataset(path, s)
}

// attributes adds attributes to an object.
func attributes(o write.Object, attrs []attr.Attribute) error {
	for _, a := range attrs {
		if err := o.Attribute(write.Attribute{Name: a.Name, Type: a.Type, Space: write.Shape(a.Dims...), Data: a.Data}); err != nil {
			return err
		}
	}
	return nil
}

// spool keeps bytes in a temporary file, small ones in memory.
type spool struct {
	dir string
	mem []byte
	f   *os.File
}

// maxSpooled is the number of bytes of a spool in memory.
const maxSpooled = 64 << 10

func (s *spool) add(p []byte) error {
	s.mem = append(s.mem, p...)
	if len(s.mem) < maxSpooled {
		return nil
	}
	if s.f == nil {
		f, err := os.CreateTemp(s.dir, ".h5arrow-*.tmp")
		if err != nil {
			return ioError(err)
		}
		s.f = f
		os.Remove(f.Name()) // fails where open files can't be removed: close does it there
	}
	if _, err := s.f.Write(s.mem); err != nil {
		return ioError(err)
	}
	s.mem = s.mem[:0]
	return nil
}

// each calls fn for all bytes, in pieces of a multiple of 8 bytes but the last.
func (s *spool) each(fn func([]byte) error) error {
	if s.f != nil {
		if _, err := s.f.Seek(0, io.SeekStart); err != nil {
			return ioError(err)
		}
		buf := make([]byte, 256<<10)
		for {
			n, err := io.ReadFull(s.f, buf)
			if err == io.EOF {
				break
			}
			if err != nil && err != io.ErrUnexpectedEOF {
				return ioError(err)
			}
			if err := fn(buf[:n]); err != nil {
				return err
			}
		}
	}
	if len(s.mem) == 0 {
		return nil
	}
	return fn(s.mem)
}

func (s *spool) close() {
	if s.f != nil {
		s.f.Close() // its contents are not needed any more
		os.Remove(s.f.Name())
	}
}

func ioError(err error) error {
	return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
}

// offsets are where the values of rows start and where the last one ends. Those of 32 bits are kept until the end, since
// many batches may need 64 bits together.
type offsets struct {
	w     *output
	path  string
	wide  bool
	rows  uint64 // expected, or write.Unknown
	total uint64
	laps  []uint64 // rows from which on 1<<32 more are to be added to the spooled offsets
	n     uint64
	kept  spool
	d     *write.Dataset // of wide offsets, and of those that more are added to; nil: the offsets are kept
	buf   []byte
}

func (w *output) offsets(path string, wide bool, rows uint64) (*offsets, error) {
	o := &offsets{w: w, path: path, wide: wide, rows: rows, kept: spool{dir: w.o.SpoolDir}}
	if w.old != nil {
		return o, o.resume(rows)
	}
	if wide {
		n := rows
		if rows != write.Unknown {
			n++
		}
		var err error
		if o.d, err = w.dataset(path, intType(8), n, nil); err != nil {
			return nil, err
		}
	}
	return o, o.put(0)
}

// put adds the offset total+by.
func (o *offsets) put(by uint64) error {
	at := o.total + by
	if !o.wide {
		if o.d != nil && at > math.MaxInt32 {
			return h5err.New(h5err.Unsupported, "the values of all rows have more than 2 GiB, and the table's offsets have 32 bits")
		}
		for uint64(len(o.laps)) < at>>32 {
			o.laps = append(o.laps, o.n)
		}
		o.buf = binary.LittleEndian.AppendUint32(o.buf, uint32(at))
	} else {
		o.buf = binary.LittleEndian.AppendUint64(o.buf, at)
	}
	o.n++
	if len(o.buf) < maxSpooled {
		return nil
	}
	return o.flush()
}

func (o *offsets) flush() (err error) {
	if o.d != nil {
		err = o.d.Write(o.buf)
	} else {
		err = o.kept.add(o.buf)
	}
	o.buf = o.buf[:0]
	return err
}

// finish writes the offsets, those of 32 bits if they suffice.
func (o *offsets) finish() error {
	if err := o.flush(); err != nil || o.d != nil {
		return err
	}
	width := 4
	if o.total > math.MaxInt32 {
		width = 8
	}
	d, err := o.w.dataset(o.path, intType(width), o.n, nil)
	if err != nil {
		return err
	}
	row, lap := uint64(0), uint64(0)
	return o.kept.each(func(p []byte) error {
		if width == 4 {
			return d.Write(p)
		}
		o.buf = o.buf[:0]
		for ; len(p) > 0; p = p[4:] {
			for lap < uint64(len(o.laps)) && o.laps[lap] <= row {
				lap++
			}
			o.buf = binary.LittleEndian.AppendUint64(o.buf, lap<<32|uint64(binary.LittleEndian.Uint32(p)))
			row++
		}
		return d.Write(o.buf)
	})
}

func (o *offsets) close() { o.kept.close() }

// intType is a little-endian signed integer of w bytes.
func intType(w int) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: w, Order: h5.LittleEndian, Signed: true, Precision: 8 * w}
}
