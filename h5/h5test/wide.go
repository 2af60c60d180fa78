package h5test

import (
	"encoding/binary"
	"fmt"
)

// WideRows is the number of rows of the table that Wide makes.
const WideRows = 100

// Wide returns an HDF5 file with one table in vaex's layout, in old-style groups as libhdf5 writes them by default. Each
// dataset /table/columns/cNNNNN/data has WideRows doubles: NNNNN, NNNNN+1, ...
func Wide(columns int) []byte {
	const superblock = 96
	w := &wide{b: make([]byte, superblock, superblock+columns*2100+1<<16)}
	entries := make([]link, columns)
	for i := range entries {
		entries[i] = link{fmt.Sprintf("c%05d", i), w.group(link{"data", w.doubles(i)})}
	}
	root := w.group(link{"table", w.group(link{"columns", w.group(entries...)})})
	s := w.b[:superblock]
	copy(s, "\x89HDF\r\n\x1a\n\x00\x00\x00\x00\x00\x08\x08\x00")
	le := binary.LittleEndian
	le.PutUint16(s[16:], wideLeaf/2)
	le.PutUint16(s[18:], wideNode/2)
	le.PutUint64(s[32:], ^uint64(0)) // free space
	le.PutUint64(s[40:], uint64(len(w.b)))
	le.PutUint64(s[48:], ^uint64(0)) // driver
	le.PutUint64(s[64:], root)
	return w.b
}

const (
	wideLeaf = 8  // entries of a symbol table node
	wideNode = 64 // children of a B-tree node
)

type wide struct{ b []byte }

type link struct {
	name string
	addr uint64
}

// put appends the numbers and strings of a structure at the next multiple of eight, and returns its address.
func (w *wide) put(parts ...any) uint64 {
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	at := uint64(len(w.b))
	for _, p := range parts {
		if s, ok := p.(string); ok {
			w.b = append(w.b, s...)
			continue
		}
		w.b, _ = binary.Append(w.b, binary.LittleEndian, p)
	}
	return at
}

// header appends an object header of version 1 (specification, IV.A.1.a). Bodies of messages are multiples of eight bytes.
func (w *wide) header(messages ...wideMessage) uint64 {
	var all []any
	size := 0
	for _, m := range messages {
		all = append(all, m.typ, uint16(len(m.body)), uint32(0), m.body)
		size += 8 + len(m.body)
	}
	return w.put(append([]any{uint16(1), uint16(len(messages)), uint32(1), uint32(size), uint32(0)}, all...)...)
}

type wideMessage struct {
	typ  uint16
	body string
}

func number(v ...uint64) string {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return string(b)
}

func (w *wide) doubles(first int) uint64 {
	values := make([]float64, WideRows)
	for i := range values {
		values[i] = float64(first + i)
	}
	data := w.put(values)
	return w.header(
		wideMessage{0x01, "\x01\x01\x00\x00\x00\x00\x00\x00" + number(WideRows)},
		wideMessage{0x03, "\x11\x20\x3f\x00\x08\x00\x00\x00\x00\x00\x40\x00\x34\x0b\x00\x34\xff\x03\x00\x00\x00\x00\x00\x00"},
		wideMessage{0x05, "\x02\x01\x02\x01\x00\x00\x00\x00"},
		wideMessage{0x08, "\x03\x01" + number(data, 8*WideRows) + "\x00\x00\x00\x00\x00\x00"},
	)
}

// group appends an old-style group: names in a local heap, symbol table nodes, and a B-tree of one or more levels over them
// (specification, III.A.1, III.B, III.C, III.D). The links must be sorted by name.
func (w *wide) group(links ...link) uint64 {
	names, places := make([]byte, 8), make([]uint64, len(links)) // the empty name comes first
	for i, l := range links {
		places[i] = uint64(len(names))
		names = append(names, l.name...)
		for names = append(names, 0); len(names)%8 != 0; {
			names = append(names, 0)
		}
	}
	data := w.put(names)
	heap := w.put("HEAP", uint32(0), uint64(len(names)), uint64(1), data) // 1: no free space
	var nodes, keys []uint64
	for i := 0; i < len(links); i += wideLeaf {
		part := links[i:min(i+wideLeaf, len(links))]
		at := w.put("SNOD\x01\x00", uint16(len(part)))
		for j, l := range part {
			w.put(places[i+j], l.addr, uint64(0), uint64(0), uint64(0))
		}
		w.put(make([]byte, 40*(wideLeaf-len(part))))
		nodes, keys = append(nodes, at), append(keys, places[i+len(part)-1])
	}
	for level := 0; ; level++ {
		var above, last []uint64
		for i := 0; i < len(nodes); i += wideNode {
			n := min(wideNode, len(nodes)-i)
			left, right := ^uint64(0), ^uint64(0)
			size := uint64(24 + 16*wideNode + 8)
			if i > 0 {
				left = above[len(above)-1]
			}
			if i+n < len(nodes) {
				right = uint64(len(w.b)) + size
			}
			first := uint64(0)
			if i > 0 {
				first = keys[i-1]
			}
			at := w.put("TREE\x00", uint8(level), uint16(n), left, right, first)
			for j := range n {
				w.put(nodes[i+j], keys[i+j])
			}
			w.put(make([]byte, 16*(wideNode-n)))
			above, last = append(above, at), append(last, keys[i+n-1])
		}
		nodes, keys = above, last
		if len(nodes) == 1 {
			break
		}
	}
	return w.header(wideMessage{0x11, number(nodes[0], heap)})
}
