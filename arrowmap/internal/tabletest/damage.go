package tabletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Damage reads copies of a file, each with some bytes changed, as Survives does. H5ARROW_MUTANTS is the number of copies; without it
// there are 150, and 25 with -short.
func Damage(t *testing.T, name string, whole []byte) {
	t.Helper()
	for i := range mutants(t) {
		if err := Survives(mutant(whole, i)); err != nil {
			t.Errorf("%s, mutant %d: %v", name, i, err)
		}
	}
}

func mutants(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("H5ARROW_MUTANTS"); s != "" {
		count, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	if testing.Short() {
		return 25
	}
	return 150
}

// mutant returns a copy of a file with some bytes changed, seldom those that are 0: most of them are not used.
func mutant(whole []byte, i int) []byte {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	data := bytes.Clone(whole)
	for range 1 + rng.IntN(6) {
		at := rng.IntN(len(data))
		for range 12 {
			if data[at] != 0 {
				break
			}
			at = rng.IntN(len(data))
		}
		switch rng.IntN(3) {
		case 0:
			data[at] = byte(rng.Uint32())
		case 1:
			data[at] ^= 1 << rng.IntN(8)
		default:
			copy(data[at:min(at+8, len(data))], data[rng.IntN(len(data)):])
		}
	}
	return data
}

// Survives reads all columns of all tables of a file that may be broken, one after the other, under limits. Errors are fine as long
// as they are of type *h5err.Error: others are returned.
func Survives(data []byte) error {
	src := source.FromReaderAt(bytes.NewReader(data), int64(len(data)), "mutant")
	f, err := arrowmap.NewFile(src, arrowmap.WithLimits(h5.Limits{DecodedBytes: 16 << 20, Links: 1 << 12}), arrowmap.WithTypes(dtype.Options{Strings: dtype.StringsBinary}))
	if err != nil {
		src.Release()
		return otherError(err)
	}
	defer f.Close()
	tables, err := f.Tables()
	if err := otherError(err); err != nil {
		return err
	}
	for _, table := range tables {
		if table.Rows() > 1<<20 {
			continue
		}
		for _, c := range table.Columns() {
			if err := otherError(readColumn(table, c)); err != nil {
				return err
			}
		}
	}
	return nil
}

func readColumn(table *arrowmap.Table, c *arrowmap.Column) error {
	if c.Err != nil {
		return c.Err
	}
	one, err := table.Select(c.Name)
	if err != nil {
		return err
	}
	r, err := one.Reader(context.Background(), arrowmap.WithMaxMemory(64<<20), arrowmap.WithWorkers(1))
	if err != nil {
		return err
	}
	defer r.Release()
	for r.Next() {
	}
	return r.Err()
}

// otherError returns an error that is not an *h5err.Error.
func otherError(err error) error {
	var e *h5err.Error
	if err == nil || errors.As(err, &e) {
		return nil
	}
	return fmt.Errorf("an error of another type: %w", err)
}
