// Package repack writes an HDF5 file anew: the same objects, links, attributes, types and values, with other storage.
package repack

import (
	"context"
	"io"
	"math"
	"runtime"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/h5/write/flat"
)

// Layout is how the values of datasets are stored.
type Layout uint8

// The layouts. Compact, external and virtual datasets keep their storage in all of them.
const (
	Contiguous Layout = iota // in one aligned extent; a maximum shape that is larger than the shape is dropped, unless Options.Growing is set
	Keep                     // as they are: chunks are copied as they are stored
	Chunked                  // in chunks of Options.ChunkRows rows, with Options.Filters
)

// Options says how a file is written. The zero value is contiguous storage.
type Options struct {
	Layout    Layout
	ChunkRows uint64      // Chunked: rows of a chunk; 0: those of the input's chunks, or about 1 MiB
	Filters   []h5.Filter // Chunked: without Values, they are those of the library

	Growing bool // Contiguous: datasets that can grow stay so, in aligned chunks without filters

	// Room is called before values are written, with a number of bytes that they will take at least. Its error ends the run. nil: there
	// is room for all.
	Room func(bytes int64) error

	PageSize int64 // space is divided into pages, and metadata comes first; 0: no pages
	Workers  int   // goroutines; 0: GOMAXPROCS. They don't change the bytes of the output
}

// Dataset is what became of a dataset.
type Dataset struct {
	Path    string
	Type    *h5.Type
	Rows    uint64
	Storage h5.Storage
	Before  bool // programs can map its values: they are in one extent, aligned to their size, without filters
	After   bool
	Kept    error // not nil: its chunks were copied as they are stored in spite of Options.Layout, because of a filter that has no decoder
}

// Result sums up a run.
type Result struct {
	Datasets []Dataset
	Copied   int // chunks that were copied as they are stored
	Bytes    int64
}

// File writes the objects of in to out, which is empty. Times of objects are dropped. What the file refers to outside itself is kept as it is. Links of reserved classes are errors of
// kind Unsupported, and so are files whose addresses don't have 8 bytes, if values or attributes hold addresses.
func File(ctx context.Context, in *h5.File, out io.WriterAt, o Options) (*Result, error) {
	if o.Layout > Chunked {
		return nil, h5err.New(h5err.Argument, "layout %d", o.Layout)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	watch, err := h5.Inspect(in, inspect.Observer{})
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	p := &packer{ctx: ctx, in: in, watch: watch, o: o, made: map[uint64]write.Object{}, res: &Result{}}
	opts := []write.Option{write.WithWorkers(o.Workers)}
	if o.PageSize > 0 {
		opts = append(opts, write.WithPageSize(o.PageSize), write.WithMetadataFirst())
	}
	if n := in.Superblock().Offset; n > 0 {
		block := make([]byte, n)
		if err := readFull(ctx, in, block, 0); err != nil {
			return nil, err
		}
		opts = append(opts, write.WithUserBlock(n, block))
	}
	if p.f, err = write.Create(out, opts...); err != nil {
		return nil, err
	}
	defer p.f.Abandon()
	if err := p.run(); h5err.Is(err, h5err.IO) { // those of the input have its name
		return nil, err
	} else if err != nil {
		return nil, h5err.In(err, in.Name(), "")
	}
	p.res.Bytes = p.f.Size()
	return p.res, nil
}

func readFull(ctx context.Context, in *h5.File, b []byte, off int64) error {
	n, err := in.Source().ReadAt(b, off)
	if n < len(b) && err == nil {
		err = io.ErrUnexpectedEOF
	}
	if n == len(b) {
		err = nil
	}
	if err != nil {
		return h5err.In(err, in.Name(), "")
	}
	return ctx.Err()
}

// packer is one run.
type packer struct {
	ctx   context.Context
	in    *h5.File
	watch *h5.Inspector
	f     *write.File
	o     Options
	made  map[uint64]write.Object // by address in the input
	order []object
	res   *Result
}

// object is an object of the input with what became of it.
type object struct {
	src  h5.Object
	out  write.Object
	data *Dataset
}

func (p *packer) run() error {
	root, err := p.f.Group("/")
	if err != nil {
		return err
	}
	p.add(p.in.Root(), root, nil)
	if err := p.types(); err != nil {
		return err
	}
	for i := 0; i < len(p.order); i++ { // groups add their members at the end
		if g, ok := p.order[i].src.(*h5.Group); ok {
			if err := p.group(g); err != nil {
				return h5err.About(err, g)
			}
		}
	}
	for i := 0; i < len(p.order); i++ { // attributes add committed datatypes without links
		if err := p.attributes(p.order[i]); err != nil {
			return h5err.About(err, p.order[i].src)
		}
	}
	if err := p.room(); err != nil {
		return err
	}
	pool := chunk.NewPool(p.o.Workers)
	defer pool.Close()
	for _, o := range p.order {
		if d, ok := o.src.(*h5.Dataset); ok {
			if err := p.values(d, o.out.(*write.Dataset), o.data, pool); err != nil {
				return h5err.About(err, d)
			}
			p.res.Datasets = append(p.res.Datasets, *o.data)
		}
	}
	return p.f.Close()
}

// room asks whether there is room for the values that take as much as they say: those in one extent.
func (p *packer) room() error {
	if p.o.Room == nil {
		return nil
	}
	total := int64(0)
	for _, o := range p.order {
		d, ok := o.src.(*h5.Dataset)
		if !ok || o.data.Storage != h5.StorageContiguous {
			continue
		}
		n, _ := d.Space().Elements() // the writer has accepted the size
		total += min(int64(n)*int64(d.Type().Size), math.MaxInt64-total)
	}
	return p.o.Room(total)
}

func (p *packer) add(src h5.Object, out write.Object, d *Dataset) {
	p.made[src.Address()] = out
	p.order = append(p.order, object{src, out, d})
	attributes, links := p.tracked(src)
	out.TrackOrder(attributes, links)
}

// The header messages that are looked at (specification, IV.A.2).
const (
	msgLinkInfo      = 0x02
	msgDatatype      = 0x03
	msgAttributeInfo = 0x15
)

// tracked reports whether the creation orders of an object's attributes and links are tracked.
func (p *packer) tracked(o h5.Object) (attributes, links bool) {
	h, err := p.watch.Header(o.Address())
	if err != nil {
		return false, false
	}
	for _, m := range h.Messages {
		if m.Shared() || len(m.Body) < 2 || m.Body[1]&1 == 0 {
			continue
		}
		attributes = attributes || m.Type == msgAttributeInfo
		links = links || m.Type == msgLinkInfo
	}
	return attributes, links
}

// named returns the committed datatype at an address, of which an object or an attribute of it is. One that has no link is made now.
func (p *packer) named(addr uint64, of h5.Object) (*write.NamedType, error) {
	if out := p.made[addr]; out != nil {
		named, _ := out.(*write.NamedType)
		return named, nil
	}
	o, err := p.in.ObjectAt(addr, of.Path())
	if err != nil {
		return nil, err
	}
	t, ok := o.(*h5.NamedType)
	if !ok {
		return nil, nil
	}
	plain := *t.Type
	plain.Committed = false
	out, err := p.f.CommitUnlinked(&plain)
	if err == nil {
		p.add(o, out, nil)
	}
	return out, err
}

// types makes the committed datatypes that have links, of which datasets may be. They may get their other links later.
func (p *packer) types() error {
	return p.in.Walk(func(o h5.Object) error {
		t, ok := o.(*h5.NamedType)
		if !ok || p.made[o.Address()] != nil {
			return p.ctx.Err()
		}
		plain := *t.Type
		plain.Committed = false
		out, err := p.f.Commit(o.Path(), &plain)
		if err == nil {
			p.add(o, out, nil)
		}
		return h5err.About(err, o)
	})
}

// group makes the members of a group.
func (p *packer) group(g *h5.Group) error {
	links, err := g.Links()
	if err != nil {
		return err
	}
	dir := p.made[g.Address()].Path()
	if dir == "/" {
		dir = ""
	}
	for _, l := range links {
		path := dir + "/" + l.Name
		switch l.Kind {
		case h5.LinkHard:
			err = p.member(g, l, path)
		case h5.LinkSoft:
			err = p.f.SoftLink(path, l.Target)
		case h5.LinkExternal:
			err = p.f.ExternalLink(path, l.File, l.Target)
		default:
			if err = p.f.UserLink(path, l.Class, l.Data); h5err.Is(err, h5err.Argument) {
				err = h5err.New(h5err.Unsupported, "a link of the reserved class %d", l.Class)
			}
		}
		if err != nil {
			return err
		}
	}
	return p.ctx.Err()
}

func (p *packer) member(g *h5.Group, l h5.Link, path string) error {
	if out := p.made[l.Address]; out != nil {
		if out.Path() == path { // a committed datatype
			return nil
		}
		return p.f.HardLink(path, out)
	}
	o, err := g.OpenLink(l)
	if err != nil {
		return err
	}
	switch o := o.(type) {
	case *h5.Group:
		out, err := p.f.Group(path)
		if err != nil {
			return err
		}
		p.add(o, out, nil)
	case *h5.Dataset:
		out, d, err := p.dataset(o, path)
		if err != nil {
			return h5err.About(err, o)
		}
		p.add(o, out, d)
	}
	return nil
}

// number returns the number of an object for a reference to it. A reference that leads nowhere becomes a null reference.
func (p *packer) number(addr uint64) (uint64, error) {
	if o := p.made[addr]; o != nil {
		return o.ID(), nil
	}
	return 0, nil
}

// attributes copies an object's attributes, in the order in which they were made.
func (p *packer) attributes(o object) error {
	attrs, err := o.src.Attributes()
	if err != nil {
		return err
	}
	if bad := p.watch.BadAttributes(o.src); len(bad) > 0 {
		return bad[0]
	}
	for _, a := range inOrder(attrs) {
		typ := *a.Type()
		typ.Committed = false
		if err := p.portable(&typ); err != nil {
			return err
		}
		var named *write.NamedType
		data, err := flat.NewFlattener(p.in, &typ, p.number).Append(nil, a.Raw())
		if addr, ok := a.Committed(); ok && err == nil {
			named, err = p.named(addr, o.src)
		}
		if err == nil {
			err = o.out.Attribute(write.Attribute{Name: a.Name, Type: &typ, Named: named, Space: *a.Space(), Data: data})
		}
		if err != nil {
			return h5err.Wrap(h5err.KindOf(err), err, "attribute %q", a.Name)
		}
	}
	return p.ctx.Err()
}

// portable fails for types that hold addresses of other than 8 bytes.
func (p *packer) portable(t *h5.Type) error {
	if p.in.OffsetSize() != 8 && !flat.NewFlattener(p.in, t, nil).Plain() {
		return h5err.New(h5err.Unsupported, "values that hold addresses of %d bytes", p.in.OffsetSize())
	}
	return nil
}

// committed returns the committed datatype that a dataset's type is, or nil.
func (p *packer) committed(d *h5.Dataset) (*write.NamedType, error) {
	if !d.Type().Committed {
		return nil, nil
	}
	h, err := p.watch.Header(d.Address())
	if err != nil {
		return nil, err
	}
	for _, m := range h.Messages {
		if m.Type != msgDatatype || !m.Shared() || len(m.Body) < 2+p.in.OffsetSize() {
			continue
		}
		at := 2
		if m.Body[0] == 1 {
			at = 8 + p.in.Superblock().LengthSize // reserved bytes and the place of a name
		}
		if len(m.Body) < at+p.in.OffsetSize() {
			continue
		}
		if addr, ok := p.in.RefAddress(m.Body[at:]); ok {
			return p.named(addr, d)
		}
	}
	return nil, nil
}
