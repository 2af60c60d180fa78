package heap_test

import (
	"math/bits"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// builder makes fractal heaps of any geometry. It lays out the blocks by walking the doubling table row by row, as
// the specification describes it, where the reader computes places from offsets.
type builder struct {
	data                   []byte
	start, width, largest  uint64
	maxBits, rows, idLen   int
	maxManaged             uint32
	checked                bool
	pipeline               []byte
	offsets                []uint64 // of one object in each direct block
	indirectBlocks, levels int
}

const headSize = 26 + 3*8 + 12*8 // without filters

func (b *builder) build() []byte {
	size := headSize
	if b.pipeline != nil {
		size += 12 + len(b.pipeline)
	}
	b.data = make([]byte, size)
	root := meta.Undefined
	if b.rows > 0 {
		root = b.indirect(0, b.rows, 1)
	} else if b.start > 0 {
		root = b.direct(0, b.start)
	}
	p := b.data[:size]
	copy(p, "FRHP")
	le.PutUint16(p[5:], uint16(b.idLen))
	le.PutUint16(p[7:], uint16(len(b.pipeline)))
	if b.checked {
		p[9] = 2
	}
	le.PutUint32(p[10:], b.maxManaged)
	q := p[110:] // after ten lengths, two addresses
	le.PutUint16(q, uint16(b.width))
	le.PutUint64(q[2:], b.start)
	le.PutUint64(q[10:], b.largest)
	le.PutUint16(q[18:], uint16(b.maxBits))
	le.PutUint64(q[22:], root)
	le.PutUint16(q[30:], uint16(b.rows))
	if b.pipeline != nil {
		copy(q[32+12:], b.pipeline)
	}
	le.PutUint32(p[size-4:], meta.Checksum(p[:size-4]))
	return b.data
}

func (b *builder) block(sig string, at, size uint64) (addr uint64, head int) {
	addr = uint64(len(b.data))
	b.data = append(b.data, make([]byte, size)...)
	p := b.data[addr:]
	copy(p, sig)
	n := (b.maxBits + 7) / 8
	for i := range n {
		p[13+i] = byte(at >> (8 * i))
	}
	return addr, 13 + n
}

// direct makes a direct block that holds its place as an object.
func (b *builder) direct(at, size uint64) uint64 {
	addr, head := b.block("FHDB", at, size)
	sum := head
	if b.checked {
		head += 4
	}
	p := b.data[addr:]
	le.PutUint64(p[head:], at)
	if b.checked {
		le.PutUint32(p[sum:], meta.Checksum(p))
	}
	b.offsets = append(b.offsets, at+uint64(head))
	return addr
}

func (b *builder) indirect(at uint64, rows, level int) uint64 {
	entries := uint64(rows) * b.width
	n := uint64((b.maxBits + 7) / 8)
	addr, head := b.block("FHIB", at, 13+n+8*entries+4)
	b.indirectBlocks++
	b.levels = max(b.levels, level)
	size, here := b.start, at
	for row := range rows {
		if row > 1 {
			size *= 2
		}
		for col := range b.width {
			var child uint64
			if size <= b.largest {
				child = b.direct(here, size)
			} else {
				// As many rows as cover the child's size.
				below, span, s := 0, uint64(0), b.start
				for ; span < size; below++ {
					if below > 1 {
						s *= 2
					}
					span += s * b.width
				}
				child = b.indirect(here, below, level+1)
			}
			le.PutUint64(b.data[addr+uint64(head)+8*(uint64(row)*b.width+col):], child)
			here += size
		}
	}
	end := addr + uint64(head) + 8*entries
	le.PutUint32(b.data[end:], meta.Checksum(b.data[addr:end]))
	return addr
}

// id makes the ID of a managed object.
func (b *builder) id(off, n uint64) []byte {
	id := make([]byte, b.idLen)
	o := (b.maxBits + 7) / 8
	size := min((bits.Len64(b.largest)-1+7)/8, (bits.Len32(b.maxManaged)+7)/8)
	for i := range o {
		id[1+i] = byte(off >> (8 * i))
	}
	for i := range size {
		id[1+o+i] = byte(n >> (8 * i))
	}
	return id
}
