package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
)

// head prints the same for an HDF5 file and for the Arrow data that it was converted to.
func TestHeadOfArrow(t *testing.T) {
	workplace(t)
	for _, more := range [][]string{nil, {"-n", "3"}, {"--rows", "777:"}, {"--rows", "49998:"}, {"--rows", "5:7", "--json"}, {"--columns", "tip,note,pickup"}, {"-n", "0"}} {
		want := expect(t, 0, append([]string{"head", "sample.h5"}, more...)...)
		for _, out := range []string{"x.arrow", "x.arrows", "x.feather"} {
			if testing.Short() && out == "x.feather" {
				continue // the same as x.arrow
			}
			expect(t, 0, "convert", "sample.h5", out, "--force", "--batch-rows", "500", "--compression", "lz4")
			if got := expect(t, 0, append([]string{"head", out}, more...)...); got.out != want.out {
				t.Errorf("%s %v:\n%s\nwant\n%s", out, more, got.out, want.out)
			}
			if got, want := expect(t, 0, append([]string{"tail", out}, more...)...), expect(t, 0, append([]string{"tail", "sample.h5"}, more...)...); got.out != want.out {
				t.Errorf("the end of %s %v:\n%s\nwant\n%s", out, more, got.out, want.out)
			}
		}
	}
	for _, args := range [][]string{{"x.arrow", "x.arrows"}, {"x.arrow", "--table", "/t"}, {"x.arrow", "--columns", "nope"}, {"x.arrow", "--rows", "50001:"}, {"x.arrow", "--rows", "-5:"}, {"x.arrow", "--sample", "3"},
		{"sample.h5", "--sample", "3", "-n", "3"}, {"sample.h5", "--sample", "10001"}} {
		expect(t, exitUsage, append([]string{"head"}, args...)...)
	}
	expect(t, exitFailed, "head", "none.arrow")

	b := readFile(t, "x.arrow")
	for _, n := range []int{0, 7, 100, len(b) / 2, len(b) - 1} {
		if err := os.WriteFile("cut.arrow", b[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		expect(t, exitCorrupt, "head", "cut.arrow")
	}
}

// Broken Arrow data give an error, nothing worse.
func FuzzHeadOfArrow(f *testing.F) {
	dir := f.TempDir()
	for _, path := range []string{"/a", "/b"} {
		if r := command(f, "convert", "testdata/two.h5", dir+"/x.arrow", "--force", "--table", path, "--rows", "0:4"); r.status != 0 {
			f.Fatal(r.err)
		}
		f.Add(uint32(100), []byte{0xff}, readFile(f, dir+"/x.arrow"))
	}
	f.Fuzz(func(t *testing.T, at uint32, patch, b []byte) {
		if len(b) > 0 {
			copy(b[int(at)%len(b):], patch)
		}
		r, err := ipc.NewReader(bytes.NewReader(b), int64(len(b)), "x.arrow", ipc.WithMaxMemory(4<<20))
		if err == nil {
			defer r.Release()
			a := &app{streams: streams{out: io.Discard, err: io.Discard}, ctx: context.Background()}
			window := &rows.Window{RecordReader: r, N: 10}
			err = safely("x.arrow", func() error { return a.printRows(&text.Screen{W: io.Discard}, window, at%2 == 0, rows.Grid{}) })
		}
		var e *h5err.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("an error of type %T: %v", err, err)
		}
	})
}

// A sample has as many rows as asked for, in their order, from all over the table, and the same each time.
func TestHeadSample(t *testing.T) {
	workplace(t)
	first := expect(t, 0, "head", "sample.h5", "--sample", "20", "--json", "-c", "pickup,meter")
	var rows []struct {
		Pickup string
		Meter  float64
	}
	if err := json.Unmarshal([]byte(first.out), &rows); err != nil || len(rows) != 20 {
		t.Fatal(len(rows), err)
	}
	for i := range rows[1:] {
		if rows[i].Pickup > rows[i+1].Pickup {
			t.Errorf("row %d is before row %d", i+1, i)
		}
	}
	if rows[0].Meter > 15000 || rows[19].Meter < 130000 {
		t.Errorf("from %v to %v", rows[0].Meter, rows[19].Meter)
	}
	if again := expect(t, 0, "head", "sample.h5", "--sample", "20", "--json", "-c", "pickup,meter"); again.out != first.out {
		t.Error("another sample")
	}
	if r := expect(t, 0, "head", "two.h5", "--table", "/a", "--sample", "100", "--json"); strings.Count(r.out, "\n") != 8 {
		t.Errorf("%q", r.out)
	}
}
