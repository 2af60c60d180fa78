package pass

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/dtype/mapped"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// rowReader reads rows of a dataset: a chunk.Reader, or a pluginReader.
type rowReader interface {
	Rows() int64
	RowBytes() int64
	ChunkRows() int64
	View(a, b int64) ([]byte, int64, bool)
	ViewEnd(a, b int64) int64
	Start(ctx context.Context, pool *chunk.Pool, a, b int64, dst []byte, opts chunk.StartOptions, done func(error))
	Read(ctx context.Context, a, b int64, dst []byte) error
	Close()
}

// stream is one dataset as it is read in a pass.
type stream struct {
	rowReader
	ds *h5.Dataset
}

// streams are the datasets that a pass reads, each opened once for all columns that need it.
type streams struct {
	scratch *chunk.Budget // of chunks that batches share
	plugins PluginReader

	mu   sync.Mutex
	open map[node.Place]*stream
}

func (s *streams) get(d node.Dataset) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := d.Place()
	if st := s.open[at]; st != nil {
		return st, nil
	}
	rd, err := s.reader(d)
	if err != nil {
		return nil, err
	}
	st := &stream{rd, d.Dataset}
	s.open[at] = st
	return st, nil
}

// reader opens what reads a dataset: the built-in decoders, or the caller's where a filter is not built in.
func (s *streams) reader(d node.Dataset) (rowReader, error) {
	opts := []chunk.Option{chunk.WithBudget(s.scratch)}
	if d.Squeeze {
		opts = append(opts, chunk.WithSqueeze())
	}
	if d.Order != nil {
		opts = append(opts, chunk.WithCells(d.Order))
	}
	rd, err := chunk.NewReader(d.Dataset, opts...)
	if h5err.Is(err, h5err.Unsupported) && s.plugins != nil && !d.Squeeze && d.Order == nil {
		return newPluginReader(d.Dataset, s.plugins)
	}
	if err != nil {
		return nil, err
	}
	return rd, nil
}

func (s *streams) close() {
	for _, st := range s.open {
		st.Close()
	}
}

// view returns rows from the mapping where they are there in one run. The caller releases the piece.
func (s *stream) view(lo, hi int64) (node.Piece, bool) {
	bytes, _, ok := s.View(lo, hi)
	if !ok || len(bytes) == 0 {
		return node.Piece{}, false
	}
	return node.Piece{Lo: lo, Hi: hi, Row: s.RowBytes(), Bytes: bytes, Owner: mapped.Buffer(s.ds.File().Source(), bytes)}, true
}

// View implements node.Pass.
func (p *Pass) View(d node.Dataset, lo, hi int64) (node.Piece, bool, error) {
	s, err := p.streams.get(d)
	if err != nil {
		return node.Piece{}, false, err
	}
	v, ok := s.view(lo, hi)
	return v, ok, nil
}

// maxRead is the number of bytes that Read reads at once.
const maxRead = 1 << 31

// Read implements node.Pass.
func (p *Pass) Read(d node.Dataset, lo, hi int64, mem memory.Allocator) (node.Piece, error) {
	s, err := p.streams.get(d)
	if err != nil {
		return node.Piece{}, err
	}
	if v, ok := s.view(lo, hi); ok {
		return v, nil
	}
	v := node.Piece{Lo: lo, Hi: hi, Row: s.RowBytes()}
	if lo == hi {
		return v, nil
	}
	n := (hi - lo) * v.Row
	if n > maxRead {
		return node.Piece{}, h5err.About(h5err.New(h5err.Memory, "%d bytes of %d rows at once", n, hi-lo).WithHint("ask for smaller batches"), d)
	}
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(int(n))
	if err := s.Read(p.ctx, lo, hi, buf.Bytes()); err != nil {
		buf.Release()
		return node.Piece{}, err
	}
	v.Bytes, v.Owner = buf.Bytes(), buf
	return v, nil
}

// Keep implements node.Pass.
func (p *Pass) Keep(key any, make func() (node.Releaser, error)) (node.Releaser, error) {
	return p.kept.get(key, make)
}
