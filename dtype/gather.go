package dtype

// The largest GatherWidths in bytes.
const (
	maxGather     = 64
	maxGatherText = 16 // the largest cells of kernels that take whole words
)

// GatherWidth returns RowBytes where Build does better with adjacent rows than with rows that have other bytes between them:
// they then are what it makes an array of without copying them again, are packed by vector instructions, or are short text,
// of which the rows would pass through the cache once more. Else it is 0.
func (p *Plan) GatherWidth() int {
	if p.tensor != nil || p.SourceRows != 1 || p.RowBytes > maxGather {
		return 0
	}
	switch p.root.(type) {
	case *plain, *boolean:
		return p.RowBytes
	case *fixedText:
		if p.RowBytes <= maxGatherText {
			return p.RowBytes
		}
	}
	return 0
}
