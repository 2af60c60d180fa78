package arrowmap

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/h5arrow/h5arrow/arrowmap/internal/nonnull"
	"github.com/h5arrow/h5arrow/arrowmap/internal/zones"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// MaxIndex is the largest size of an index, in bytes.
const MaxIndex = 1 << 30

// BuildIndex reads all tables and returns an index for UseIndex: for each zone of rows of each column that has an order its
// least and greatest value and its nulls. Zones are as high as the table's chunks or a multiple of that. Columns that can't be
// read, and those whose values lie in other files, are left out. A file that is being written is an Unsupported error, as is one that has
// neither a time of modification nor a version.
func (f *File) BuildIndex(ctx context.Context, opts ...ReadOption) ([]byte, error) {
	if err := f.indexable(); err != nil {
		return nil, err
	}
	tables, err := f.Tables()
	if err != nil {
		return nil, err
	}
	x := f.identity()
	for _, t := range tables {
		t, _ = t.SkipUnsupported()
		made, err := t.zones(ctx, opts)
		if err != nil {
			return nil, err
		}
		if made != nil {
			x.Tables = append(x.Tables, *made)
		}
	}
	b := x.Encode()
	if len(b) > MaxIndex {
		return nil, h5err.In(h5err.New(h5err.Limit, "the index would have %d bytes, the limit is %d", len(b), MaxIndex), f.f.Name(), "")
	}
	return b, f.f.Source().Changed(ctx)
}

// indexable returns an error for a file whose values may change without a trace.
func (f *File) indexable() error {
	if sb := f.f.Superblock(); sb.OpenForWriting() {
		return h5err.In(h5err.New(h5err.Unsupported, "an index of a file that is being written, or was not closed"), f.f.Name(), "")
	}
	if s := f.f.Source(); s.ModTime().IsZero() && s.Version() == "" {
		return h5err.In(h5err.New(h5err.Unsupported, "an index of a file whose time of modification is not known"), f.f.Name(), "")
	}
	return nil
}

// stamp is what identifies a version of the file besides its size: the time of modification in nanoseconds, and where that is not known
// a hash of source.Source's Version.
func (f *File) stamp() int64 {
	s := f.f.Source()
	if at := s.ModTime(); !at.IsZero() {
		return at.UnixNano()
	}
	sum := sha256.Sum256([]byte(s.Version()))
	return int64(binary.LittleEndian.Uint64(sum[:]))
}

// identity returns an index without tables.
func (f *File) identity() *zones.Index {
	return &zones.Index{Size: f.f.Source().Size(), Time: f.stamp(), Options: fmt.Sprintf("%+v", f.o.types)}
}

// UseIndex makes readers with conditions leave out rows that an index says can't match. An index of another file, of this file
// before it was changed, or of values that are read with other options is an Argument error, and is not used. Before a
// column's part of the index is used, the places of its chunks are compared too. UseIndex is to be called before tables of
// the file are read.
func (f *File) UseIndex(b []byte) error {
	if err := f.indexable(); err != nil {
		return err
	}
	x, err := zones.Decode(b)
	if err != nil {
		return h5err.In(err, f.f.Name(), "")
	}
	now := f.identity()
	for _, c := range []struct {
		ok   bool
		what string
	}{{x.Size == now.Size, "size"}, {x.Time == now.Time, "time of modification or version"}, {x.Options == now.Options, "options for reading values"}} {
		if !c.ok {
			return h5err.In(h5err.New(h5err.Argument, "the index is of a file of another %s", c.what), f.f.Name(), "")
		}
	}
	f.index, f.nodes.Indexed = x, &nonnull.Rows{}
	return nil
}

// nonNull has the nodes know which rows have no nulls by the index, where all values would be looked at otherwise.
func (t *Table) nonNull() {
	if t.f.index == nil {
		return
	}
	known := t.f.index.Find(t.def.Path)
	if known == nil {
		return
	}
	for _, c := range t.columns {
		n, ok := c.node.(interface{ Probed() *nonnull.Key })
		if !ok {
			continue
		}
		key := n.Probed()
		if key == nil || t.f.nodes.Indexed.Has(*key, 0, known.Rows) {
			continue
		}
		for k, z := range known.Of(c.Name, c.Type, c.node) {
			if from := int64(k) * known.Step; z.Nulls == 0 {
				t.f.nodes.Indexed.Add(*key, from, min(from+known.Step, known.Rows))
			}
		}
	}
}

// zones returns what is known of the table after all its rows were read; nil where there is nothing to know.
func (t *Table) zones(ctx context.Context, opts []ReadOption) (*zones.Table, error) {
	var at []int
	if _, ok := t.body.(*one); !ok { // the groups of a stack are tables of their own
		return nil, nil
	}
	out := zones.NewTable(t.Path(), t.Rows(), t.Footprint().ChunkRows)
	for i, c := range t.columns {
		if c.Err == nil && out.Add(c.Name, c.Type, c.node) {
			at = append(at, i)
		}
	}
	if len(at) == 0 || t.Rows() == 0 {
		return nil, nil
	}
	r, err := t.pick(at).Reader(ctx, opts...)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	row := int64(0)
	for r.Next() {
		rec := r.RecordBatch()
		if err := source.Guard(func() error { return out.Measure(rec, row) }); err != nil {
			return nil, h5err.About(err, t)
		}
		row += rec.NumRows()
	}
	return out, r.Err()
}
