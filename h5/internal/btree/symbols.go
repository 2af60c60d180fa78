package btree

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Symbol is an entry of a symbol table (specification, III.C, "Disk Format: Level 1C - Symbol Table Entry").
type Symbol struct {
	Name    uint64   // offset of the link's name in the group's local heap
	Header  uint64   // address of the object's header; undefined for a soft link
	Cache   uint32   // what is cached: 0 nothing, 1 a group's B-tree and heap, 2 a soft link
	scratch [16]byte // cached addresses of a group, or the offset of a target
}

// The kinds of cached data in a symbol table entry.
const (
	CacheNothing = 0
	CacheGroup   = 1
	CacheSoft    = 2
)

// Target returns the offset of a soft link's target in the local heap. It is valid if Cache is CacheSoft.
func (s *Symbol) Target() uint64 { return uint64(binary.LittleEndian.Uint32(s.scratch[:])) }

// Group returns the addresses of a group's B-tree and local heap. It is valid if Cache is CacheGroup and addresses have at most
// 8 bytes; nothing depends on whether they are right.
func (s *Symbol) Group(r *meta.Reader) (tree, heap uint64) {
	if s.Cache != CacheGroup || r.OffsetSize > 8 {
		return meta.Undefined, meta.Undefined
	}
	return r.Addr(s.scratch[:]), r.Addr(s.scratch[r.OffsetSize:])
}

// SymbolNode returns the number of bytes of a symbol table node, unless a file has other ones than nearly all.
func SymbolNode(r *meta.Reader) int64 { return int64(8 + 8*symbolSize(r)) }

// symbolSize returns the number of bytes of a symbol table entry.
func symbolSize(r *meta.Reader) int { return r.LengthSize + r.OffsetSize + 24 }

// decodeSymbol decodes the entry at the start of p, which must hold symbolSize bytes. The superblock of versions 0
// and 1 ends with such an entry, for the root group.
func decodeSymbol(r *meta.Reader, p []byte) Symbol {
	// By the specification, the name's offset has the width of addresses; the HDF5 library uses that of lengths.
	s := Symbol{Name: r.Len(p), Header: r.Addr(p[r.LengthSize:])}
	p = p[r.LengthSize+r.OffsetSize:]
	s.Cache = binary.LittleEndian.Uint32(p)
	copy(s.scratch[:], p[8:24])
	return s
}

// Symbols calls fn for each entry of a symbol table node, in the order of the names (specification, III.B, "Disk
// Format: Level 1B - Group Symbol Table Nodes"). room is that of the group's nodes. An error of fn ends the walk and is
// returned.
func Symbols(r *meta.Reader, addr uint64, room *meta.Room, fn func(s Symbol) error) error {
	var buf [8 + 4*40]byte // most nodes have no more
	head, err := r.Head(buf[:], addr, 8)
	if err != nil {
		return err
	}
	if string(head[:4]) != "SNOD" {
		return r.Corrupt(addr, "signature %q expected, found %q", "SNOD", string(head[:4]))
	}
	version, n := head[4], int(binary.LittleEndian.Uint16(head[6:]))
	if version != 1 {
		return r.Unsupported(addr, "symbol table node of version %d", version)
	}
	step := symbolSize(r)
	size := uint64(8 + n*step)
	if !room.Take(size) {
		return r.Corrupt(addr, "the symbol table nodes of a group overlap: they are larger than the file")
	}
	p := head[8:]
	if n*step > len(p) {
		if p, err = r.Bytes(addr+8, n*step); err != nil {
			return err
		}
	}
	p = p[:n*step]
	r.Extent(addr, size, "symbol table node")
	for ; len(p) > 0; p = p[step:] {
		if err := fn(decodeSymbol(r, p)); err != nil && !r.PassOver(err) {
			return err
		}
	}
	return nil
}
