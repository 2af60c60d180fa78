package format

// Superblock is a superblock (specification, II.A).
type Superblock struct {
	Version   int    // 0, 2 or 3
	Base      uint64 // bytes of the user block
	End       uint64 // absolute address of the end of the file
	Root      *Block // object header
	Extension *Block // object header, nil: none
	OldRoot   *OldGroup
}

// SuperblockSize returns the number of bytes of a superblock.
func SuperblockSize(version int) int {
	if version == 0 {
		return 96
	}
	return 48
}

const signature = "\x89HDF\r\n\x1a\n"

// Encode returns the superblock.
func (s *Superblock) Encode() *Block {
	b := &Block{}
	b.Text(signature)
	if s.Version > 0 {
		b.U8(uint8(s.Version))
		b.U8(8)
		b.U8(8)
		b.U8(0)
		b.U64(s.Base)
		b.Ref(s.Extension)
		b.U64(s.End)
		b.Ref(s.Root)
		b.Sum(0)
		return b
	}
	b.Zeros(5) // versions
	b.U8(8)
	b.U8(8)
	b.U8(0)
	b.U16(symbolNode / 2)
	b.U16(groupNode / 2)
	b.U32(0)
	b.U64(s.Base)
	b.U64(Undefined) // free space
	b.U64(s.End)
	b.U64(Undefined) // driver
	symbol(b, 0, s.Root, s.OldRoot, 0)
	return b
}

// FileSpace returns the message of the superblock extension for pages of a size, whose free space is not tracked (IV.A.2.x).
func FileSpace(page uint64) *Block {
	const pages = 1
	b := &Block{}
	b.U8(1)
	b.U8(pages)
	b.U8(0)
	b.U64(1) // the smallest free space that is tracked
	b.U64(page)
	b.U16(0)
	b.U64(Undefined)
	return b
}

// Collection is a collection of the global heap that is being filled (specification, III.E).
type Collection struct {
	Block
	count int
}

// The sizes of collections.
const (
	collectionHead  = 16
	collectionLeast = 4096
)

// ObjectBytes is the number of bytes that an object of n bytes takes in a collection, and CollectionBytes that of a collection with
// one such object.
func ObjectBytes(n int) int { return 16 + (n+7)&^7 }

// CollectionBytes is the smallest size of a collection for objects that take n bytes.
func CollectionBytes(n int) int { return max(collectionHead+n, collectionLeast) }

// NewCollection starts a collection.
func NewCollection() *Collection {
	c := &Collection{}
	c.Text("GCOL")
	c.U8(1)
	c.Zeros(3)
	c.U64(0)
	return c
}

// Fits reports whether an object of n bytes has room in a collection of size bytes.
func (c *Collection) Fits(n, size int) bool {
	return c.count < 1<<16-1 && ObjectBytes(n) <= size-len(c.Data)
}

// Add adds an object and returns its index.
func (c *Collection) Add(o *Block) uint32 {
	c.count++
	c.U16(uint16(c.count))
	c.U16(0)
	c.U32(0)
	c.U64(uint64(len(o.Data)))
	at := len(c.Data)
	c.Block.Block(o)
	c.Pad(at, 8)
	return uint32(c.count)
}

// Seal fills the collection up to size bytes with free space.
func (c *Collection) Seal(size int) {
	if left := size - len(c.Data); left >= 16 {
		c.Zeros(8)
		c.U64(uint64(left))
	}
	c.Zeros(size - len(c.Data))
	var p Block
	p.U64(uint64(size))
	copy(c.Data[8:], p.Data)
}
