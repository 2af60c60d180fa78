package btree

import "github.com/h5arrow/h5arrow/h5/internal/meta"

var (
	DecodeSymbol = decodeSymbol
	SymbolSize   = symbolSize
)

// Tree returns the addresses of a group's B-tree and local heap. They are valid if Cache is CacheGroup and addresses have at
// most eight bytes.
func (s *Symbol) Tree(r *meta.Reader) (tree, heap uint64) {
	if r.OffsetSize > 8 {
		return meta.Undefined, meta.Undefined
	}
	return r.Addr(s.scratch[:]), r.Addr(s.scratch[r.OffsetSize:])
}
