package format

// tree1 is a version 1 B-tree (specification, III.A.1) that is built from all of its children at once.
type tree1 struct {
	typ     uint8
	keySize int
	fanout  int                   // children of a node
	key     func(i int, b *Block) // appends the key before child i
	child   func(i int, b *Block) // appends the address of child i
}

// encode returns the nodes of a tree of n children. The first one is the root.
func (t *tree1) encode(n int) []*Block {
	bounds := make([]int, n+1)
	for i := range bounds {
		bounds[i] = i
	}
	child := t.child
	var all []*Block
	for level := 0; ; level++ {
		nodes, next := t.level(level, bounds, child)
		all = append(nodes, all...)
		if len(nodes) == 1 {
			return all
		}
		bounds = next
		child = func(i int, b *Block) { b.Ref(nodes[i]) }
	}
}

// level encodes the nodes of a level. Child i covers the keys from bounds[i] to bounds[i+1]; next are the bounds of the nodes.
func (t *tree1) level(level int, bounds []int, child func(i int, b *Block)) (nodes []*Block, next []int) {
	n := len(bounds) - 1
	count := max((n+t.fanout-1)/t.fanout, 1)
	nodes = make([]*Block, count)
	for i := range nodes {
		nodes[i] = &Block{}
	}
	next = []int{bounds[0]}
	at := 0
	for i, b := range nodes {
		m := (n - at + count - i - 1) / (count - i)
		b.Text("TREE")
		b.U8(t.typ)
		b.U8(uint8(level))
		b.U16(uint16(m))
		b.Ref(neighbor(nodes, i-1))
		b.Ref(neighbor(nodes, i+1))
		for k := range m {
			t.key(bounds[at+k], b)
			child(at+k, b)
		}
		at += m
		t.key(bounds[at], b)
		next = append(next, bounds[at])
		b.Zeros(24 + t.fanout*8 + (t.fanout+1)*t.keySize - len(b.Data))
	}
	return nodes, next
}

func neighbor(nodes []*Block, i int) *Block {
	if i < 0 || i >= len(nodes) {
		return nil
	}
	return nodes[i]
}
