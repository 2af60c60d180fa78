package vaexutil

import (
	"context"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/mapped"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Order is how an array's elements follow each other.
type Order uint8

// The orders.
const (
	OrderC       Order = iota // the last index varies fastest
	OrderFortran              // the first does
)

// RawArray describes an array in the bytes of a file.
type RawArray struct {
	Offset  int64    // of the element with all indices 0
	Type    *h5.Type // of the elements; nil where DType is enough
	DType   string   // numpy's name for what the elements are, such as "<f8" or "datetime64[ns]"; "" for Type itself
	Shape   []int64  // the first dimension counts the rows; no dimension is one row
	Order   Order    // where Strides is nil
	Strides []int64  // bytes from one index to the next in each dimension; may be zero or negative

	Types dtype.Options  // how the type is mapped
	Align arrowmap.Align // what to do with mapped values that are not aligned
}

// MapArray returns an array in the bytes of a source as a column. It is the counterpart of mmap_array in vaex.hdf5.utils:
// mapped where the source is mapped and the array is contiguous in C order, gathered where it is not contiguous, streaming
// where the source is not mapped. Arrays of any rank work with each.
//
// A shape that overflows and an array that does not lie inside the source are Argument errors. The caller
// keeps its reference on the source until the last Read; arrays that were read have references of their own.
func MapArray(src *source.Source, a RawArray) (*Values, error) {
	r, err := newRawArray(src, a)
	if err != nil {
		return nil, h5err.In(err, src.Name(), "")
	}
	return &Values{typ: r.plan.Arrow, access: r.access(), hi: r.rows, width: r.rowBytes, pure: !node.MakesNulls(r.plan, a.Types), read: r.read}, nil
}

type rawArray struct {
	src      *source.Source
	plan     *dtype.Plan
	offset   int64
	size     int64 // of an element
	shape    []int64
	strides  []int64
	rows     int64
	rowBytes int64
	dense    bool // contiguous in C order
	realign  bool // dense rows are copied, because they are not aligned to their width
}

func newRawArray(src *source.Source, a RawArray) (*rawArray, error) {
	bad := func(format string, args ...any) error { return h5err.New(h5err.Argument, format, args...) }
	if a.Type == nil && a.DType != "" {
		var err error
		if a.Type, err = dtype.NumpyType(a.DType); err != nil {
			return nil, err
		}
	}
	if a.Type == nil || a.Type.Size <= 0 {
		return nil, bad("an array without a type")
	}
	if a.Strides != nil && len(a.Strides) != len(a.Shape) {
		return nil, bad("%d strides for %d dimensions", len(a.Strides), len(a.Shape))
	}
	if len(a.Shape) > 32 || a.Order > OrderFortran {
		return nil, bad("an array of %d dimensions in order %d", len(a.Shape), a.Order)
	}
	r := &rawArray{src: src, offset: a.Offset, size: int64(a.Type.Size), shape: a.Shape, rows: 1}
	if len(r.shape) == 0 {
		r.shape = []int64{1}
	}
	total, ok := r.size, true
	for _, n := range r.shape {
		if n < 0 {
			return nil, bad("a dimension of %d", n)
		}
		if total, ok = mulNonNegative(total, n); !ok {
			return nil, bad("shape %v overflows", a.Shape)
		}
	}
	dims := make([]uint64, len(r.shape)-1)
	r.rowBytes = r.size
	for i, n := range r.shape[1:] {
		dims[i] = uint64(n)
		if r.rowBytes, ok = mulNonNegative(r.rowBytes, n); !ok || r.rowBytes > math.MaxInt32 {
			return nil, bad("a row of shape %v of %d bytes an element", r.shape[1:], r.size)
		}
	}
	r.rows = r.shape[0]
	c := strides(r.shape, r.size, OrderC)
	switch {
	case a.Strides != nil && len(a.Shape) > 0:
		r.strides = a.Strides
	default:
		r.strides = strides(r.shape, r.size, a.Order)
	}
	r.dense = true
	for i, n := range r.shape {
		r.dense = r.dense && (n <= 1 || r.strides[i] == c[i])
	}
	if total > 0 {
		if err := r.inside(); err != nil {
			return nil, err
		}
	} else if a.Offset < 0 || a.Offset > src.Size() {
		return nil, bad("an array at byte %d of a source of %d bytes", a.Offset, src.Size())
	}
	var err error
	if r.plan, err = dtype.New(dtype.Source{Type: a.Type, Dims: dims, DType: a.DType}, a.Types); err != nil {
		return nil, err
	}
	if r.plan.Variable || r.plan.Refs || r.plan.SourceRows != 1 {
		return nil, h5err.New(h5err.Unsupported, "elements of %s outside an HDF5 file", a.Type)
	}
	if at := node.Alignment(r.plan.Arrow); r.dense && src.Mapped() && a.Align != arrowmap.AlignKeep && r.plan.Delivery == dtype.Mapped && (r.offset%int64(at) != 0 || r.rowBytes%int64(at) != 0) {
		if a.Align == arrowmap.AlignRefuse {
			return nil, h5err.New(h5err.Unsupported, "an array of %s at byte %d: the values are not aligned to their width", a.Type, a.Offset).WithHint("keep or copy them")
		}
		r.realign = true
	}
	return r, nil
}

// strides of a dense array.
func strides(shape []int64, size int64, o Order) []int64 {
	out := make([]int64, len(shape))
	step := size
	for k := range shape {
		i := len(shape) - 1 - k
		if o == OrderFortran {
			i = k
		}
		out[i] = step
		step *= max(shape[i], 1)
	}
	return out
}

func mulNonNegative(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo <= math.MaxInt64
}

// inside checks that every element lies inside the source.
func (r *rawArray) inside() error {
	lo, hi := r.offset, r.offset // offsets of the first and last element
	fail := func() error {
		return h5err.New(h5err.Argument, "shape %v with strides %v from byte %d leaves the source of %d bytes", r.shape, r.strides, r.offset, r.src.Size())
	}
	if r.offset < 0 {
		return fail()
	}
	for i, n := range r.shape {
		far, ok := mulNonNegative(n-1, max(r.strides[i], -r.strides[i]))
		if !ok || r.strides[i] == math.MinInt64 {
			return fail()
		}
		if r.strides[i] < 0 {
			if lo -= far; lo < 0 {
				return fail()
			}
		} else if hi > r.src.Size()-far {
			return fail()
		} else {
			hi += far
		}
	}
	if hi > r.src.Size()-r.size {
		return fail()
	}
	return nil
}

func (r *rawArray) access() Access {
	switch {
	case !r.src.Mapped():
		return AccessStreaming
	case r.dense && !r.realign && r.plan.Delivery == dtype.Mapped:
		return AccessMapped
	}
	return AccessGathered
}

func (r *rawArray) read(ctx context.Context, a, b int64) (arr arrow.Array, err error) {
	err = source.Guard(func() error {
		arr, err = r.build(ctx, a, b)
		return err
	})
	return arr, h5err.In(err, r.src.Name(), "")
}

func (r *rawArray) build(ctx context.Context, a, b int64) (arrow.Array, error) {
	raw := dtype.Raw{Rows: int(b - a), Row0: a}
	n := (b - a) * r.rowBytes
	env := &dtype.Env{Alloc: memory.NewGoAllocator(), OffsetSize: 8}
	if r.dense && !r.realign {
		if view, ok := r.src.View(r.offset+a*r.rowBytes, n); ok && n > 0 {
			buf := mapped.Buffer(r.src, view)
			defer buf.Release()
			raw.Bytes, raw.Owner = view, buf
			return r.plan.Build(raw, env)
		}
	}
	if n > math.MaxInt32 {
		return nil, h5err.New(h5err.Memory, "%d bytes at once", n).WithHint("read fewer rows")
	}
	buf := memory.NewResizableBuffer(env.Alloc)
	defer buf.Release()
	buf.Resize(int(n))
	raw.Bytes, raw.Owner, raw.Mutable = buf.Bytes(), buf, true
	var err error
	if r.dense {
		err = readAll(ctx, r.src, raw.Bytes, r.offset+a*r.rowBytes)
	} else {
		err = r.gather(ctx, raw.Bytes, a, b)
	}
	if err != nil {
		return nil, err
	}
	return r.plan.Build(raw, env)
}

func readAll(ctx context.Context, src *source.Source, p []byte, off int64) error {
	if len(p) == 0 {
		return nil
	}
	if n, err := src.ReadAtContext(ctx, p, off); n < len(p) {
		return h5err.In(&h5err.Error{Kind: h5err.IO, Offset: off, Msg: "read failed", Err: err}, src.Name(), "")
	}
	return nil
}

// gather collects rows [a,b) in C order.
func (r *rawArray) gather(ctx context.Context, dst []byte, a, b int64) error {
	if len(dst) == 0 {
		return nil
	}
	// The innermost dimensions that are dense are one run.
	rank, run := len(r.shape), r.size
	for rank > 1 && (r.strides[rank-1] == run || r.shape[rank-1] == 1) {
		run *= r.shape[rank-1]
		rank--
	}
	w := window{src: r.src}
	index := make([]int64, rank)
	at := r.offset + a*r.strides[0]
	for out := int64(0); out < int64(len(dst)); out += run {
		p, err := w.bytes(ctx, at, run)
		if err != nil {
			return err
		}
		copy(dst[out:out+run], p)
		for d := rank - 1; d >= 0; d-- {
			at += r.strides[d]
			n := r.shape[d]
			if d == 0 {
				n = b - a
			}
			if index[d]++; index[d] < n {
				break
			}
			at -= index[d] * r.strides[d]
			index[d] = 0
		}
	}
	return nil
}

// window reads small pieces of a source that are near each other.
type window struct {
	src *source.Source
	at  int64
	b   []byte
}

const windowBytes = 256 << 10

func (w *window) bytes(ctx context.Context, off, n int64) ([]byte, error) {
	if p, ok := w.src.View(off, n); ok {
		return p, nil
	}
	if off < w.at || off+n > w.at+int64(len(w.b)) {
		w.at = max(0, min(off, w.src.Size()-windowBytes))
		if cap(w.b) < windowBytes || n > windowBytes {
			w.b = make([]byte, max(n, min(windowBytes, w.src.Size())))
		}
		if n > windowBytes {
			w.at = off
		}
		w.b = w.b[:min(int64(cap(w.b)), w.src.Size()-w.at)]
		if err := readAll(ctx, w.src, w.b, w.at); err != nil {
			w.b = nil
			return nil, err
		}
	}
	return w.b[off-w.at : off-w.at+n], nil
}
