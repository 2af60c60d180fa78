package arrowmap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// open opens a fixture and closes it at the end of the test.
func open(t testing.TB, name string, opts ...arrowmap.Option) *arrowmap.File {
	t.Helper()
	f, err := arrowmap.Open(h5test.Fixture(t, name), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func table(t testing.TB, f *arrowmap.File, path string) *arrowmap.Table {
	t.Helper()
	tab, err := f.Table(path)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// stream writes everything that a reader gives as one IPC stream.
func stream(t testing.TB, tab *arrowmap.Table, opts ...arrowmap.ReadOption) []byte {
	t.Helper()
	r, err := tab.Reader(context.Background(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(r.Schema()))
	for r.Next() {
		if err := w.Write(r.RecordBatch()); err != nil {
			t.Fatal(err)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMappedByIdentity shows that a mapped column's buffers are the mapping, and that nothing was allocated for them.
func TestMappedByIdentity(t *testing.T) {
	f := open(t, "sample.h5")
	tab := table(t, f, "")
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	r, err := tab.Reader(context.Background(), arrowmap.WithAllocator(mem))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	rec := r.RecordBatch()
	mapped := 0
	report := r.Report()
	for i, c := range tab.Columns() {
		if c.Delivery != dtype.Mapped || c.Storage != h5.StorageContiguous {
			continue
		}
		o, err := f.H5().Lookup(c.Path)
		if err != nil {
			t.Fatal(err)
		}
		l, err := o.(*h5.Dataset).Layout()
		if err != nil {
			t.Fatal(err)
		}
		want, ok := f.H5().Source().View(l.Offset, l.Size)
		if !ok {
			t.Fatal("the file is not mapped")
		}
		bufs := rec.Column(i).Data().Buffers()
		values := bufs[len(bufs)-1].Bytes()
		if unsafe.SliceData(values) != unsafe.SliceData(want) {
			t.Errorf("%s: the values are not the file's bytes", c.Name)
		}
		maxCopied := int64(0)
		if rec.Column(i).NullN() > 0 { // NaT: the validity bits, in whole cache lines
			maxCopied = rec.NumRows()/8 + 64
		}
		if n := report[i].CopiedBytes; n > maxCopied && c.Nulls == nil {
			t.Errorf("%s: mapped, and %d bytes were copied", c.Name, n)
		}
		mapped++
	}
	if mapped < 3 {
		t.Errorf("only %d columns are mapped", mapped)
	}
}

// TestTextMapsAllBuffers shows it for offsets and bytes of text.
func TestTextMapsAllBuffers(t *testing.T) {
	f := open(t, "vaex.h5")
	tab := table(t, f, "")
	r, err := tab.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	whole, _ := f.H5().Source().View(0, f.H5().Source().Size())
	inside := func(p []byte) bool {
		a, lo := uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
		return a >= lo && a+uintptr(len(p)) <= lo+uintptr(len(whole))
	}
	seen, bitmaps := 0, 0
	for i, c := range tab.Columns() {
		if c.Metadata["h5arrow.dtype"] != "str" || c.Delivery != dtype.Mapped {
			continue
		}
		seen++
		for k, b := range r.RecordBatch().Column(i).Data().Buffers() {
			if b == nil {
				continue
			}
			if k == 0 {
				bitmaps++
				continue // mapped unless bits after the last one are set
			}
			if !inside(b.Bytes()) {
				t.Errorf("%s: buffer %d is not part of the file", c.Name, k)
			}
		}
	}
	if seen == 0 || bitmaps == 0 {
		t.Errorf("%d columns of text, %d of them with nulls: the fixture shows nothing", seen, bitmaps)
	}
}

// TestArraysOutliveClose reads an array after everything else is closed, and sees the last mapping go with it.
func TestArraysOutliveClose(t *testing.T) {
	before := source.LiveMappings()
	f, err := arrowmap.Open(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	tab := table(t, f, "")
	r, err := tab.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() {
		t.Fatal(r.Err())
	}
	rec := r.RecordBatch()
	rec.Retain()
	text := fmt.Sprint(rec.Column(0))
	r.Release()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rec.Column(0)); got != text {
		t.Error("the array changed when the file was closed")
	}
	if source.LiveMappings() <= before {
		t.Error("nothing is mapped any more, though an array is held")
	}
	rec.Release()
	if n := source.LiveMappings(); n != before {
		t.Errorf("%d mappings are left, there were %d", n, before)
	}
}

// TestWorkersAndPaths shows that the bytes that come out depend neither on the number of workers nor on the mapping.
func TestWorkersAndPaths(t *testing.T) {
	for _, name := range []string{"sample.h5", "vaex.h5", "vaex_hand.h5"} {
		want := stream(t, table(t, open(t, name), ""), arrowmap.WithBatchRows(1000), arrowmap.WithWorkers(1))
		for _, workers := range []int{2, 3, 8} {
			if got := stream(t, table(t, open(t, name), ""), arrowmap.WithBatchRows(1000), arrowmap.WithWorkers(workers)); !bytes.Equal(got, want) {
				t.Errorf("%s: %d workers give other bytes than one", name, workers)
			}
		}
		read := records(t, stream(t, table(t, open(t, name, arrowmap.WithoutMapping()), ""), arrowmap.WithBatchRows(1000)))
		sameRecords(t, name+" without a mapping", read, records(t, want))
		aligned := records(t, stream(t, table(t, open(t, name, arrowmap.WithAlign(arrowmap.AlignCopy)), ""), arrowmap.WithBatchRows(1000)))
		sameRecords(t, name+" aligned", aligned, records(t, want))
	}
}

func records(t testing.TB, b []byte) []arrow.RecordBatch {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var out []arrow.RecordBatch
	for r.Next() {
		rec := r.RecordBatch()
		rec.Retain()
		out = append(out, rec)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out
}

func sameRecords(t *testing.T, what string, got, want []arrow.RecordBatch) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d batches, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if !array.RecordEqual(got[i], want[i]) {
			t.Errorf("%s: batch %d differs", what, i)
			return
		}
	}
}

// TestBatchesAreSlices compares every way to cut the rows with the whole.
func TestBatchesAreSlices(t *testing.T) {
	f := open(t, "vaex_hand.h5")
	tables, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range tables {
		rows := tab.Rows()
		whole := concat(t, records(t, stream(t, tab)))
		for _, size := range []int64{1, 7, 63, 64, 65} {
			sameRecords(t, fmt.Sprintf("%s in batches of %d", tab.Path(), size),
				concat(t, records(t, stream(t, tab, arrowmap.WithBatchRows(size)))), whole)
		}
		for _, ab := range [][2]int64{{0, 0}, {1, 2}, {3, min(20, rows)}, {rows, rows}, {rows / 2, -1}} {
			sub, err := tab.Slice(ab[0], ab[1])
			if err != nil {
				t.Fatalf("%s %v: %v", tab.Path(), ab, err)
			}
			b := ab[1]
			if b < 0 {
				b = rows
			}
			got := concat(t, records(t, stream(t, sub, arrowmap.WithBatchRows(9))))
			if b == ab[0] {
				if len(got) != 0 {
					t.Errorf("%s %v: rows where there are none", tab.Path(), ab)
				}
				continue
			}
			sameRecords(t, fmt.Sprintf("%s rows %v", tab.Path(), ab), got, []arrow.RecordBatch{whole[0].NewSlice(ab[0], b)})
		}
	}
}

func concat(t testing.TB, recs []arrow.RecordBatch) []arrow.RecordBatch {
	t.Helper()
	if len(recs) < 2 {
		return recs
	}
	cols := make([]arrow.Array, recs[0].NumCols())
	rows := int64(0)
	for _, r := range recs {
		rows += r.NumRows()
	}
	for i := range cols {
		var parts []arrow.Array
		for _, r := range recs {
			parts = append(parts, r.Column(i))
		}
		var err error
		if cols[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			t.Fatal(err)
		}
	}
	return []arrow.RecordBatch{array.NewRecordBatch(recs[0].Schema(), cols, rows)}
}

// TestSliceArguments shows which ranges are refused.
func TestSliceArguments(t *testing.T) {
	tab := table(t, open(t, "sample.h5"), "")
	rows := tab.Rows()
	for _, ab := range [][2]int64{{-1, 5}, {5, 3}, {rows + 1, -1}, {rows + 1, rows + 2}} {
		if _, err := tab.Slice(ab[0], ab[1]); !h5err.Is(err, h5err.Argument) {
			t.Errorf("rows %v: %v", ab, err)
		}
	}
	sub, err := tab.Slice(10, rows+100)
	if err != nil || sub.Rows() != rows-10 {
		t.Errorf("an end after the table is clipped: %v", err)
	}
	if _, err := tab.Select("no such column"); !h5err.Is(err, h5err.Argument) {
		t.Errorf("unknown column: %v", err)
	}
}

// TestCancelLeavesNothing stops in the middle, by the context and by Release.
func TestCancelLeavesNothing(t *testing.T) {
	h5test.Leaks(t)
	f := open(t, "sample.h5")
	tab := table(t, f, "")
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	for i := range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := tab.Reader(ctx, arrowmap.WithBatchRows(500), arrowmap.WithAllocator(mem), arrowmap.WithWorkers(1+i%4))
		if err != nil {
			t.Fatal(err)
		}
		for range i % 5 {
			r.Next()
		}
		if i%2 == 0 {
			cancel()
			for r.Next() {
			}
			if !errors.Is(r.Err(), context.Canceled) {
				t.Errorf("after canceling: %v", r.Err())
			}
		}
		r.Release()
		cancel()
	}
	mem.AssertSize(t, 0)
}

// TestMemoryBound shows that a bound that is too small is an error and not a larger bound.
func TestMemoryBound(t *testing.T) {
	tab := table(t, open(t, "sample.h5", arrowmap.WithoutMapping()), "")
	r, err := tab.Reader(context.Background(), arrowmap.WithMaxMemory(4096), arrowmap.WithBatchRows(tab.Rows()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if r.Next() || !h5err.Is(r.Err(), h5err.Memory) {
		t.Errorf("a batch of the whole table in 4096 bytes: %v", r.Err())
	}
}

// mappedCopy opens a copy of a test file that may be cut, and skips the test where nothing is mapped.
func mappedCopy(t *testing.T, fixture string) (f *arrowmap.File, name string) {
	t.Helper()
	data, err := os.ReadFile(h5test.Fixture(t, fixture))
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "cut.h5")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err = arrowmap.Open(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if !f.H5().Source().Mapped() {
		if runtime.GOOS == "linux" {
			t.Fatal("nothing is mapped")
		}
		t.Skip("nothing is mapped on this system")
	}
	return f, name
}

// TestTruncatedWhileMapped cuts the file while columns are being converted: an error, and the process lives.
func TestTruncatedWhileMapped(t *testing.T) {
	f, name := mappedCopy(t, "sample.h5")
	tab := table(t, f, "")
	r, err := tab.Reader(context.Background(), arrowmap.WithBatchRows(64))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	if err := os.Truncate(name, 8192); err != nil {
		t.Fatal(err)
	}
	for r.Next() {
	}
	if !h5err.Is(r.Err(), h5err.IO) {
		t.Errorf("the file was cut: %v", r.Err())
	}
}

// TestCutDictionary: labels that can't be read are an error of every batch, not only of the first.
func TestCutDictionary(t *testing.T) {
	f, name := mappedCopy(t, "vaex.h5")
	tab, err := table(t, f, "").Select("label")
	if err != nil {
		t.Fatal(err)
	}
	if tab.Columns()[0].Type.ID() != arrow.DICTIONARY {
		t.Fatalf("%v is not a dictionary", tab.Columns()[0].Type)
	}
	warm, err := tab.Reader(context.Background()) // so that metadata is known
	if err != nil {
		t.Fatal(err)
	}
	for warm.Next() {
	}
	warm.Release()
	for workers := 1; workers <= 4; workers++ {
		r, err := tab.Reader(context.Background(), arrowmap.WithBatchRows(1), arrowmap.WithWorkers(workers))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, 4096); err != nil {
			t.Fatal(err)
		}
		for r.Next() {
		}
		if !h5err.Is(r.Err(), h5err.IO) {
			t.Errorf("the file was cut: %v", r.Err())
		}
		r.Release()
	}
}

// TestReadersAtOnce reads one file from many goroutines.
func TestReadersAtOnce(t *testing.T) {
	f := open(t, "sample.h5")
	want := stream(t, table(t, f, ""), arrowmap.WithBatchRows(4096))
	done := make(chan bool)
	for range 6 {
		go func() {
			tab, err := f.Table("")
			done <- err == nil && bytes.Equal(stream(t, tab, arrowmap.WithBatchRows(4096)), want)
		}()
	}
	for range 6 {
		if !<-done {
			t.Error("a reader beside others gives other bytes")
		}
	}
}
