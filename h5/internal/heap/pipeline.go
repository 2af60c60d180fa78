package heap

import (
	"bytes"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// readPipeline decodes a filter pipeline message, which the header of a fractal heap contains
// (specification, IV.A.2.l, "The Data Storage - Filter Pipeline Message").
func readPipeline(c *meta.Cursor) ([]filter.Spec, error) {
	version := c.U8()
	n := int(c.U8())
	switch {
	case c.Err() != nil:
		return nil, c.Err()
	case version == 1:
		c.Skip(6)
	case version != 2:
		return nil, c.Unsupported("filter pipeline of version %d", version)
	}
	specs := make([]filter.Spec, 0, n)
	for ; n > 0 && c.Err() == nil; n-- {
		s := filter.Spec{ID: c.U16()}
		length := 0 // of the name; from version 2 on, filters of the library have none
		if version == 1 || s.ID >= 256 {
			length = int(c.U16())
		}
		s.Optional = c.U16()&1 != 0
		values := int(c.U16())
		if version == 1 {
			length = align8(length)
		}
		name, _, _ := bytes.Cut(c.Bytes(length), []byte{0})
		s.Name = string(name)
		if c.Len() < 4*values {
			return nil, c.Corrupt("filter %d has %d values, %d bytes are left", s.ID, values, c.Len())
		}
		for range values {
			s.Values = append(s.Values, c.U32())
		}
		if version == 1 && values%2 == 1 {
			c.Skip(4)
		}
		specs = append(specs, s)
	}
	return specs, c.Err()
}
