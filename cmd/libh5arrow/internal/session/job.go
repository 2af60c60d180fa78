package session

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/cmd/internal/compression"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Job is a file that is being written.
type Job struct {
	counted
	cancel context.CancelFunc
	rows   atomic.Int64 // written so far
	done   chan struct{}
	answer string // when it is done
	err    error
}

// writeOptions are the options of a file that is written.
type writeOptions struct {
	Layout      string `json:"layout"` // vaex or plain
	Table       string `json:"table"`
	Nulls       string `json:"nulls"` // auto, bitmap, mask or sentinel
	Compression string `json:"compression"`
	Shuffle     bool   `json:"shuffle"`
	ChunkRows   int64  `json:"chunk_rows"`
	PageSize    int64  `json:"page_size"`
	Rows        int64  `json:"rows"` // if their number is known
	Force       bool   `json:"force"`
}

func (o *writeOptions) parse() (to tablewriter.Options, err error) {
	layout, err1 := choice("layout", o.Layout, tablewriter.Vaex.String(), tablewriter.Plain.String())
	nulls, err2 := choice("nulls", o.Nulls, "auto", "bitmap", "mask", "sentinel")
	for _, err := range []error{err1, err2} {
		if err != nil {
			return to, err
		}
	}
	if o.Compression == "" {
		o.Compression = "none"
	}
	to = tablewriter.Options{Path: o.Table, Layout: tablewriter.Layout(layout), Nulls: tablewriter.Nulls(nulls), ChunkRows: o.ChunkRows, Rows: o.Rows}
	to.Filters, err = compression.Filters(o.Compression, o.Shuffle)
	return to, err
}

// Write starts to write the rows of rr, which it releases, as a table of a new file, as one of jobs. options are writeOptions as
// JSON. The file appears under its name when it is complete.
func Write(jobs *Jobs, rr array.RecordReader, name, options string) (*Job, error) {
	j, err := newJob(jobs, rr, name, options)
	if err != nil {
		rr.Release()
	}
	return j, err
}

func newJob(jobs *Jobs, rr array.RecordReader, name, options string) (*Job, error) {
	var o writeOptions
	if err := decode(options, &o); err != nil {
		return nil, err
	}
	to, err := o.parse()
	if err != nil {
		return nil, err
	}
	target, err := output.Check(name, o.Force, nil)
	if err != nil {
		return nil, err
	}
	to.SpoolDir = target.Dir()
	ctx, done, err := jobs.enter()
	if err != nil {
		return nil, err
	}
	j := &Job{done: make(chan struct{})}
	to.Progress = j.rows.Store
	ctx, j.cancel = context.WithCancel(ctx)
	j.start(j.cancel)
	go func() {
		defer close(j.done)
		defer done()
		defer rr.Release()
		j.err = Protect(func() (err error) {
			j.answer, err = writeTable(ctx, rr, to, target, o.PageSize)
			return err
		})
	}()
	return j, nil
}

// written is what is said of a column that was written.
type written struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Type    string `json:"type"`
	Storage string `json:"storage"`
	Aligned bool   `json:"aligned"`
	Nulls   string `json:"nulls"`
}

func writeTable(ctx context.Context, rr array.RecordReader, to tablewriter.Options, target output.Target, page int64) (string, error) {
	start := time.Now()
	var outputs output.Set
	var sum *tablewriter.Summary
	size, err := outputs.HDF5(ctx, target, func(h *write.File) (err error) {
		sum, err = tablewriter.Write(ctx, h, rr, to)
		return err
	}, write.WithSpool(to.SpoolDir), write.WithPageSize(page))
	if err != nil {
		return "", err
	}
	out := struct {
		Rows    int64     `json:"rows"`
		Bytes   int64     `json:"bytes_out"`
		Seconds float64   `json:"seconds"`
		Columns []written `json:"columns"`
		Dropped []string  `json:"dropped,omitempty"` // keys of metadata that could not be stored
	}{sum.Rows, size, time.Since(start).Seconds(), []written{}, sum.Dropped}
	for _, c := range sum.Columns {
		out.Columns = append(out.Columns, written{c.Name, c.Path, dtype.TypeName(c.Type), c.Storage.String(), c.Aligned, c.Nulls})
	}
	return answer(out, nil)
}

// Cancel ends the writing. Nothing appears under the file's name.
func (j *Job) Cancel() { j.cancel() }

// Wait waits until the job is done, but not longer than d, and returns the rows that were written so far and, when it is done,
// what was written, as JSON.
func (j *Job) Wait(ctx context.Context, d time.Duration) (rows int64, text string, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-j.done:
		return j.rows.Load(), j.answer, j.err
	case <-timer.C:
	case <-ctx.Done():
		j.cancel()
		err = context.Canceled
	}
	return j.rows.Load(), "", err
}

// Canceler is a resource whose work can be ended.
type Canceler interface {
	resource
	Cancel()
}
