package arrowmap_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// The corpus holds files of other projects, with what h5py reads in them. The test is about every dataset in it.

// corpusFile is one line of the corpus' list.
type corpusFile struct {
	Path    string
	Objects []corpusObject
}

type corpusObject struct {
	Path, Kind, H5type, Layout, How, Sum string
	Shape                                []uint64
	Chunks                               []uint64
	Offset                               *int64
	Filters                              [][]any
	Fields                               map[string]struct{ How, Sum string }
	Read_error, Type_error               string
}

func corpus(t *testing.T) (dir string, files []corpusFile) {
	dir = h5test.Corpus(t)
	list, err := os.Open(filepath.Join(dir, "expected.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	s := bufio.NewScanner(list)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var f corpusFile
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(f.Path, "bad/") {
			files = append(files, f)
		}
	}
	if s.Err() != nil || len(files) == 0 {
		t.Fatalf("the corpus' list: %v", s.Err())
	}
	return dir, files
}

// exceptions is the list of what differs, and why: lines of file, object, reason, separated by tabs.
func exceptions(t *testing.T) map[string]string {
	b, err := os.ReadFile("testdata/corpus-exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		p := strings.Split(line, "\t")
		if len(p) != 3 {
			t.Fatalf("an exception has a file, an object and a reason: %q", line)
		}
		out[p[0]+" "+p[1]] = p[2]
	}
	return out
}

// TestCorpus holds what this package says of every dataset of the corpus, and reads in it, against what h5py did. The
// list of exceptions must be exact.
func TestCorpus(t *testing.T) {
	dir, files := corpus(t)
	except := exceptions(t)
	used := map[string]bool{}
	described, read := 0, 0
	for _, cf := range files {
		f, err := arrowmap.Open(filepath.Join(dir, cf.Path), arrowmap.WithTypes(dtype.Options{Strings: dtype.StringsBinary, Enum: dtype.EnumValues}))
		if err != nil {
			t.Errorf("%s: %v", cf.Path, err)
			continue
		}
		for _, o := range cf.Objects {
			if o.Kind != "dataset" {
				continue
			}
			key := cf.Path + " " + o.Path
			bad := describes(f, &o)
			described++
			if bad == "" && o.Read_error == "" && o.How != "" {
				bad = reads(f, &o)
				read++
			}
			if _, ok := except[key]; ok {
				used[key] = true
				if bad == "" {
					t.Errorf("%s: an exception (%s) that is no longer needed", key, except[key])
				}
				continue
			}
			if bad != "" {
				t.Errorf("%s: %s", key, bad)
			}
		}
		f.Close()
	}
	for k := range except {
		if !used[k] {
			t.Errorf("exception %s names nothing in the corpus", k)
		}
	}
	t.Logf("%d datasets described, %d of them read, %d exceptions", described, read, len(except))
}

// describes compares type, shape, storage and filters.
func describes(f *arrowmap.File, o *corpusObject) string {
	obj, err := f.H5().Lookup(o.Path)
	if err != nil {
		return err.Error()
	}
	d, ok := obj.(*h5.Dataset)
	if !ok {
		return "no dataset"
	}
	c := f.Describe(d)
	if c.HDF5Type != o.H5type && o.Type_error == "" {
		return fmt.Sprintf("type %s, not %s", c.HDF5Type, o.H5type)
	}
	if !slices.Equal(c.Shape, o.Shape) {
		return fmt.Sprintf("shape %v, not %v", c.Shape, o.Shape)
	}
	want := o.Layout
	if c.Storage == h5.StorageNone && want == "contiguous" && o.Offset == nil {
		want = "none"
	}
	if c.Storage.String() != want {
		return fmt.Sprintf("storage %s, not %s: %v", c.Storage, want, c.Err)
	}
	if len(c.Filters) != len(o.Filters) {
		return fmt.Sprintf("%d filters, not %d", len(c.Filters), len(o.Filters))
	}
	for i, fl := range c.Filters {
		if id := o.Filters[i][0].(float64); float64(fl.ID) != id {
			return fmt.Sprintf("filter %d, not %v", fl.ID, id)
		}
	}
	if o.Layout == "chunked" {
		l, err := d.Layout()
		if err != nil || !slices.Equal(l.ChunkDims, o.Chunks) {
			return fmt.Sprintf("chunks %v, not %v: %v", l, o.Chunks, err)
		}
	}
	return ""
}

// reads compares the values by the corpus' sums.
func reads(f *arrowmap.File, o *corpusObject) string {
	tab, err := f.Datasets(o.Path)
	if err != nil {
		return err.Error()
	}
	sums := map[string]*summer{}
	r, err := tab.Reader(context.Background(), arrowmap.WithMaxMemory(1<<30))
	if err != nil {
		return fmt.Sprintf("%v: %v", h5err.KindOf(err), err)
	}
	defer r.Release()
	typ := r.Schema().Field(0).Type
	if o.How == "null" {
		if r.Next() || r.Err() != nil {
			return fmt.Sprintf("rows of a null dataspace: %v", r.Err())
		}
		return ""
	}
	how := map[string]string{"": o.How}
	want := map[string]string{"": o.Sum}
	if o.How == "compound" {
		how, want = map[string]string{}, map[string]string{}
		for k, v := range o.Fields {
			how[k], want[k] = v.How, v.Sum
		}
	}
	start(sums, how, typ)
	for r.Next() {
		add(sums, how, "", r.RecordBatch().Column(0))
	}
	if r.Err() != nil {
		return fmt.Sprintf("%v: %v", h5err.KindOf(r.Err()), r.Err())
	}
	for k, s := range sums {
		if got := hex.EncodeToString(s.h.Sum(nil)); got != want[k] {
			return fmt.Sprintf("values of %q (%s as %s) differ", k, how[k], typ)
		}
	}
	if len(sums) != len(want) {
		return fmt.Sprintf("%d members, not %d", len(sums), len(want))
	}
	return ""
}

type summer struct {
	h     hash.Hash
	first bool
}

func start(sums map[string]*summer, how map[string]string, _ arrow.DataType) {
	for k := range how {
		sums[k] = &summer{h: sha256.New(), first: true}
	}
}

// add walks structs by dotted names and sums up the leaves.
func add(sums map[string]*summer, how map[string]string, name string, a arrow.Array) {
	if s := sums[name]; s != nil {
		s.values(how[name], a)
		return
	}
	switch a := a.(type) {
	case *array.Struct:
		t := a.DataType().(*arrow.StructType)
		for i := range a.NumField() {
			n := t.Field(i).Name
			if name != "" {
				n = name + "." + n
			}
			add(sums, how, n, a.Field(i))
		}
	case *array.FixedSizeList:
		in := items(a)
		defer in.Release()
		add(sums, how, name, in)
	}
}

// items is the items of the rows that a slice of lists has. The caller releases them.
func items(a *array.FixedSizeList) arrow.Array {
	n := int64(a.DataType().(*arrow.FixedSizeListType).Len())
	off := int64(a.Data().Offset())
	return array.NewSlice(a.ListValues(), off*n, (off+int64(a.Len()))*n)
}

func (s *summer) values(how string, a arrow.Array) {
	if l, ok := a.(*array.FixedSizeList); ok {
		in := items(l)
		defer in.Release()
		s.values(how, in)
		return
	}
	switch how {
	case "str", "ref":
		for i := range a.Len() {
			if !s.first {
				s.h.Write([]byte{0})
			}
			s.first = false
			s.h.Write(textOf(a, i))
		}
	case "vlen":
		l, ok := a.(*array.List)
		if !ok {
			return
		}
		for i := range a.Len() {
			lo, hi := l.ValueOffsets(i)
			s.h.Write(binary.LittleEndian.AppendUint64(nil, uint64(hi-lo)))
			part := array.NewSlice(l.ListValues(), lo, hi)
			defer part.Release()
			if inner, ok := part.(*array.List); ok { // lists of lists: as numpy prints the inner ones
				s.h.Write(printed(inner))
				continue
			}
			if _, text := textArray(part); text {
				for k := range part.Len() {
					s.h.Write(append(textOf(part, k), 0))
				}
				continue
			}
			s.h.Write(numberBytes(part))
		}
	default:
		s.h.Write(numberBytes(a))
	}
}

// printed is each list of integers as numpy prints it: right-aligned. It does not break long ones into lines.
func printed(l *array.List) []byte {
	var out []byte
	for i := range l.Len() {
		lo, hi := l.ValueOffsets(i)
		width := 0
		for k := lo; k < hi; k++ {
			width = max(width, len(l.ListValues().ValueStr(int(k))))
		}
		var words []string
		for k := lo; k < hi; k++ {
			words = append(words, fmt.Sprintf("%*s", width, l.ListValues().ValueStr(int(k))))
		}
		out = append(out, "["+strings.Join(words, " ")+"]\x00"...)
	}
	return out
}

func textArray(a arrow.Array) ([]byte, bool) {
	switch a.(type) {
	case *array.Binary, *array.String, *array.LargeString, *array.LargeBinary:
		return nil, true
	}
	return nil, false
}

func textOf(a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Binary:
		return slices.Clone(a.Value(i))
	case *array.String:
		return []byte(a.Value(i))
	}
	return []byte(a.ValueStr(i))
}

// numberBytes is the values' bytes, little-endian, in C order.
func numberBytes(a arrow.Array) []byte {
	switch a := a.(type) {
	case *array.FixedSizeList:
		in := items(a)
		defer in.Release()
		return numberBytes(in)
	case *array.Boolean:
		out := make([]byte, a.Len())
		for i := range out {
			if a.Value(i) {
				out[i] = 1
			}
		}
		return out
	case *array.Struct: // complex numbers
		var parts [][]byte
		for i := range a.NumField() {
			parts = append(parts, numberBytes(a.Field(i)))
		}
		if a.Len() == 0 {
			return nil
		}
		w := len(parts[0]) / a.Len()
		var out []byte
		for i := range a.Len() {
			for _, p := range parts {
				out = append(out, p[i*w:(i+1)*w]...)
			}
		}
		return out
	case *array.Timestamp, *array.Duration:
		out := slices.Clone(fixedBytes(a))
		for i := range a.Len() {
			if a.IsNull(i) {
				binary.LittleEndian.PutUint64(out[8*i:], uint64(math.MaxInt64)+1) // NaT
			}
		}
		return out
	}
	return fixedBytes(a)
}

func fixedBytes(a arrow.Array) []byte {
	t, ok := a.DataType().(arrow.FixedWidthDataType)
	if !ok || a.Len() == 0 || a.Data().Buffers()[1] == nil {
		return nil
	}
	w := t.BitWidth() / 8
	return a.Data().Buffers()[1].Bytes()[a.Data().Offset()*w : (a.Data().Offset()+a.Len())*w]
}
