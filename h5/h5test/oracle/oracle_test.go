//go:build libhdf5 && cgo

package oracle

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestAnswers(t *testing.T) {
	h5test.Leaks(t)
	path := t.TempDir() + "/t.h5"
	w, err := libhdf5.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte{1, 2, 3, 4, 5, 6}
	spec := libhdf5.Spec{Type: libhdf5.Int(2, true, h5.BigEndian), Space: libhdf5.Shape(3), ChunkDims: []uint64{2}}
	if err := w.Write("/a/d", spec, data); err != nil {
		t.Fatal(err)
	}
	if err := w.StringAttribute("/a", "k", "v"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	o := Start(t)
	sets, err := o.Datasets(path)
	if err != nil || len(sets) != 1 || sets[0] != "/a/d" {
		t.Errorf("datasets: %q, %v", sets, err)
	}
	info, err := o.Dataset(path, "/a/d")
	if err != nil || info.Type.Order != h5.BigEndian || info.Rows() != 3 {
		t.Errorf("dataset: %+v, %v", info, err)
	}
	for _, read := range []func(string, string, int64, int64) ([]byte, error){o.Read, o.ReadFlat} {
		got, err := read(path, "/a/d", 1, math.MaxInt64)
		if err != nil || !bytes.Equal(got, data[2:]) {
			t.Errorf("rows from 1: %x, %v", got, err)
		}
	}
	chunks, err := o.Chunks(path, "/a/d")
	if err != nil || len(chunks) != 2 {
		t.Fatalf("chunks: %v, %v", chunks, err)
	}
	if got, mask, err := o.ReadChunk(path, "/a/d", chunks[0].Coord); err != nil || mask != 0 || !bytes.Equal(got, data[:4]) {
		t.Errorf("chunk: %x, %v", got, err)
	}
	attrs, err := o.Attributes(path, "/a")
	if err != nil || len(attrs) != 1 || attrs[0].Name != "k" {
		t.Errorf("attributes: %v, %v", attrs, err)
	}
	if _, err := o.Dataset(path, "/b"); !h5err.Is(err, h5err.NotFound) {
		t.Errorf("missing dataset: %v", err)
	}
}

func TestSurvives(t *testing.T) {
	h5test.Leaks(t)
	path := h5test.Fixture(t, "sample.h5")
	o := Start(t, Timeout(300*time.Millisecond))
	if _, err := o.ask(question{Verb: verbHang}); err == nil || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("a hang: %v", err)
	}
	o.timeout = time.Minute
	if _, err := o.ask(question{Verb: verbCrash}); err == nil || !strings.Contains(err.Error(), "died: exit status 3") {
		t.Errorf("a crash: %v", err)
	}
	if sets, err := o.Datasets(path); err != nil || len(sets) == 0 {
		t.Errorf("after them: %d datasets, %v", len(sets), err)
	}
}
