package flight

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// vast writes a table of two columns of which nothing is stored.
func vast(t *testing.T, spec write.Spec) string {
	t.Helper()
	return written.File(t, filepath.Join(t.TempDir(), "vast.h5"), func(f *write.File) error {
		for _, name := range []string{"/t/a", "/t/b"} {
			if _, err := f.Dataset(name, spec); err != nil {
				return err
			}
		}
		return nil
	})
}

var float64s = &h5.Type{Class: h5.ClassFloat, Size: 8, Order: h5.LittleEndian, Precision: 64, Float: &h5.FloatFields{Sign: 63, ExpLoc: 52, ExpSize: 11, MantSize: 52, Bias: 1023, Norm: 2}}

// Tables of which nothing was ever written are served as fill values, however large they are: no number overflows, and what is
// made fits the memory of a stream.
func TestNeverWritten(t *testing.T) {
	leaks(t)
	opaque := &h5.Type{Class: h5.ClassOpaque, Size: 60000}
	for _, c := range []struct {
		name  string
		spec  write.Spec
		bytes int64
	}{
		{"small", write.Spec{Type: float64s, Space: write.Shape(1000), Storage: h5.StorageNone}, 16000},
		{"chunks that are larger than a stream's memory", write.Spec{Type: float64s, Space: write.Shape(1 << 40), ChunkDims: []uint64{1 << 24}, Index: h5.IndexBTree1}, 1 << 44},
		{"more than 2^63 bytes", write.Spec{Type: opaque, Space: write.Shape(1 << 47), Storage: h5.StorageNone}, -1},
	} {
		p := serve(t, []string{vast(t, c.spec)}, WithWorkers(2))
		client := p.dial(t)
		info, err := client.GetFlightInfo(context.Background(), pathOf("vast.h5", "/t"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		rows := int64(c.spec.Space.Dims[0])
		if n := len(info.Endpoint); info.TotalBytes != c.bytes || info.TotalRecords != rows || n < 1 || n > maxEndpoints {
			t.Errorf("%s: %d bytes, %d rows, %d endpoints", c.name, info.TotalBytes, info.TotalRecords, n)
		}
		r := open(t, client, info.Endpoint[len(info.Endpoint)-1].Ticket)
		if !r.Next() {
			t.Fatalf("%s: %v", c.name, r.Err())
		}
		if s := p.Stats(); c.spec.ChunkDims != nil && s.Memory < minReader {
			t.Errorf("%s: %d bytes count, but chunks that are made need more", c.name, s.Memory)
		}
		switch a := r.RecordBatch().Column(1).(type) {
		case *array.Float64:
			if a.Len() == 0 || a.Value(a.Len()-1) != 0 {
				t.Errorf("%s: %d values", c.name, a.Len())
			}
		case *array.FixedSizeBinary:
			if a.Len() == 0 || a.Value(a.Len() - 1)[59999] != 0 {
				t.Errorf("%s: %d values", c.name, a.Len())
			}
		default:
			t.Errorf("%s: %s", c.name, a.DataType())
		}
		r.Release()
	}
}

// Also where a client asks for messages of so many rows.
func TestNeverWrittenRows(t *testing.T) {
	leaks(t)
	p := serve(t, []string{vast(t, write.Spec{Type: float64s, Space: write.Shape(1 << 23), ChunkDims: []uint64{1 << 23}, Index: h5.IndexBTree1})})
	got, _ := pull(t, p.dial(t), commandOf(`{"file": "vast.h5", "table": "/t", "batch_rows": 100000}`))
	defer got.release()
	if got.rows != 1<<23 || got.sizes[0] != 100000 {
		t.Errorf("%d rows in messages of %d", got.rows, got.sizes[0])
	}
}
