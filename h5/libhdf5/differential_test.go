//go:build libhdf5 && cgo

package libhdf5_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/oracle"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
	"github.com/h5arrow/h5arrow/h5/source"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

// Bounds of what one comparison reads.
const (
	maxDataset = 64 << 20 // bytes of a dataset that is compared whole
	maxWindow  = 1 << 20  // bytes of a window of rows
	maxChunks  = 4096     // chunks whose places are compared: the C library needs the square of their number
)

// diff compares the pure-Go reader with the C library on one file.
type diff struct {
	t      *testing.T
	o      *oracle.Oracle
	name   string
	file   string
	f      *h5.File
	counts map[string]int
}

// TestDifferentialFixtures compares both readers on every dataset and attribute of the repository's test files.
func TestDifferentialFixtures(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	counts := compareFiles(t, h5test.Root(t), h5test.Fixtures(t))
	for what, enough := range map[string]int{"datasets": 200, "bytes compared": 1 << 20, "chunks": 500, "heap datasets": 5, "attributes": 50} {
		if counts[what] < enough {
			t.Errorf("%d %s, want at least %d", counts[what], what, enough)
		}
	}
	if n := counts["unsupported by h5"]; n > 0 {
		t.Errorf("%d datasets of our own test files are not supported", n)
	}
}

// TestDifferentialCorpus does the same on the corpus: other projects' files.
func TestDifferentialCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds, many files")
	}
	dir, files := h5test.Corpus(t), h5test.CorpusFiles(t, ".")
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	counts := compareFiles(t, dir, files)
	if enough := 1000; counts["datasets"] < enough {
		t.Errorf("%d datasets, want at least %d", counts["datasets"], enough)
	}
}

func compareFiles(t *testing.T, dir string, files []string) map[string]int {
	opts := []oracle.Option{oracle.MaxBytes(maxDataset)}
	if os.Getenv("HDF5_PLUGIN_PATH") != "" {
		opts = append(opts, oracle.Plugins())
	}
	o := oracle.Start(t, opts...)
	counts := map[string]int{}
	for _, file := range files {
		name, err := filepath.Rel(dir, file)
		must(t, err)
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			d := &diff{t: t, o: o, name: filepath.ToSlash(name), file: file, counts: counts}
			d.compareFile()
		})
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%8d %s", counts[what], what)
	}
	return counts
}

func (d *diff) count(what string, n int) { d.counts[what] += n }

// refused notes an error of ours where the C library has none. Features that are not supported are named, not failed.
func (d *diff) refused(path string, err error) {
	d.t.Helper()
	if h5err.Is(err, h5err.Unsupported) {
		d.count("unsupported by h5", 1)
		d.t.Logf("not supported: %s: %v", path, err)
		return
	}
	d.t.Errorf("%s: libhdf5 reads it: %v", path, err)
}

func (d *diff) compareFile() {
	sets, theirs := d.o.Datasets(d.file)
	f, ours := h5.Open(d.file)
	if ours != nil {
		if theirs == nil {
			d.refused("/", ours)
		}
		return
	}
	defer f.Close()
	d.f = f
	d.count("files", 1)
	if theirs != nil {
		d.count("files that libhdf5 refuses, or a part of them", 1)
		d.t.Logf("libhdf5: %v", theirs)
	}
	d.compareAttributes("/")
	for _, path := range sets {
		d.compareDataset(path)
		d.compareAttributes(path)
	}
}

func (d *diff) compareDataset(path string) {
	t := d.t
	want, theirs := d.o.Dataset(d.file, path)
	o, ours := d.f.Lookup(path)
	switch {
	case theirs != nil:
		d.count("datasets that libhdf5 refuses", 1)
		return
	case ours != nil:
		d.refused(path, ours)
		return
	}
	ds, ok := o.(*h5.Dataset)
	if !ok {
		t.Errorf("%s is a %T", path, o)
		return
	}
	d.count("datasets", 1)
	equal(t, path, "type", ds.Type().String(), want.Type.String())
	equal(t, path, "bytes of an element", ds.Type().Size, want.Type.Size)
	equal(t, path, "class of the dataspace", ds.Space().Class, want.Space.Class)
	extent, err := ds.Extent() // for a virtual dataset, libhdf5 returns the extent that its sources give
	if err != nil {
		d.refused(path, err)
		return
	}
	equal(t, path, "shape", fmt.Sprint(extent), fmt.Sprint(want.Space.Dims))
	if len(ds.Space().Max) > 0 {
		equal(t, path, "limits", fmt.Sprint(ds.Space().Max), fmt.Sprint(want.Space.Max))
	}
	if !d.compareLayout(ds, path, want) {
		return
	}
	d.compareFill(ds, path, want)
	d.compareData(ds, path, want)
}

// compareLayout reports whether the data can be compared.
func (d *diff) compareLayout(ds *h5.Dataset, path string, want *libhdf5.Info) bool {
	t := d.t
	layout, err := ds.Layout()
	if err != nil {
		d.refused(path, err)
		return false
	}
	filters, err := ds.Filters()
	if err != nil {
		d.refused(path, err)
		return false
	}
	equal(t, path, "number of filters", len(filters), len(want.Filters))
	for i := range min(len(filters), len(want.Filters)) {
		f, w := filters[i], want.Filters[i]
		equal(t, path, "filter", fmt.Sprint(f.ID, f.Optional, f.Values), fmt.Sprint(w.ID, w.Optional, w.Values))
	}
	if layout.Storage == h5.StorageNone {
		equal(t, path, "bytes stored", want.StoredSize, 0)
		return true
	}
	equal(t, path, "storage", layout.Storage, want.Storage)
	switch layout.Storage {
	case h5.StorageContiguous:
		equal(t, path, "offset", layout.Offset, want.Offset)
	case h5.StorageExternal:
		equal(t, path, "external files", fmt.Sprint(layout.External), fmt.Sprint(want.External))
	case h5.StorageVirtual:
		equal(t, path, "number of mappings", len(layout.Virtual), len(want.Virtual))
	case h5.StorageChunked:
		equal(t, path, "shape of chunks", fmt.Sprint(layout.ChunkDims), fmt.Sprint(want.ChunkDims))
		equal(t, path, "index", layout.Index, want.Index)
		equal(t, path, "raw edges", layout.RawEdges, want.RawEdges)
		d.compareChunks(ds, path, want)
	}
	return true
}

func (d *diff) compareChunks(ds *h5.Dataset, path string, want *libhdf5.Info) {
	t := d.t
	got, err := ds.Chunks()
	if err != nil {
		d.refused(path, err)
		return
	}
	if len(got) > maxChunks {
		return
	}
	theirs, err := d.o.Chunks(d.file, path)
	if err != nil {
		t.Logf("%s: libhdf5: %v", path, err)
		return
	}
	d.count("chunks", len(got))
	if want.Index == h5.IndexExtensibleArray && want.Space.Max[0] != h5.Unlimited {
		// The C library (also version 2.0) returns wrong coordinates here, although it reads the right chunks. So
		// its chunks outside the shape can't be identified.
		known := map[string]bool{}
		for _, c := range theirs {
			known[fmt.Sprint(c.Offset, c.Size, c.Mask)] = true
		}
		for _, c := range got {
			if !known[fmt.Sprint(c.Offset, c.Size, c.FilterMask)] {
				t.Errorf("%s: chunk %d at %d is not in libhdf5's list", path, c.Number, c.Offset)
			}
		}
		return
	}
	numbers := map[uint64]libhdf5.ChunkInfo{}
	for _, c := range theirs {
		n, inside := uint64(0), true
		for i, x := range c.Coord {
			dim, per := want.Space.Dims[i], want.ChunkDims[i]
			n = n*((dim+per-1)/per) + x/per
			inside = inside && x < dim
		}
		if inside { // an index may keep chunks that shrinking left outside
			numbers[n] = c
		}
	}
	equal(t, path, "number of chunks", len(got), len(numbers))
	for _, c := range got {
		w, ok := numbers[c.Number]
		if !ok {
			t.Errorf("%s: chunk %d is not in libhdf5's list", path, c.Number)
			return
		}
		equal(t, path, fmt.Sprintf("chunk %v", w.Coord), fmt.Sprint(c.Offset, c.Size, c.FilterMask), fmt.Sprint(w.Offset, w.Size, w.Mask))
	}
}

func (d *diff) compareFill(ds *h5.Dataset, path string, want *libhdf5.Info) {
	got, err := ds.Fill()
	if h5err.Is(err, h5err.Limit) && want.FillState != libhdf5.FillUser {
		return // zeros, and more of them than are worth making
	}
	if err != nil {
		d.refused(path, err)
		return
	}
	equal(d.t, path, "bytes of the fill value", len(got), ds.Type().Size)
	if want.FillState == libhdf5.FillUser && !want.HeapData() {
		d.equalBytes(path, "fill value", got, want.Fill)
	}
}

// compareData compares all rows, or some windows of them where they are many.
func (d *diff) compareData(ds *h5.Dataset, path string, want *libhdf5.Info) {
	rowBytes, err := ds.RowBytes()
	if err != nil {
		d.refused(path, err)
		return
	}
	rows := want.Rows()
	if rows == 0 || rowBytes == 0 {
		return
	}
	windows := [][2]int64{{0, rows}}
	if rows > maxDataset/rowBytes {
		n := maxWindow / rowBytes
		if n == 0 {
			d.count("datasets too large to compare", 1)
			return
		}
		windows = [][2]int64{{0, n}, {rows/2 - n/3, rows/2 + n/3}, {rows - n, rows}}
	} else if rows > 4 {
		windows = append(windows, [2]int64{rows / 3, rows - 1}) // and once more from the middle of chunks
	}
	r, err := chunk.NewReader(ds)
	if err != nil {
		d.refusedData(path, want, err)
		return
	}
	defer r.Close()
	equal(d.t, path, "rows", r.Rows(), rows)
	if want.HeapData() {
		d.count("heap datasets", 1)
	}
	for _, w := range windows {
		if !d.compareRows(ds, r, path, want, w[0], w[1]) {
			return
		}
	}
}

// refusedData is refused for data, which the C library may refuse as well.
func (d *diff) refusedData(path string, want *libhdf5.Info, err error) {
	d.t.Helper()
	if _, theirs := d.theirs(path, want, 0, min(1, want.Rows())); theirs != nil {
		d.count("datasets that both refuse to read", 1)
		return
	}
	d.refused(path, err)
}

func (d *diff) theirs(path string, want *libhdf5.Info, a, b int64) ([]byte, error) {
	if want.HeapData() {
		return d.o.ReadFlat(d.file, path, a, b)
	}
	return d.o.Read(d.file, path, a, b)
}

func (d *diff) compareRows(ds *h5.Dataset, r *chunk.Reader, path string, want *libhdf5.Info, a, b int64) bool {
	expected, theirs := d.theirs(path, want, a, b)
	got := make([]byte, (b-a)*r.RowBytes())
	ours := r.Read(context.Background(), a, b, got)
	if ours == nil && want.HeapData() {
		got, ours = resolve(nil, d.f, ds.Type(), got)
	}
	switch {
	case theirs != nil && ours != nil:
		d.count("datasets that both refuse to read", 1)
		return false
	case theirs != nil:
		d.count("datasets that libhdf5 refuses to read", 1)
		d.t.Logf("libhdf5: %v", theirs)
		return false
	case ours != nil:
		d.refused(path, ours)
		return false
	}
	d.count("bytes compared", len(expected))
	return d.equalBytes(path, fmt.Sprintf("rows %d to %d", a, b), got, expected)
}

func (d *diff) compareAttributes(path string) {
	t := d.t
	want, theirs := d.o.Attributes(d.file, path)
	o, ours := d.f.Lookup(path)
	if theirs != nil || ours != nil {
		return
	}
	got, err := o.Attributes()
	if err != nil {
		d.refused(path, err)
		return
	}
	got = slices.Clone(got)
	slices.SortFunc(got, func(a, b *h5.Attribute) int { return strings.Compare(a.Name, b.Name) })
	equal(t, path, "number of attributes", len(got), len(want))
	for i := range min(len(got), len(want)) {
		a, w := got[i], want[i]
		at := path + "@" + w.Name
		equal(t, at, "name", a.Name, w.Name)
		equal(t, at, "type", a.Type().String(), w.Type.String())
		equal(t, at, "shape", fmt.Sprint(a.Space().Class, a.Space().Dims), fmt.Sprint(w.Space.Class, w.Space.Dims))
		raw, err := a.Raw(), error(nil)
		if heapData(a.Type()) {
			raw, err = resolve(nil, d.f, a.Type(), raw)
		}
		if err != nil {
			d.refused(at, err)
			continue
		}
		d.equalBytes(at, "value", raw, w.Data)
		d.count("attributes", 1)
	}
}

func (d *diff) equalBytes(path, what string, got, want []byte) bool {
	d.t.Helper()
	if bytes.Equal(got, want) {
		return true
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	show := func(b []byte) []byte { return b[min(at, len(b)):min(at+16, len(b))] }
	d.t.Errorf("%s: %s: %d and %d bytes differ from byte %d on: got %x, libhdf5 %x", path, what, len(got), len(want), at, show(got), show(want))
	return false
}

func equal[T comparable](t *testing.T, path, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s: got %v, libhdf5 %v", path, what, got, want)
	}
}

func heapData(typ *h5.Type) bool { return (&libhdf5.Info{Type: typ}).HeapData() }

// resolve appends the flat form of elements as the file stores them: the naive way, one heap object at a time.
func resolve(out []byte, f *h5.File, t *h5.Type, raw []byte) ([]byte, error) {
	var err error
	for ; len(raw) >= t.Size; raw = raw[t.Size:] {
		e := raw[:t.Size]
		switch {
		case t.Class == h5.ClassCompound:
			for _, m := range t.Members {
				if out, err = resolve(out, f, m.Type, e[m.Offset:m.Offset+m.Type.Size]); err != nil {
					return nil, err
				}
			}
		case t.Class == h5.ClassArray:
			if out, err = resolve(out, f, t.Base, e); err != nil {
				return nil, err
			}
		case t.Class == h5.ClassVLen:
			n := int(binary.LittleEndian.Uint32(e))
			var addr [8]byte
			copy(addr[:], e[4:len(e)-4])
			var object []byte
			if a := binary.LittleEndian.Uint64(addr[:]); n > 0 && a != 0 {
				if object, err = f.HeapReader().Object(a, binary.LittleEndian.Uint32(e[len(e)-4:])); err != nil {
					return nil, err
				}
			}
			size := 1
			if !t.VarString {
				size = t.Base.Size
			}
			if n*size > len(object) {
				return nil, errors.New("a heap object is too short")
			}
			object = object[:n*size]
			if t.VarString {
				// The C library returns C strings.
				if i := bytes.IndexByte(object, 0); i >= 0 {
					object = object[:i]
				}
				out = binary.LittleEndian.AppendUint64(out, uint64(len(object)))
				out = append(out, object...)
				continue
			}
			out = binary.LittleEndian.AppendUint64(out, uint64(n))
			if out, err = resolve(out, f, t.Base, object); err != nil {
				return nil, err
			}
		default:
			out = append(out, e...)
		}
	}
	return out, nil
}
