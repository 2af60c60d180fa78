package dtype

// maxGather is the largest GatherWidth in bytes.
const maxGather = 64

// GatherWidth returns RowBytes where Build does better with adjacent rows than with rows that have other bytes between them:
// they then are what it makes an array of without copying them again, or are packed by vector instructions. Else it is 0.
func (p *Plan) GatherWidth() int {
	if p.tensor != nil || p.SourceRows != 1 || p.RowBytes > maxGather {
		return 0
	}
	switch p.root.(type) {
	case *plain, *boolean:
		return p.RowBytes
	}
	return 0
}
