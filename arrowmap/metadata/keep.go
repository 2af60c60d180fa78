// Package metadata keeps what describes a file that is far away, so that opening it later needs one read of that.
package metadata

import (
	"context"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/kept"
)

// Keep describes the whole file in src, its tables, objects, attributes and the indexes of its chunks, and returns all that was read
// for that. Opening the file with it (remote.WithIndex) needs no other metadata. src must have a Version; it is not released.
// Parts of the file that can't be read are left out.
func Keep(ctx context.Context, src *source.Source, opts ...arrowmap.Option) (*kept.Index, error) {
	r := kept.NewRecorder(src)
	s := source.New(r, src.Size(), src.Name())
	f, err := arrowmap.NewFile(s, opts...)
	if err != nil {
		s.Release()
		return nil, err
	}
	defer f.Close()   // read only: there is nothing to lose
	_, _ = f.Tables() // an error is met again by those who open the file
	var sets []*h5.Dataset
	err = f.H5().Walk(func(o h5.Object) error {
		_, _ = o.Attributes()
		if d, ok := o.(*h5.Dataset); ok {
			sets = append(sets, d)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	f.H5().GatherChunks(sets...)
	for _, d := range sets {
		_, _ = d.Chunks()
	}
	return r.Index(ctx)
}
