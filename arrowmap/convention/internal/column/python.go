package column

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// maxPythonText bounds the bytes of a text that hickle or h5io stored.
const maxPythonText = 1 << 30

// python describes a text of Python that hickle or h5io (and so MNE-Python) stored byte after byte, and h5io's None. It is
// nil for other datasets.
func python(d *h5.Dataset) (convention.Values, error) {
	dims, t := d.Dims(), d.Type()
	if kind := object.Text(d, "str_type"); kind != "" && t.Class == h5.ClassString && t.Size == 1 && len(dims) == 2 && dims[0] == 1 {
		return bytesOf(d, dims[1], kind == "bytes")
	}
	if len(dims) != 1 || object.Text(d, "CLASS") != "" {
		return nil, nil
	}
	byteWide := t.Class == h5.ClassFixed && t.Size == 1 && !t.Signed
	switch object.Text(d, "TITLE") {
	case "unicode", "ascii", "json", "datetime", "date", "timezone", "class":
		if byteWide {
			return bytesOf(d, dims[0], false)
		}
	case "None":
		if dims[0] == 1 && t.Size == 1 {
			return convention.AllNull(d), nil
		}
	}
	return nil, nil
}

// bytesOf describes all bytes of a dataset as one text, or one sequence of bytes.
func bytesOf(d *h5.Dataset, n uint64, binary bool) (convention.Values, error) {
	switch {
	case n > maxPythonText:
		return nil, object.Limit(d, "text of %d bytes", n)
	case n == 0:
		return EmptyText(d), nil
	}
	p := convention.NewStored(d)
	p.As, p.OneRow = &h5.Type{Class: h5.ClassString, Size: int(n), Pad: h5.NullPad, CharSet: h5.UTF8}, true
	if binary {
		p.As = &h5.Type{Class: h5.ClassOpaque, Size: int(n)}
	}
	return p, nil
}

// Name returns the name of an object in a group as its writer's user gave it: hickle has text that is a key of a dict between
// quotes, h5io has all keys after "key_".
func Name(link string, o h5.Object) string {
	if n, ok := strings.CutPrefix(link, "key_"); ok && n != "" && object.Text(o, "TITLE") != "" && object.Text(o, "CLASS") == "" {
		return n
	}
	if n := len(link); n > 2 && link[0] == '"' && link[n-1] == '"' && object.Text(o, "key_base_type") == "str" {
		return link[1 : n-1]
	}
	return link
}

// Rows is the number of rows of a column's values.
func Rows(v convention.Values) int64 {
	switch v := v.(type) {
	case *convention.Plain:
		if v.OneRow {
			return 1
		}
	case *convention.Generated:
		return v.Rows
	case *convention.Computed:
		return v.Rows
	case *convention.Empty:
		return 0
	}
	return v.Main().Rows()
}
