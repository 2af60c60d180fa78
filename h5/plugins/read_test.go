//go:build libhdf5 && cgo && (linux || darwin || freebsd)

package plugins_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
	"github.com/h5arrow/h5arrow/h5/plugins"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// written makes a file with a dataset of each kind that matters here.
func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.h5")
	w, err := libhdf5.Create(path)
	must(t, err)
	i16, i64 := libhdf5.Int(2, true, h5.BigEndian), libhdf5.Int(8, true, h5.LittleEndian)
	text := &h5.Type{Class: h5.ClassVLen, VarString: true, Size: 16}
	record := &h5.Type{Class: h5.ClassCompound, Size: 11, Members: []h5.Member{{Name: "a", Offset: 1, Type: i16}, {Name: "b", Offset: 3, Type: i64}}}
	pair := &h5.Type{Class: h5.ClassCompound, Size: 18, Members: []h5.Member{{Name: "a", Offset: 0, Type: i16}, {Name: "t", Offset: 2, Type: text}}}
	deflate := []h5.Filter{{ID: 2, Values: []uint32{2}}, {ID: 1, Values: []uint32{6}}}
	chunked := func(t *h5.Type, dims, chunk []uint64) libhdf5.Spec {
		return libhdf5.Spec{Type: t, Space: libhdf5.Shape(dims...), ChunkDims: chunk, Filters: deflate}
	}
	must(t, w.Write("/d/i16", chunked(i16, []uint64{100, 3, 5}, []uint64{7, 2, 5}), bytesOf(3000)))
	must(t, w.Write("/d/record", chunked(record, []uint64{50}, []uint64{8}), bytesOf(550)))
	must(t, w.Write("/d/empty", chunked(i16, []uint64{0, 3}, []uint64{4, 3}), nil))
	must(t, w.Write("/text", libhdf5.Spec{Type: text, Space: libhdf5.Shape(2), ChunkDims: []uint64{2}}, libhdf5.JoinFlat("a", "bc")))
	must(t, w.Write("/pair", libhdf5.Spec{Type: pair, Space: libhdf5.Shape(2), ChunkDims: []uint64{2}}, nil))
	must(t, w.Write("/contiguous", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(6)}, bytesOf(12)))
	must(t, w.Write("/unknown", libhdf5.Spec{Type: i16, Space: libhdf5.Shape(4), ChunkDims: []uint64{4}, Filters: []h5.Filter{{ID: 399, Optional: true}}}, nil))
	must(t, w.WriteChunk("/unknown", []uint64{0}, 0, bytesOf(8)))
	must(t, w.Write("/huge", libhdf5.Spec{Type: i64, Space: libhdf5.Shape(1<<40, 1<<20), ChunkDims: []uint64{1, 1}}, nil))
	must(t, w.Group("/g"))
	must(t, w.ExternalLink("/elsewhere", filepath.Base(path), "/d/i16"))
	must(t, w.Close())
	return path
}

// TestRead compares with gonum.
func TestRead(t *testing.T) {
	path := written(t)
	oracle, err := libhdf5.Open(path)
	must(t, err)
	defer oracle.Close()
	for _, name := range []string{"/d/i16", "/d/record", "/d/empty"} {
		info, err := oracle.Dataset(name)
		must(t, err)
		n := info.Rows()
		for _, r := range [][2]int64{{0, n}, {0, 0}, {n, n}, {n / 3, n / 2}, {n - n/7, n}} {
			want, err := oracle.ReadRows(name, r[0], r[1])
			must(t, err)
			got, err := plugins.Read(path, name, r[0], r[1])
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s %v: %d bytes, %v; want %d", name, r, len(got), err, len(want))
			}
		}
	}
	v, err := plugins.Version()
	if want, _ := libhdf5.Version(); err != nil || v != want {
		t.Errorf("version %q, %v; want %q", v, err, want)
	}
}

// TestReadTogether reads from several goroutines.
func TestReadTogether(t *testing.T) {
	path := written(t)
	var wg sync.WaitGroup
	for i := range int64(8) {
		wg.Go(func() {
			got, err := plugins.Read(path, "/d/i16", i, i+20)
			if err != nil || !bytes.Equal(got, bytesOf(3000)[i*30:(i+20)*30]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if _, err := plugins.Read(path, "/unknown", 0, 4); !h5err.Is(err, h5err.Unsupported) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestErrors(t *testing.T) {
	path := written(t)
	zeros := filepath.Join(t.TempDir(), "zeros")
	must(t, os.WriteFile(zeros, make([]byte, 4096), 0o600))
	tests := []struct {
		file, dataset string
		a, b          int64
		kind          h5err.Kind
		text          string
	}{
		{path + "x", "/d/i16", 0, 1, h5err.NotFound, "no such file"},
		{zeros, "/d/i16", 0, 1, h5err.Corrupt, "libhdf5 can't open the file"},
		{path, "/nothing", 0, 1, h5err.NotFound, "object 'nothing' doesn't exist"},
		{path, "/g", 0, 1, h5err.Corrupt, "not a dataset"},
		{path, "/elsewhere", 0, 1, h5err.Corrupt, "libhdf5 can't open the dataset"},
		{path, "/contiguous", 0, 6, h5err.Unsupported, "chunked storage only"},
		{path, "/text", 0, 2, h5err.Unsupported, "point to the heap"},
		{path, "/pair", 0, 2, h5err.Unsupported, "point to the heap"},
		{path, "/unknown", 0, 4, h5err.Unsupported, "filter"},
		{path, "/huge", 0, 1 << 40, h5err.Limit, "1073741824"},
		{path, "/d/i16", 3, 2, h5err.Argument, "rows 3 to 2 of 100"},
		{path, "/d/i16", 0, 101, h5err.Argument, "rows 0 to 101 of 100"},
		{path, "/d\x00/i16", 0, 1, h5err.Argument, "NUL"},
	}
	for _, c := range tests {
		_, err := plugins.Read(c.file, c.dataset, c.a, c.b)
		if !h5err.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v %v; want %v with %q", c.dataset, h5err.KindOf(err), err, c.kind, c.text)
		}
	}
}

// TestPlugin reads what a real plugin decodes, in a process of its own: the library looks at HDF5_PLUGIN_PATH when it starts.
func TestPlugin(t *testing.T) {
	if path := os.Getenv("TEST_PLUGIN_FILE"); path != "" {
		got, err := plugins.Read(path, "/zfp", 30, 70)
		if err != nil || !bytes.Equal(got, bytesOf(800)[240:560]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		return
	}
	python := h5test.Python(t, "h5py", "hdf5plugin", "numpy")
	if python == "" {
		t.Skip("no Python with h5py and hdf5plugin")
	}
	path := filepath.Join(t.TempDir(), "zfp.h5")
	script := fmt.Sprintf(`import h5py, hdf5plugin, numpy
i = numpy.arange(800)
h5py.File(%q, "w").create_dataset("zfp", data=((i * 7 + (i >> 8)) %% 256).astype("u1").view("i8"), chunks=(16,), **hdf5plugin.Zfp(reversible=True))
print(hdf5plugin.PLUGINS_PATH)`, path)
	folder, err := exec.Command(python, "-c", script).Output()
	must(t, err)
	again := exec.Command(os.Args[0], "-test.run=^TestPlugin$")
	again.Env = append(os.Environ(), "TEST_PLUGIN_FILE="+path, "HDF5_PLUGIN_PATH="+strings.TrimSpace(string(folder)))
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
