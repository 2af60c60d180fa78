package importing

import (
	"context"
	"fmt"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Tables is what became of the tables of a file.
type Tables struct {
	Rows    int64 // of the longest
	Columns []tablewriter.Column
	Mapped  int // columns of the input that are mapped
}

// CopyTables writes each table of a file to f under its path; the one in the root becomes /table. If two tables have a path, the second
// gets a number. memory is how many bytes reading may use. What can't be read or written is an error.
func CopyTables(ctx context.Context, in *arrowmap.File, f *write.File, o tablewriter.Options, memory int64) (*Tables, error) {
	tables, err := in.Tables()
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, h5err.In(h5err.New(h5err.Argument, "the file has no tables"), in.H5().Name(), "")
	}
	out := &Tables{}
	taken := map[string]bool{}
	for _, t := range tables {
		o.Path = freePath(t.Path(), taken)
		sum, err := copyTable(ctx, t, f, o, memory)
		if h5err.Is(err, h5err.IO) { // those of the input have its name
			return nil, err
		}
		if err != nil {
			return nil, h5err.In(err, in.H5().Name(), t.Path())
		}
		out.Rows = max(out.Rows, sum.Rows)
		out.Columns = append(out.Columns, sum.Columns...)
		for _, c := range t.Columns() {
			if c.Delivery == dtype.Mapped {
				out.Mapped++
			}
		}
	}
	return out, nil
}

func freePath(path string, taken map[string]bool) string {
	if path == "/" {
		path = "/table"
	}
	free := path
	for i := 2; taken[free]; i++ {
		free = fmt.Sprintf("%s_%d", path, i)
	}
	taken[free] = true
	return free
}

func copyTable(ctx context.Context, t *arrowmap.Table, f *write.File, o tablewriter.Options, memory int64) (*tablewriter.Summary, error) {
	r, err := t.Reader(ctx, arrowmap.WithMaxMemory(memory))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	if t.RowsKnown() {
		o.Rows = t.Rows()
	}
	return tablewriter.Write(ctx, f, r, o)
}
