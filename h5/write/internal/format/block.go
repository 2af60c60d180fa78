// Package format encodes the metadata structures of HDF5 files. Each is a Block: its bytes, and the places in them where addresses
// of other blocks belong. The sizes of blocks do not depend on addresses, so a file's metadata is first encoded, then placed, and
// at last linked.
//
// Addresses and lengths have 8 bytes.
package format

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Undefined is the address of what does not exist.
const Undefined = ^uint64(0)

// Block is a structure of the file, or a part of one such as a header message.
type Block struct {
	Data  []byte
	Addr  uint64 // relative to the superblock; set by the caller before Link
	fixes []fix
	sums  []sum
}

// fix is a place of an address: that of a block, or 0 for none.
type fix struct {
	at, size int
	to       *Block
}

// sum is a checksum at a place, of the bytes [from, to), in which it counts as zeros.
type sum struct{ from, to, at int }

// U8 appends a byte.
func (b *Block) U8(v uint8) { b.Data = append(b.Data, v) }

// U16 appends 2 bytes.
func (b *Block) U16(v uint16) { b.Data = binary.LittleEndian.AppendUint16(b.Data, v) }

// U32 appends 4 bytes.
func (b *Block) U32(v uint32) { b.Data = binary.LittleEndian.AppendUint32(b.Data, v) }

// U64 appends 8 bytes.
func (b *Block) U64(v uint64) { b.Data = binary.LittleEndian.AppendUint64(b.Data, v) }

// Uint appends the lower n bytes of v.
func (b *Block) Uint(v uint64, n int) {
	var p [8]byte
	binary.LittleEndian.PutUint64(p[:], v)
	b.Data = append(b.Data, p[:n]...)
}

// Bytes appends bytes.
func (b *Block) Bytes(p []byte) { b.Data = append(b.Data, p...) }

// Text appends a text.
func (b *Block) Text(s string) { b.Data = append(b.Data, s...) }

// CString appends a text and a NUL.
func (b *Block) CString(s string) { b.Data = append(append(b.Data, s...), 0) }

// Zeros appends n zeros.
func (b *Block) Zeros(n int) { b.Data = append(b.Data, make([]byte, n)...) }

// Pad appends zeros until the bytes from start on are a multiple of n.
func (b *Block) Pad(start, n int) {
	if r := (len(b.Data) - start) % n; r != 0 {
		b.Zeros(n - r)
	}
}

// Ref appends the address of a block, undefined for nil.
func (b *Block) Ref(to *Block) {
	if to != nil {
		b.Patch(len(b.Data), 8, to)
	}
	b.U64(Undefined)
}

// Patch has the address of a block written over the size bytes at a place.
func (b *Block) Patch(at, size int, to *Block) { b.fixes = append(b.fixes, fix{at, size, to}) }

// Block appends the bytes of a block, with the addresses in them.
func (b *Block) Block(part *Block) {
	b.Take(part, len(b.Data))
	b.Data = append(b.Data, part.Data...)
}

// Take takes over the addresses of a block whose bytes were copied to a place.
func (b *Block) Take(part *Block, at int) {
	for _, f := range part.fixes {
		b.fixes = append(b.fixes, fix{at + f.at, f.size, f.to})
	}
}

// Sum appends the checksum of the bytes from a place on.
func (b *Block) Sum(from int) {
	b.sums = append(b.sums, sum{from, len(b.Data), len(b.Data)})
	b.U32(0)
}

// Link writes addresses and checksums. All blocks must have their addresses.
func (b *Block) Link() {
	for _, f := range b.fixes {
		var p [8]byte
		binary.LittleEndian.PutUint64(p[:], f.to.Addr)
		copy(b.Data[f.at:f.at+f.size], p[:])
	}
	for _, s := range b.sums {
		binary.LittleEndian.PutUint32(b.Data[s.at:], 0)
		binary.LittleEndian.PutUint32(b.Data[s.at:], meta.Checksum(b.Data[s.from:s.to]))
	}
}
