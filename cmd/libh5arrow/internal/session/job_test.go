package session

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// endless is a reader whose rows do not end.
type endless struct {
	array.RecordReader
	rec      arrow.RecordBatch
	released bool
}

func (e *endless) Schema() *arrow.Schema          { return e.rec.Schema() }
func (e *endless) Next() bool                     { return true }
func (e *endless) RecordBatch() arrow.RecordBatch { return e.rec }
func (e *endless) Release()                       { e.released = true }

// finished waits for a job.
func finished(t *testing.T, j *Job) (string, error) {
	t.Helper()
	for range 1000 {
		rows, text, err := j.Wait(t.Context(), 100*time.Millisecond)
		if text != "" || err != nil {
			return text, err
		}
		if rows < 0 {
			t.Errorf("%d rows", rows)
		}
	}
	t.Fatal("the job does not end")
	return "", nil
}

func TestWrite(t *testing.T) {
	leaks(t)
	f := sample(t, "")
	name := filepath.Join(t.TempDir(), "out.h5")
	start := func(options string) (*Job, error) {
		rr, _, err := part(t, f, `{"rows": [0, 1000], "columns": ["fare", "zone"]}`).Read(t.Context(), "", memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		return Write(NewJobs(), rr, name, options)
	}
	j, err := start(`{"compression": "gzip:1", "chunk_rows": 100, "table": "/a/b"}`)
	if err != nil {
		t.Fatal(err)
	}
	defer j.release()
	text, err := finished(t, j)
	var done struct {
		Rows    int64
		Bytes   int64 `json:"bytes_out"`
		Columns []written
	}
	info, err2 := os.Stat(name)
	if err != nil || err2 != nil || json.Unmarshal([]byte(text), &done) != nil || done.Rows != 1000 || done.Bytes != info.Size() || len(done.Columns) != 2 {
		t.Errorf("%s, %v, %v", text, err, err2)
	}
	g, err := Open(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	defer g.release()
	if got := rows(t, part(t, g, `{"where": "fare > 10"}`), ""); got != rows(t, part(t, f, `{"rows": [0, 1000], "where": "fare > 10"}`), "") {
		t.Errorf("%d rows match in what was written", got)
	}
	for _, bad := range []string{"", `{"layout": "x", "force": true}`, `{"nulls": "x", "force": true}`, `{"compression": "x", "force": true}`, `{"shuffle": true, "force": true}`, `{"x": 1}`} {
		if _, err := start(bad); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if j, err = start(`{"rows": 7, "force": true}`); err != nil {
		t.Fatal(err)
	}
	defer j.release()
	if text, err := finished(t, j); !h5err.Is(err, h5err.Argument) {
		t.Errorf("more rows than announced: %s, %v", text, err)
	}
	if again, err := os.Stat(name); err != nil || again.ModTime() != info.ModTime() {
		t.Errorf("a failed job changed the file: %v", err)
	}
}

func TestWriteCanceled(t *testing.T) {
	leaks(t)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(make([]int64, 1000), nil)
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{b.NewArray()}, 1000)
	for name, end := range map[string]func(j *Job){
		"cancel":  (*Job).Cancel,
		"release": func(j *Job) { j.retain(); j.release(); j.release() },
		"context": func(j *Job) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, _, err := j.Wait(ctx, time.Hour); h5err.KindOf(err) != h5err.KindOf(context.Canceled) {
				t.Errorf("wait: %v", err)
			}
		},
	} {
		dir := t.TempDir()
		rr := &endless{rec: rec}
		j, err := Write(NewJobs(), rr, filepath.Join(dir, "out.h5"), "")
		if err != nil {
			t.Fatal(err)
		}
		end(j)
		if _, err := finished(t, j); err == nil {
			t.Errorf("%s: no error", name)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 || !rr.released {
			t.Errorf("%s: %v, %v, released: %v", name, left, err, rr.released)
		}
	}
}

func TestJobs(t *testing.T) {
	jobs := NewJobs()
	if !jobs.End(0) {
		t.Error("nothing runs, and End waits")
	}
	if err := jobs.Do(func() error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	jobs = NewJobs()
	ctx, done, err := jobs.enter()
	if err != nil {
		t.Fatal(err)
	}
	if jobs.End(0) || ctx.Err() == nil {
		t.Error("End does not wait, or does not cancel")
	}
	time.AfterFunc(time.Millisecond, done)
	if !jobs.End(time.Hour) {
		t.Error("what runs is over, and End does not see it")
	}
}
