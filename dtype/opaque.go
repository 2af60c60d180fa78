package dtype

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/numpy"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func (b *planner) opaque(t *h5.Type) (node, error) {
	if in, ok := numpy.Tag(t.Tag); ok {
		if t.Size != 8 {
			return nil, h5err.New(h5err.Corrupt, "opaque type %q of %d bytes", t.Tag, t.Size)
		}
		order := h5.LittleEndian
		if in.Order == '>' {
			order = h5.BigEndian
		}
		return b.instant(in, order)
	}
	if t.Size > math.MaxInt32 {
		return nil, h5err.New(h5err.Unsupported, "opaque elements of %d bytes", t.Size)
	}
	n := &plain{info: info{arrow: &arrow.FixedSizeBinaryType{ByteWidth: t.Size}, size: t.Size, delivery: Mapped}}
	if t.Tag != "" {
		tag := t.Tag
		if !utf8.ValidString(tag) {
			tag = string(latin1(nil, []byte(tag)))
		}
		n.note(MetaOpaqueTag, tag)
	}
	return n, nil
}

// reference is an object reference, as the path of its target.
type reference struct {
	info
	id  int
	typ *h5.Type
}

// path returns the path of an element's target.
func (n *reference) path(env *Env, p []byte) (path string, null bool, err error) {
	ref, err := h5.ObjectReference(n.typ, p, env.OffsetSize)
	if ref == nil {
		return "", true, err
	}
	return env.RefPath(ref)
}

func (b *planner) reference(t *h5.Type) (node, error) {
	switch t.Ref {
	case h5.RefObject1, h5.RefObject2:
	case h5.RefRegion1, h5.RefRegion2:
		return nil, h5err.New(h5err.Unsupported, "region references")
	default:
		return nil, h5err.New(h5err.Unsupported, "references of kind %s", strconv.Itoa(int(t.Ref)))
	}
	b.refs = true
	return &reference{id: b.counter(), typ: t, info: info{arrow: arrow.BinaryTypes.String, size: t.Size, delivery: Converted, reason: "paths of the objects referred to"}}, nil
}

func (n *reference) build(c *ctx, v *view) (*array.Data, error) {
	if c.env.RefPath == nil && v.n > 0 {
		return nil, h5err.New(h5err.Unsupported, "object references")
	}
	offsets := c.buffer(4 * (v.n + 1))
	off := offsets.Bytes()
	bits := c.bitmap(v.n)
	clear(bits.Bytes())
	g := c.grower(0)
	nulls := 0
	putOffset32(off, 0, 0)
	for i := range v.n {
		null := true
		if v.valid.valid(i) {
			path, none, err := n.path(c.env, v.at(i))
			if err != nil {
				return nil, element.Wrap(i, err)
			}
			if null = none; !null {
				if len(path) > math.MaxInt32-len(g.bytes) {
					return nil, tooLong(i)
				}
				g.bytes = append(g.room(len(path)), path...)
				bits.Bytes()[i>>3] |= 1 << (i & 7)
			}
		}
		nulls += types.One(null)
		putOffset32(off, i+1, len(g.bytes))
	}
	valid := validity{bits, nulls}
	if nulls == 0 {
		valid = validity{}
	}
	return c.textData(n.arrow, v.n, valid, offsets, g.buf, len(g.bytes))
}
