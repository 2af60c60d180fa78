package write

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
	"github.com/h5arrow/h5arrow/h5/write/internal/space"
)

// exact reports whether the places of all objects are known already.
func (f *File) exact() bool { return f.stream && f.planned || f.placed }

// plan is called before a value of a dataset is written. With metadata first, the first call finds the places of metadata.
func (f *File) plan(d *Dataset) error {
	if !f.o.first {
		return nil
	}
	if f.stream && d.values.Heap {
		return errHeap(d)
	}
	if _, ok := d.store.(*compact); ok && !d.values.Heap { // its values are in its header
		if f.stream && f.planned {
			return errStream(d.path, "compact values must be written before all others to an output that is not seekable")
		}
		return nil
	}
	if !f.planned {
		if err := f.fail(f.makePlan()); err != nil {
			return err
		}
	}
	if !f.stream {
		return nil
	}
	for f.next < len(f.data) && f.data[f.next] != d {
		if err := f.fail(f.data[f.next].complete()); err != nil {
			return err
		}
		f.next++
	}
	if f.next == len(f.data) {
		return errStream(d.path, "datasets must be written in the order in which they were made, as the output is not seekable")
	}
	return nil
}

// complete finishes a dataset and writes all that it has.
func (d *Dataset) complete() error {
	if d.done || d.store == nil {
		return nil
	}
	d.done = true
	err := d.finish()
	if err == nil {
		err = d.f.queue.Drain()
	}
	return h5err.In(err, "", d.path)
}

// makePlan finds the places of all metadata, and in a stream those of all values.
func (f *File) makePlan() error {
	if err := f.prepare(); err != nil {
		return err
	}
	f.planned = true
	if f.stream {
		if err := f.streamable(); err != nil {
			return err
		}
	}
	f.planning = !f.stream
	blocks, err := f.build()
	f.planning = false
	if err != nil {
		return err
	}
	place(&f.space, blocks)
	f.reserved = f.space.End
	if !f.stream {
		return nil
	}
	for _, d := range f.data {
		d.reserve()
	}
	if err := f.convertLate(); err != nil {
		return err
	}
	for _, d := range f.data {
		if _, ok := d.store.(*compact); ok {
			if err := d.complete(); err != nil {
				return err
			}
		}
	}
	if blocks, err = f.build(); err != nil { // with the places of values
		return err
	}
	s := f.start()
	place(&s, blocks)
	if s.End > f.reserved {
		return errMoved()
	}
	return f.writeAll(blocks)
}

// start is the space of an empty file.
func (f *File) start() space.Space {
	s := space.New(f.o.rules(), int64(format.SuperblockSize(f.o.superblock())))
	s.Ascending = f.stream
	return s
}

func errMoved() error {
	return h5err.New(h5err.Argument, "metadata became larger after the first value was written")
}

func errHeap(d *Dataset) error {
	return errStream(d.path, "values of variable length can't be written to an output that is not seekable")
}

// streamable fails for datasets whose stored size isn't known.
func (f *File) streamable() error {
	for _, d := range f.data {
		c, isChunked := d.store.(*chunked)
		switch {
		case d.values.Heap:
			return errHeap(d)
		case isChunked && len(d.spec.Filters) > 0:
			return errStream(d.path, "chunks with filters can't be written to an output that is not seekable, as their size is not known")
		case isChunked:
			c.chunks = c.planned()
		}
	}
	return nil
}

// reserve gives a dataset's values their place.
func (d *Dataset) reserve() {
	switch s := d.store.(type) {
	case *contiguous:
		if s.allocate(); s.at < 0 {
			return
		}
	case *chunked:
		s.reserveAll()
	}
}

// prepare makes the attributes that depend on other objects, and finishes the heap of attributes.
func (f *File) prepare() error {
	for _, d := range f.data {
		if err := d.scaleAttributes(); err != nil {
			return err
		}
	}
	return f.notes.flush()
}

// finish writes all that is left, and the superblock.
func (f *File) finish() error {
	if f.o.first && !f.planned {
		if err := f.makePlan(); err != nil {
			return err
		}
	}
	for _, d := range f.data {
		if len(d.late) > 0 {
			continue
		}
		if err := d.complete(); err != nil {
			return err
		}
	}
	if err := f.values.flush(); err != nil {
		return err
	}
	if f.stream {
		return f.fillEnd()
	}
	if !f.planned {
		if err := f.prepare(); err != nil {
			return err
		}
	}
	if f.old != nil {
		return f.finishAppend()
	}
	return f.finishMetadata()
}

// finishMetadata writes values that refer to objects, and the metadata.
func (f *File) finishMetadata() error {
	blocks, err := f.build()
	if err != nil {
		return err
	}
	at := f.space
	if f.o.first {
		at = f.start()
	}
	s := at
	place(&s, blocks)
	if f.o.first && s.End > f.reserved {
		return errMoved()
	}
	if !f.o.first {
		f.space = s
	}
	if f.anyLate() {
		heads := f.heads()
		if err := f.convertLate(); err != nil {
			return err
		}
		if blocks, err = f.build(); err != nil {
			return err
		}
		place(&at, blocks)
		for i, h := range f.heads() {
			if h != heads[i] {
				return errMoved()
			}
		}
	}
	return f.writeAll(blocks)
}

func (f *File) anyLate() bool {
	for _, d := range f.data {
		if len(d.late) > 0 {
			return true
		}
	}
	return false
}

// heads returns the addresses of all objects.
func (f *File) heads() []uint64 {
	all := make([]uint64, len(f.objects))
	for i, o := range f.objects {
		all[i] = o.base().head.Addr
	}
	return all
}

// convertLate writes the values that had to wait for the places of objects.
func (f *File) convertLate() error {
	f.placed = true
	for _, d := range f.data {
		for _, data := range d.late {
			n, err := d.values.Count(data)
			if err == nil {
				err = d.converted(data, n)
			}
			if err != nil {
				return h5err.In(err, "", d.path)
			}
		}
		if len(d.late) > 0 {
			d.late = nil
			if err := d.complete(); err != nil {
				return err
			}
		}
	}
	return f.values.flush()
}

// build encodes the metadata.
func (f *File) build() ([]*format.Block, error) {
	var blocks, more []*format.Block
	for _, o := range f.objects {
		build := f.buildObject
		if old := o.base().old; old != nil {
			if build = f.buildOld; !old.changed {
				continue
			}
		}
		first, rest, err := build(o)
		if err != nil {
			return nil, h5err.In(err, "", o.Path())
		}
		blocks, more = append(blocks, first...), append(more, rest...)
	}
	blocks = append(blocks, more...)
	for _, c := range f.notes.all {
		blocks = append(blocks, &c.Block)
	}
	if f.o.page > 0 && f.old == nil {
		f.extension = &format.Block{}
		h := format.Header{Links: 1, Messages: []format.Message{{Type: format.MsgFileSpace, Body: format.FileSpace(uint64(f.o.page))}}}
		if err := h.Encode(f.extension); err != nil {
			return nil, err
		}
		blocks = append([]*format.Block{f.extension}, blocks...)
	}
	return blocks, nil
}

// buildObject encodes an object: its header with links and attributes, and the index of its values.
func (f *File) buildObject(o Object) (blocks, index []*format.Block, err error) {
	b := o.base()
	old := f.o.version == Earliest
	var messages []format.Message
	var own []*format.Block
	switch o := o.(type) {
	case *Group:
		if old {
			g, err := format.EncodeOldGroup(o.formatLinks())
			if err != nil {
				return nil, nil, err
			}
			if o == f.root {
				f.oldRoot = g
			}
			own = g.Blocks
			messages = []format.Message{{Type: format.MsgSymbolTable, Body: g.SymbolTable()}}
		} else {
			messages, own = format.Group(o.formatLinks(), o.ordered)
		}
	case *Dataset:
		messages, index, err = o.header()
	case *NamedType:
		messages = []format.Message{{Type: format.MsgDatatype, Body: o.message}}
	}
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(b.attributes))
	bodies := make([]*format.Block, len(b.attributes))
	for i, a := range b.attributes {
		names[i], bodies[i] = a.name, a.body
	}
	if old {
		for _, body := range bodies {
			messages = append(messages, format.Message{Type: format.MsgAttribute, Body: body})
		}
	} else {
		m, dense := format.Attributes(names, bodies, b.tracked)
		messages, own = append(messages, m...), append(own, dense...)
	}
	*b.head = format.Block{}
	h := format.Header{Old: old, Tracked: b.tracked && !old, Links: max(b.links, 1), Messages: messages}
	if err := h.Encode(b.head); err != nil {
		return nil, nil, err
	}
	return append([]*format.Block{b.head}, own...), index, nil
}

// place gives blocks their addresses.
func place(s *space.Space, blocks []*format.Block) {
	for _, b := range blocks {
		b.Addr = uint64(s.Metadata(int64(len(b.Data))))
	}
}

// gathered is the number of bytes of metadata that are written at once.
const gathered = 1 << 20

// writeBlocks writes metadata in ascending order.
func (f *File) writeBlocks(blocks []*format.Block) error {
	var buf []byte
	start := int64(0)
	for _, b := range blocks {
		b.Link()
		at := int64(b.Addr)
		gap := at - start - int64(len(buf))
		if len(buf) > 0 && (gap < 0 || gap > 4096 || len(buf) >= gathered) {
			if err := f.out.Put(buf, start); err != nil {
				return err
			}
			buf = buf[:0]
		}
		if len(buf) == 0 {
			start, gap = at, 0
		}
		buf = append(append(buf, make([]byte, gap)...), b.Data...)
	}
	return f.out.Put(buf, start)
}

// writeAll writes the user block, the metadata and the superblock; the superblock comes last, or first to a stream.
func (f *File) writeAll(blocks []*format.Block) error {
	steps := []func() error{
		func() error { return f.writeBlocks(blocks) },
		f.fillEnd,
		f.writeSuperblock,
	}
	if f.old != nil { // the caller flushes the file first
		steps = steps[:2]
	}
	if f.stream { // the end follows when it is reached
		steps = []func() error{f.writeSuperblock, func() error { return f.writeBlocks(blocks) }}
	}
	if err := f.writeUserBlock(); err != nil {
		return err
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) writeUserBlock() error {
	if f.o.userBlock == 0 || f.old != nil {
		return nil
	}
	block := make([]byte, f.o.userBlock)
	copy(block, f.o.userData)
	return f.out.Put(block, -f.o.userBlock)
}

// fillEnd makes the output as long as the file: the last page may have room left.
func (f *File) fillEnd() error {
	if f.out.End >= f.space.End {
		return nil
	}
	return f.out.Put([]byte{0}, f.space.End-1)
}

func (f *File) writeSuperblock() error {
	s := format.Superblock{Version: f.o.superblock(), Base: uint64(f.o.userBlock), End: uint64(f.o.userBlock + f.space.End),
		Root: f.root.head, Extension: f.extension, OldRoot: f.oldRoot}
	b := s.Encode()
	b.Link()
	return f.out.Put(b.Data, 0)
}
