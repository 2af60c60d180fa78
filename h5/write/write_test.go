package write_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/write"
)

func fixed(size int, signed bool) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: h5.LittleEndian, Signed: signed, Precision: 8 * size}
}

func varString() *h5.Type {
	return &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: h5.UTF8, Base: &h5.Type{Class: h5.ClassString, Size: 1, CharSet: h5.UTF8}}
}

func texts(s ...string) (b []byte) {
	for _, v := range s {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(v))), v...)
	}
	return b
}

// h5py reads a file of each version: values through all filters, attributes, links, fill values, creation order, dimension scales,
// references; and what Append added.
func TestH5py(t *testing.T) {
	py := h5test.Python(t, "h5py", "hdf5plugin")
	if py == "" {
		t.Skip("no Python with h5py")
	}
	dir := t.TempDir()
	args := []string{"testdata/read.py"}
	for version := write.V110; version <= write.Earliest; version++ {
		name := filepath.Join(dir, version.String()+".h5")
		w, err := os.Create(name)
		must(t, err)
		f, err := write.Create(w, write.WithVersion(version))
		must(t, err)
		writeAll(t, f, version)
		must(t, f.Close())
		w.Close()
		args = append(args, name)
	}
	name := filepath.Join(dir, "appended.h5")
	newTable(t, name)
	add(t, name, 5)
	add(t, name, 20)
	if out, err := exec.Command(py, append(args, name)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func writeAll(t *testing.T, f *write.File, version write.Version) {
	t.Helper()
	for _, id := range []uint16{encode.Shuffle, encode.Deflate, encode.Fletcher32, encode.ScaleOffset, encode.LZF, encode.Blosc, encode.LZ4, encode.Bitshuffle, encode.Zstd, encode.Blosc2} {
		d, err := f.Dataset(fmt.Sprintf("/filters/%d", id), write.Spec{Type: fixed(4, true), Space: write.Shape(1000, 3), ChunkDims: []uint64{300, 2}, Filters: []h5.Filter{{ID: id}}})
		must(t, err)
		b := make([]byte, 12000)
		for i := range 3000 {
			binary.LittleEndian.PutUint32(b[4*i:], uint32(i*7%1000))
		}
		must(t, d.Write(b))
	}
	x, err := f.Dataset("/grid/x", write.Spec{Type: fixed(8, true), Space: write.Shape(4), Fill: []byte{9, 0, 0, 0, 0, 0, 0, 0}})
	must(t, err)
	must(t, x.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0}))
	must(t, x.Scale("x"))
	v, err := f.Dataset("/grid/v", write.Spec{Type: varString(), Space: write.Growing(4), ChunkDims: []uint64{3}})
	must(t, err)
	must(t, v.Write(texts("a", "", "ä", "long text")))
	must(t, v.Attach(0, x))
	r, err := f.Dataset("/refs", write.Spec{Type: &h5.Type{Class: h5.ClassReference, Size: 8}, Space: write.Shape(3)})
	must(t, err)
	must(t, r.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(make([]byte, 8), x.ID()), v.ID())))
	must(t, f.HardLink("/x2", x))
	must(t, f.SoftLink("/soft", "/grid/x"))
	for i := range 100 {
		must(t, v.Attribute(write.Attribute{Name: fmt.Sprint("a", i), Type: fixed(2, true), Space: write.Shape(2), Data: []byte{byte(i), 0, 1, 0}}))
		g, err := f.Group(fmt.Sprint("/many/g", 99-i))
		must(t, err)
		if version != write.Earliest {
			g.TrackOrder(true, true)
		}
	}
	if version != write.Earliest {
		g, err := f.Group("/many")
		must(t, err)
		g.TrackOrder(true, true)
		must(t, f.ExternalLink("/outside", "other.h5", "/there"))
	}
}
