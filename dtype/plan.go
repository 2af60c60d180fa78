package dtype

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Bounds of the types that are accepted. Types of files stay far below them.
const (
	maxNodes = 1 << 16 // types in all
)

// Plan has the Arrow type of a column and builds its arrays. It is immutable and may be used by several goroutines
// concurrently.
type Plan struct {
	Arrow      arrow.DataType
	RowBytes   int               // bytes of one Arrow row in the file
	SourceRows int64             // dataset rows per Arrow row: 1, or more for flat utf32
	Delivery   Delivery          // how Build converts contiguous bytes
	Reason     string            // why Delivery isn't Mapped, "" when it is
	Items      int64             // items of a row, each with a validity bit: the product of Dims; 1 for utf32
	Variable   bool              // Build needs Env.Heap
	Refs       bool              // Build needs Env.RefPath
	Nulls      bool              // values may be null by themselves: R's NA in enumerations
	Metadata   map[string]string // for the Arrow field; keys are MetaEnum and the like

	root     node
	lists    []*arrow.FixedSizeListType // outermost first; empty for a row of one item
	tensor   arrow.ExtensionType        // the extension over all items of a row, or nil
	nullRows bool
	counters int // nodes with 32-bit offsets
}

// node builds arrays of one type inside a Plan.
type node interface {
	base() *info
	build(c *ctx, v *view) (*array.Data, error)
}

// info is what all nodes have.
type info struct {
	arrow    arrow.DataType
	size     int // bytes of an element in the file
	delivery Delivery
	reason   string
	meta     map[string]string
	swap     int // width of the elements when reversing each in place is all that contiguous bytes need; else 0
}

func (n *info) base() *info { return n }

func (n *info) note(key, value string) {
	if n.meta == nil {
		n.meta = map[string]string{}
	}
	n.meta[key] = value
}

// planner makes the nodes of one Plan.
type planner struct {
	opt       Options
	boolBits  bool // bitfields of one byte are bool
	wholeText bool // NULs in text of variable length are text
	unix      bool // the time class is timestamps
	units     string
	nodes     int
	variable  bool
	refs      bool
	nulls     bool
	counters  int
}

// New returns the plan for the elements that src describes. Errors are of kind Unsupported for types without a
// counterpart in Arrow, Corrupt for types and attributes that contradict each other or themselves, Argument for options
// out of range.
func New(src Source, o Options) (*Plan, error) {
	switch {
	case src.Type == nil:
		return nil, h5err.New(h5err.Argument, "no type")
	case o.Strings > StringsLatin1:
		return nil, h5err.New(h5err.Argument, "%v", o.Strings)
	case o.Enum > EnumValues:
		return nil, h5err.New(h5err.Argument, "%v", o.Enum)
	}
	if src.NoConvention {
		src.DType, src.HasDLength = "", false
	}
	b := &planner{opt: o, boolBits: src.Bitfield8AsBool, unix: src.UnixTimes, wholeText: src.WholeText, units: src.Units}
	attr := strings.TrimSpace(src.DType)
	if attr == "utf32" {
		return b.utf32(src)
	}
	root, err := b.root(src.Type, attr)
	if err != nil {
		return nil, err
	}
	return b.plan(root, src.Dims)
}

// root returns the node of the dataset's elements. The attribute "dtype" may change their meaning.
func (b *planner) root(t *h5.Type, attr string) (node, error) {
	if attr == "" {
		return b.node(t, 0)
	}
	n, err := b.named(t, attr)
	if err != nil {
		return nil, err
	}
	n.base().note(MetaDType, attr)
	return n, nil
}

// plan wraps rows of dims items around a node.
func (b *planner) plan(root node, dims []uint64) (*Plan, error) {
	in := root.base()
	p := &Plan{
		Arrow: in.arrow, Items: 1, SourceRows: 1, Delivery: in.delivery, Reason: in.reason, Metadata: in.meta,
		Variable: b.variable, Refs: b.refs, Nulls: b.nulls, root: root, nullRows: b.opt.NullRows, counters: b.counters,
	}
	var err error
	if p.lists, p.Items, err = types.Nest(in.arrow, dims); err != nil {
		return nil, err
	}
	if len(p.lists) > 0 {
		p.Arrow = p.lists[0]
	}
	rowBytes, ok := types.Product(p.Items, int64(in.size))
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "rows of %d items of %d bytes", p.Items, in.size)
	}
	p.RowBytes = rowBytes
	if b.opt.Tensor && len(dims) > 0 && fixedWidth(in.arrow) && p.Items <= math.MaxInt32 {
		p.tensor = newTensorType(in.arrow, dims)
		p.Arrow = p.tensor
		p.lists = []*arrow.FixedSizeListType{p.tensor.StorageType().(*arrow.FixedSizeListType)}
	}
	return p, nil
}

// counter returns the number of a new node with 32-bit offsets.
func (b *planner) counter() int {
	b.counters++
	return b.counters - 1
}

// node returns the node of a type at a depth.
func (b *planner) node(t *h5.Type, depth int) (node, error) {
	if depth > types.MaxDepth {
		return nil, h5err.New(h5err.Unsupported, "types nested deeper than %d", types.MaxDepth)
	}
	if b.nodes++; b.nodes > maxNodes {
		return nil, h5err.New(h5err.Unsupported, "a type made of more than %d types", maxNodes)
	}
	if t == nil || t.Size < 1 {
		return nil, h5err.New(h5err.Corrupt, "a type of no bytes")
	}
	switch t.Class {
	case h5.ClassFixed:
		return b.fixed(t)
	case h5.ClassFloat:
		return b.float(t)
	case h5.ClassTime:
		return b.time(t)
	case h5.ClassString:
		return b.text(t)
	case h5.ClassBitfield:
		return b.bitfield(t)
	case h5.ClassOpaque:
		return b.opaque(t)
	case h5.ClassCompound:
		return b.compound(t, depth)
	case h5.ClassReference:
		return b.reference(t)
	case h5.ClassEnum:
		return b.enum(t)
	case h5.ClassVLen:
		if t.VarString {
			return b.varText(t)
		}
		return b.sequence(t, depth)
	case h5.ClassArray:
		return b.array(t, depth)
	case h5.ClassComplex:
		return b.complex(t, depth)
	}
	return nil, h5err.New(h5err.Unsupported, "datatype class %d", int(t.Class)-1)
}

// SwapInPlace reverses the bytes of each element of b, whole elements as stored, when nothing else is needed to convert
// them, and reports whether it did. Set Raw.Swapped for Build then. It is meant for bytes that are in the cache already.
func (p *Plan) SwapInPlace(b []byte) bool {
	w := p.root.base().swap
	if w == 0 || len(b)%w != 0 {
		return false
	}
	kernel.Swap(b, b, w)
	return true
}

// Probes reports whether Build only looks at values, and changes none but for their byte order, to find those that are null by themselves:
// NaT, and NaN with NaNAsNull.
func (p *Plan) Probes() bool {
	n, ok := p.root.(*plain)
	return ok && n.nulls
}

// ArrowRows returns the number of Arrow rows in n rows of the dataset. The error is Corrupt when n is not a multiple of
// SourceRows.
func (p *Plan) ArrowRows(n uint64) (uint64, error) {
	if n%uint64(p.SourceRows) != 0 {
		return 0, h5err.New(h5err.Corrupt, "%d rows can't be divided into strings of %d", n, p.SourceRows)
	}
	return n / uint64(p.SourceRows), nil
}

// check returns an error when raw contradicts p or itself.
func (p *Plan) check(raw *Raw) error {
	bad := func(format string, args ...any) error { return h5err.New(h5err.Argument, format, args...) }
	if raw.Stride == 0 {
		raw.Stride = p.RowBytes
	}
	if raw.Rows < 0 || raw.Stride < p.RowBytes {
		return bad("%d rows, %d bytes apart", raw.Rows, raw.Stride)
	}
	if raw.Rows == 0 {
		raw.Bytes = nil
		return nil
	}
	room := len(raw.Bytes) - p.RowBytes
	if room < 0 || (raw.Rows-1) > room/max(raw.Stride, 1) {
		return bad("%d bytes for %d rows of %d bytes", len(raw.Bytes), raw.Rows, raw.Stride)
	}
	if o := raw.Owner; o != nil {
		if raw.OwnerOffset < 0 || raw.OwnerOffset > o.Len() || len(raw.Bytes) > o.Len()-raw.OwnerOffset {
			return bad("bytes outside their owner")
		}
	}
	items := raw.Rows * int(p.Items)
	if b := raw.Valid; b.Bits != nil {
		if b.Offset < 0 || b.Offset > len(b.Bits)*8 || items > len(b.Bits)*8-b.Offset {
			return bad("a bitmap of %d bytes for %d items", len(b.Bits), items)
		}
	}
	if raw.ValidBuf != nil && raw.ValidBuf.Len() < (items+7)/8 {
		return bad("a validity buffer of %d bytes for %d items", raw.ValidBuf.Len(), items)
	}
	return nil
}

// Build returns the Arrow array of raw's rows. The caller releases it. Where p is Mapped, or raw is Mutable, and raw has
// an Owner, the array retains the Owner instead of copying; otherwise it never keeps raw.Bytes.
//
// Errors name the row and env.Where. They are Corrupt for values that contradict the type, Unsupported for values that
// Arrow can't represent, or those that Heap and RefPath return.
func (p *Plan) Build(raw Raw, env *Env) (arrow.Array, error) {
	if err := p.check(&raw); err != nil {
		return nil, h5err.In(err, "", env.Where)
	}
	c := &ctx{env: env}
	defer c.release() // also when an allocator panics
	d, err := p.build(c, &raw)
	if err != nil {
		return nil, element.Place(err, raw.Row0, p.Items, env.Where)
	}
	return array.MakeFromData(d), nil
}

func (p *Plan) build(c *ctx, raw *Raw) (*array.Data, error) {
	v := view{
		b: raw.Bytes, n: raw.Rows, size: p.RowBytes, stride: raw.Stride,
		owner: raw.Owner, off: raw.OwnerOffset, mutable: raw.Mutable, swapped: raw.Swapped && p.root.base().swap != 0,
		noNulls: raw.NoNulls,
	}
	if p.Items > 1 {
		swapped := v.swapped
		v = c.pack(&v)
		v.n, v.swapped, v.noNulls = raw.Rows*int(p.Items), swapped, raw.NoNulls
		v.size = p.root.base().size
		v.stride = v.size
	}
	v.valid = c.validityOf(raw.Valid, raw.ValidBuf, raw.Nulls, v.n)
	d, err := p.root.build(c, &v)
	if err != nil {
		return nil, err
	}
	var rows validity
	if p.nullRows && len(p.lists) > 0 && d.NullN() > 0 {
		buf := c.bitmap(raw.Rows)
		rows.nulls = nullbitmap.RowsAny(buf.Bytes(), 0, d.Buffers()[0].Bytes(), 0, raw.Rows, int(p.Items), nullbitmap.Overwrite)
		rows.buf = buf
	}
	n := v.n
	for i := len(p.lists) - 1; i >= 0; i-- {
		l := p.lists[i]
		n /= int(l.Len())
		var valid validity
		if i == 0 {
			valid = rows
		}
		d = c.make(l, n, valid, nil, d)
	}
	if p.tensor != nil {
		d = c.retype(d, p.tensor)
	}
	return d, nil
}

// retype returns d as data of another type with the same layout.
func (c *ctx) retype(d *array.Data, t arrow.DataType) *array.Data {
	r := array.NewData(t, d.Len(), append([]*memory.Buffer(nil), d.Buffers()...), d.Children(), d.NullN(), 0)
	c.data = append(c.data, r)
	return r
}

// name returns a member's or label's name in UTF-8.
func (b *planner) name(what, s string) (string, error) {
	if utf8.ValidString(s) {
		return s, nil
	}
	if b.opt.Strings == StringsUTF8 {
		return "", notUTF8(what, []byte(s))
	}
	return string(latin1(nil, []byte(s))), nil
}
