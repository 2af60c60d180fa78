package chunk

import "github.com/h5arrow/h5arrow/h5"

// View returns rows [a,b) as mapped bytes without copying, and where they are in the file. ok is false unless the file is
// mapped and the rows lie there one after the other: in contiguous storage, or in unfiltered chunks that are whole rows
// and follow each other. The bytes are read-only and valid while a reference on the dataset's source is held.
func (r *Reader) View(a, b int64) (rows []byte, offset int64, ok bool) {
	if a < 0 || a >= b || b > r.rows || r.rowBytes == 0 || r.ViewEnd(a, b) < b {
		return nil, 0, false
	}
	switch r.ds.layout.Storage {
	case h5.StorageContiguous:
		offset = r.ds.layout.Offset + a*r.rowBytes
	case h5.StorageChunked:
		t, _ := r.table()
		c0 := r.geo.chunk[0]
		offset = t.cs[t.find(a/c0)].Offset + a%c0*r.rowBytes
	}
	rows, ok = r.ds.src.View(offset, (b-a)*r.rowBytes)
	return rows, offset, ok
}

// ViewEnd returns the largest end, at most b, so that View(a, end) succeeds; a when there is none.
func (r *Reader) ViewEnd(a, b int64) int64 {
	b = min(b, r.rows)
	if a < 0 || a >= b || r.rowBytes == 0 || r.cells != nil || !r.ds.src.Mapped() {
		return a
	}
	l, mapped := r.ds.layout, r.ds.src.Viewable()
	switch {
	case l.Storage == h5.StorageContiguous:
		if l.Offset < 0 || l.Offset > mapped {
			return a
		}
		return max(a, min(b, min(l.Size, mapped-l.Offset)/r.rowBytes))
	case l.Storage != h5.StorageChunked || !r.geo.rowLayout():
		return a
	}
	t, err := r.table()
	if err != nil {
		return a
	}
	c0, end := r.geo.chunk[0], a
	for i := t.find(a / c0); i < len(t.cs) && end < b; i++ {
		c := &t.cs[i]
		first := int64(c.Number) * c0
		switch {
		case !r.isRaw(c) || c.Size != r.geo.chunkBytes || c.Offset < 0 || c.Offset > mapped-c.Size:
			return end
		case end == a && first > a:
			return a
		case end > a && (first != end || c.Offset != t.cs[i-1].Offset+c.Size):
			return end
		}
		end = min(b, r.rows)
		if b-first > c0 {
			end = first + c0
		}
	}
	return end
}
