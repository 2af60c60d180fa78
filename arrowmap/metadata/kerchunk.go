package metadata

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Kerchunk writes a reference file (kerchunk's version 1) from which zarr, xarray and fsspec read the datasets of f without HDF5: its
// groups and arrays in the form of Zarr 2, with consolidated metadata, and for each chunk where it lies in the file at url. It returns an error for each dataset
// that Zarr can't represent, which is left out: values of variable length, references, filters that numcodecs lacks, data in other files.
//
// Dimensions have the names of dimension scales (_ARRAY_DIMENSIONS), others are phony_dim_0 and so on in each group. The fill value of an
// array is the attribute _FillValue, else that of HDF5 if it is needed: if it is not zero and chunks are missing.
func Kerchunk(ctx context.Context, w io.Writer, f *h5.File, url string) (left []error, err error) {
	k := &references{w: bufio.NewWriterSize(w, 64<<10), url: url, names: map[uint64]string{}, documents: map[string]json.RawMessage{}}
	var objects []h5.Object
	var sets []*h5.Dataset
	err = f.Walk(func(o h5.Object) error {
		objects = append(objects, o)
		if d, ok := o.(*h5.Dataset); ok {
			sets = append(sets, d)
			k.names[d.Address()] = d.Path()
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	f.GatherChunks(sets...)
	k.text(`{"version": 1, "refs": {`)
	for _, o := range objects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch o := o.(type) {
		case *h5.Group:
			k.group(o)
		case *h5.Dataset:
			if err := k.dataset(o); err != nil {
				left = append(left, h5err.About(err, o))
			}
		}
	}
	k.document(".zmetadata", map[string]any{"zarr_consolidated_format": 1, "metadata": k.documents})
	k.text("\n}}\n")
	if k.err == nil {
		k.err = k.w.Flush()
	}
	return left, errors.Join(k.err, f.Source().Changed(ctx))
}

// references writes the entries of a reference file.
type references struct {
	w         *bufio.Writer
	err       error
	url       string
	names     map[uint64]string           // paths of datasets by address
	some      bool                        // entry was written
	documents map[string]json.RawMessage  // the entries that are JSON documents
	phony     map[string]map[phony]string // by group
}

func (k *references) text(s string) {
	if k.err == nil {
		_, k.err = k.w.WriteString(s)
	}
}

// put writes an entry. value is JSON.
func (k *references) put(key, value string) {
	if k.some {
		k.text(",")
	}
	k.some = true
	k.text("\n" + quoted(key) + ": " + value)
}

// document writes an entry that is a JSON document of its own.
func (k *references) document(key string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		k.err = errors.Join(k.err, err)
		return
	}
	k.documents[key] = b
	k.put(key, quoted(string(b)))
}

// quoted returns a text as JSON.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// key returns the key of something of an object.
func key(path, name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, "/")+"/"+name, "/")
}

func (k *references) group(g *h5.Group) {
	k.document(key(g.Path(), ".zgroup"), map[string]int{"zarr_format": 2})
	if attrs := attributes(g); len(attrs) > 0 {
		k.document(key(g.Path(), ".zattrs"), attrs)
	}
}

// hidden are attributes that say in HDF5 what is said in another way here.
var hidden = []string{"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties", "_nc3_strict", "_FillValue"}

// attributes returns the attributes of an object that JSON can hold.
func attributes(o h5.Object) map[string]any {
	out := map[string]any{}
	list, _ := o.Attributes() // those that can be read
	for _, a := range list {
		switch a.Type().Class {
		case h5.ClassString, h5.ClassFixed, h5.ClassFloat, h5.ClassVLen, h5.ClassEnum:
		default:
			continue
		}
		v, ok := attr.Value(a)
		if _, raw := v.(map[string]string); ok && !raw && !slices.Contains(hidden, a.Name) {
			out[a.Name] = v
		}
	}
	return out
}

// zarray is the metadata of an array of Zarr 2.
type zarray struct {
	Chunks     []uint64         `json:"chunks"`
	Compressor any              `json:"compressor"`
	DType      any              `json:"dtype"`
	Fill       any              `json:"fill_value"`
	Filters    []map[string]any `json:"filters"`
	Order      string           `json:"order"`
	Shape      []uint64         `json:"shape"`
	Format     int              `json:"zarr_format"`
}

// dataset writes the entries of a dataset, none if it returns an error.
func (k *references) dataset(d *h5.Dataset) error {
	z := zarray{Order: "C", Format: 2, Shape: append([]uint64{}, d.Dims()...)}
	if d.Space().Class == h5.SpaceNull {
		return refuse("a null dataspace")
	}
	var err error
	if z.DType, err = dtypeOf(d.Type(), 0); err != nil {
		return err
	}
	l, err := d.Layout()
	if err != nil {
		return err
	}
	chunks, err := placed(d, l, &z)
	if err != nil {
		return err
	}
	if z.Fill, err = fill(d, l, chunks, &z); err != nil {
		return err
	}
	k.document(key(d.Path(), ".zarray"), z)
	attrs := attributes(d)
	attrs["_ARRAY_DIMENSIONS"] = k.dimensions(d)
	k.document(key(d.Path(), ".zattrs"), attrs)
	if l.Storage == h5.StorageCompact {
		k.put(key(d.Path(), chunkName(0, &z)), quoted("base64:"+base64.StdEncoding.EncodeToString(l.Data)))
	}
	url := quoted(k.url)
	for _, c := range chunks {
		k.put(key(d.Path(), chunkName(c.Number, &z)), fmt.Sprintf("[%s, %d, %d]", url, c.Offset, c.Size))
	}
	return nil
}

func refuse(format string, args ...any) error {
	return h5err.New(h5err.Unsupported, "Zarr can't represent "+format, args...)
}

// chunkName returns the name of chunk number n in row-major order.
func chunkName(n uint64, z *zarray) string {
	if len(z.Shape) == 0 {
		return "0"
	}
	parts := make([]string, len(z.Shape))
	for i := len(parts) - 1; i >= 0; i-- {
		count := max(1, (z.Shape[i]-1)/z.Chunks[i]+1)
		parts[i] = strconv.FormatUint(n%count, 10)
		n /= count
	}
	return strings.Join(parts, ".")
}

// placed returns where the chunks of a dataset lie, and sets their shape and their filters.
func placed(d *h5.Dataset, l *h5.Layout, z *zarray) ([]h5.Chunk, error) {
	z.Chunks = make([]uint64, len(z.Shape))
	for i, n := range z.Shape {
		z.Chunks[i] = max(n, 1)
	}
	empty := slices.Contains(z.Shape, 0)
	switch l.Storage {
	case h5.StorageNone, h5.StorageCompact:
		return nil, nil
	case h5.StorageContiguous:
		if empty {
			return nil, nil
		}
		return []h5.Chunk{{Offset: l.Offset, Size: l.Size}}, nil
	case h5.StorageChunked:
	default:
		return nil, refuse("%s storage", l.Storage)
	}
	z.Chunks = l.ChunkDims
	if l.Element != 0 {
		return nil, refuse("elements of another size than their type has")
	}
	filters, err := d.Filters()
	if err != nil {
		return nil, err
	}
	if z.Filters, err = codecs(filters); err != nil {
		return nil, err
	}
	if empty {
		return nil, nil
	}
	for i := range z.Shape {
		if l.RawEdges && len(filters) > 0 && z.Shape[i]%z.Chunks[i] != 0 {
			return nil, refuse("chunks at the edges that are not filtered")
		}
	}
	chunks, err := d.Chunks()
	for _, c := range chunks {
		if c.FilterMask != 0 {
			return nil, refuse("chunks that are not all filtered")
		}
	}
	return chunks, err
}
