package importing

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// kind opens inputs of one format: files by their paths, and objects far away, which it takes over.
type kind struct {
	near func(ctx context.Context, name string, s Sources) (part, error)
	far  func(ctx context.Context, src *source.Source, s Sources) (part, error)
}

var (
	arrowKind   = kind{openIPC, farIPC}
	parquetKind = kind{openParquet, farParquet}
	csvKind     = kind{openCSV, farCSV}
	hdf5Kind    = kind{openHDF5, farHDF5}
)

// kinds are the formats of inputs, by the suffixes of their names.
var kinds = map[string]kind{
	".arrow": arrowKind, ".feather": arrowKind, ".arrows": arrowKind, ".parquet": parquetKind, ".csv": csvKind,
	".h5": hdf5Kind, ".hdf5": hdf5Kind, ".hdf": hdf5Kind, ".he5": hdf5Kind, ".nc": hdf5Kind, ".h5ad": hdf5Kind,
}

// suffix returns the suffix of a name, without the query of a URL of the web.
func suffix(name string, url bool) string {
	if url && strings.HasPrefix(strings.ToLower(name), "http") {
		name, _, _ = strings.Cut(name, "?")
	}
	return strings.ToLower(filepath.Ext(name))
}

func openIPC(_ context.Context, name string, s Sources) (part, error) {
	r, err := ipc.Open(name, ipc.WithMaxMemory(s.Memory), ipc.WithMapping())
	if err != nil {
		return part{}, err
	}
	rows, _ := r.Rows()
	return part{RecordReader: r, name: name, rows: max(rows, 0), mapped: -1, changed: r.Changed, close: r.Release}, nil
}

func farIPC(ctx context.Context, src *source.Source, s Sources) (part, error) {
	a := newAhead(ctx, src)
	r, err := ipc.NewReader(a, src.Size(), src.Name(), ipc.WithMaxMemory(s.Memory))
	if err != nil {
		a.close()
		return part{}, err
	}
	return part{RecordReader: r, name: src.Name(), mapped: -1, changed: unchanged(ctx, src), close: func() {
		r.Release()
		a.close()
	}}, nil
}

// unchanged returns a function that fails if an object has changed.
func unchanged(ctx context.Context, src *source.Source) func() error {
	return func() error { return src.Changed(ctx) }
}

func openParquet(ctx context.Context, name string, _ Sources) (part, error) {
	r, err := parquet.Open(ctx, name)
	if err != nil {
		return part{}, err
	}
	return part{RecordReader: r, name: name, rows: r.Rows(), mapped: -1, close: r.Release}, nil
}

// random is an object that is read at any place until ctx ends.
type random struct {
	ctx context.Context
	src *source.Source
}

// ReadAt implements io.ReaderAt.
func (r random) ReadAt(p []byte, off int64) (int, error) {
	if len(p) <= 64<<10 { // headers and footers, in blocks that are kept
		return r.src.ReadMetadata(p, off)
	}
	return r.src.ReadAtContext(r.ctx, p, off)
}

func farParquet(ctx context.Context, src *source.Source, s Sources) (part, error) {
	r, err := parquet.NewReader(ctx, random{ctx, src}, src.Size(), src.Name(), s.Memory)
	if err != nil {
		src.Release()
		return part{}, err
	}
	return part{RecordReader: r, name: src.Name(), rows: r.Rows(), mapped: -1, changed: unchanged(ctx, src), close: func() {
		r.Release()
		src.Release()
	}}, nil
}

func openCSV(ctx context.Context, name string, s Sources) (part, error) {
	starting := engine.Start(engine.Options{MaxMemory: 2 * s.Memory, Threads: 1, Access: true})
	db, err := starting.Open(engine.List(nil))
	if err != nil {
		starting.Close()
		return part{}, h5err.In(err, name, "")
	}
	r, err := db.Run(ctx, "SELECT * FROM read_csv('"+strings.ReplaceAll(name, "'", "''")+"')", nil)
	if err != nil {
		db.Close()
		starting.Close()
		return part{}, h5err.In(err, name, "")
	}
	return part{RecordReader: r, name: name, mapped: -1, close: func() {
		r.Release()
		db.Close()
		starting.Close()
	}}, nil
}

// farCSV reads a temporary copy of an object, as the engine opens files itself.
func farCSV(ctx context.Context, src *source.Source, s Sources) (part, error) {
	a := newAhead(ctx, src)
	defer a.close()
	f, err := os.CreateTemp("", "h5arrow-*.csv")
	if err != nil {
		return part{}, h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
	}
	remove := func() { os.Remove(f.Name()) } // nothing can be done if it stays
	_, err = io.Copy(f, io.NewSectionReader(a, 0, src.Size()))
	if closed := f.Close(); err == nil && closed != nil {
		err = h5err.Wrap(h5err.IO, h5err.Cause(closed), "a temporary file")
	}
	var p part
	if err == nil {
		p, err = openCSV(ctx, f.Name(), s)
	}
	if err != nil {
		remove()
		return part{}, h5err.In(err, src.Name(), "")
	}
	closed := p.close
	p.name, p.close = src.Name(), func() {
		closed()
		remove()
	}
	return p, nil
}

// strict are the options for HDF5 files of unknown origin.
func strict(untrusted bool) []arrowmap.Option {
	if !untrusted {
		return nil
	}
	return []arrowmap.Option{arrowmap.WithUntrusted()}
}

func openHDF5(ctx context.Context, name string, s Sources) (part, error) {
	f, err := arrowmap.Open(name, strict(s.Untrusted)...)
	if err != nil {
		return part{}, err
	}
	return tableOf(ctx, f, s)
}

func farHDF5(ctx context.Context, src *source.Source, s Sources) (part, error) {
	f, err := arrowmap.NewFile(src, strict(!s.Trusted)...)
	if err != nil {
		src.Release()
		return part{}, err
	}
	return tableOf(ctx, f, s)
}

// tableOf opens a table of a file, which it takes over.
func tableOf(ctx context.Context, f *arrowmap.File, s Sources) (part, error) {
	t, err := f.Table(s.From)
	if err != nil {
		f.Close()
		return part{}, err
	}
	r, err := t.Reader(ctx, arrowmap.WithMaxMemory(s.Memory))
	if err != nil {
		f.Close()
		return part{}, err
	}
	src := f.H5().Source()
	p := part{RecordReader: r, name: src.Name(), rows: t.Rows(), changed: unchanged(ctx, src), close: func() {
		r.Release()
		f.Close()
	}}
	for _, c := range t.Columns() {
		if c.Delivery == dtype.Mapped {
			p.mapped++
		}
	}
	return p, nil
}
