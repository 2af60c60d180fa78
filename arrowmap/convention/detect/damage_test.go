package detect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// mutants is the number of damaged copies of each file that are read.
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

// TestDamage reads the files with some of their bytes changed. Errors are fine as long as they are of our type.
func TestDamage(t *testing.T) {
	count := mutants(t)
	for name, want := range files {
		if strings.HasPrefix(want, "as ") {
			continue // another version of the same
		}
		whole := contents(t, name)
		for i := range count {
			if err := readAll(mutant(whole, i)); err != nil {
				t.Errorf("%s, mutant %d: %v", name, i, err)
			}
		}
	}
}

// readAll reads every table; what it returns is not an error of ours.
func readAll(data []byte) error {
	src := source.FromReaderAt(bytes.NewReader(data), int64(len(data)), "mutant")
	f, err := arrowmap.NewFile(src, arrowmap.WithLimits(h5.Limits{DecodedBytes: 16 << 20, Links: 1 << 12}), arrowmap.WithTypes(dtype.Options{Strings: dtype.StringsBinary}))
	if err != nil {
		src.Release()
		return ours(err)
	}
	defer f.Close()
	tables, err := f.Tables()
	if err := ours(err); err != nil {
		return err
	}
	for _, table := range tables {
		if table.Rows() > 1<<20 {
			continue
		}
		for _, c := range table.Columns() {
			if c.Err != nil {
				if err := ours(c.Err); err != nil {
					return err
				}
				continue
			}
			one, err := table.Select(c.Name)
			if err != nil {
				return ours(err)
			}
			r, err := one.Reader(context.Background(), arrowmap.WithMaxMemory(64<<20), arrowmap.WithWorkers(1))
			if err != nil {
				return ours(err)
			}
			for r.Next() {
			}
			err = r.Err()
			r.Release()
			if err := ours(err); err != nil {
				return err
			}
		}
	}
	return nil
}

// ours returns an error that is not an *h5err.Error.
func ours(err error) error {
	var e *h5err.Error
	if err == nil || errors.As(err, &e) {
		return nil
	}
	return fmt.Errorf("an error of another type: %w", err)
}
