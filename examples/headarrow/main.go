// Command headarrow prints the schema and the first rows of an Arrow IPC file, using only arrow-go's reader.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

func main() {
	n := flag.Int("n", 10, "number of rows")
	flag.Parse()
	if flag.NArg() != 1 || *n < 0 {
		fmt.Fprintln(os.Stderr, "usage: headarrow [-n ROWS] FILE.arrow")
		os.Exit(2)
	}
	if err := head(os.Stdout, flag.Arg(0), *n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// head writes the first n rows of a file as a table.
func head(w io.Writer, path string, n int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := ipc.NewFileReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer r.Close()
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(out, r.Schema().Fields(), func(f arrow.Field) string { return f.Name })
	line(out, r.Schema().Fields(), func(f arrow.Field) string { return f.Type.String() })
	for i := 0; i < r.NumRecords() && n > 0; i++ {
		batch, err := r.RecordBatchAt(i)
		if err != nil {
			return fmt.Errorf("%s: batch %d: %w", path, i, err)
		}
		for row := 0; row < int(batch.NumRows()) && n > 0; row++ {
			line(out, batch.Columns(), func(c arrow.Array) string { return c.ValueStr(row) })
			n--
		}
		batch.Release()
	}
	return out.Flush()
}

// line writes one cell for each item.
func line[T any](w io.Writer, items []T, cell func(T) string) {
	for _, x := range items {
		fmt.Fprint(w, cell(x), "\t")
	}
	fmt.Fprintln(w)
}
