package format

import (
	"bytes"
	"encoding/binary"
)

// InfoHeap returns the address of the fractal heap in a link or attribute info message that was read, whose maximum creation order
// has size bytes.
func InfoHeap(body []byte, size int) uint64 {
	at := 2
	if len(body) > 1 && body[1]&1 != 0 {
		at += size
	}
	if len(body) < at+8 {
		return Undefined
	}
	return binary.LittleEndian.Uint64(body[at:])
}

// AttributeName returns the name in an attribute message that was read (specification, IV.A.2.m).
func AttributeName(body []byte) string {
	if len(body) < 9 {
		return ""
	}
	at := 8
	if body[0] == 3 {
		at++
	}
	n := int(binary.LittleEndian.Uint16(body[2:]))
	name, _, _ := bytes.Cut(body[at:min(at+n, len(body))], []byte{0})
	return string(name)
}

// PageSize returns the size of pages that a file space message states, 0 for none, and whether free space persists. ok is false for a
// version that is not known.
func (b *Block) PageSize() (size uint64, persists, ok bool) {
	p := b.Data
	if len(p) < 19 || p[0] != 1 {
		return 0, false, false
	}
	if persists = p[2] != 0; p[1] == 1 {
		size = binary.LittleEndian.Uint64(p[11:])
	}
	return size, persists, size <= 1<<30
}
