package stats_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/arrowmap/stats"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// plain returns value i as the script prints it: times as integers, bytes in hexadecimal.
func plain(arr arrow.Array, i int) string {
	switch arr := arr.(type) {
	case nil:
		return "null"
	case *array.Timestamp:
		return fmt.Sprint(int64(arr.Value(i)))
	case *array.Date32:
		return fmt.Sprint(int32(arr.Value(i)))
	case *array.Binary:
		return fmt.Sprintf("%q", fmt.Sprintf("%x", arr.Value(i)))
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(arr.GetOneForMarshal(i)); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// same reports whether two JSON values are equal; floats are where they are the same float of 64 bits, or one of 32 bits.
func same(a, b string) bool {
	if a == b {
		return true
	}
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	fx, ok := x.(float64)
	fy, ok2 := y.(float64)
	if ok && ok2 && strings.ContainsAny(a+b, ".e") {
		return fx == fy || float32(fx) == float32(fy) && math.Abs(fx-fy) < 1e-6*math.Abs(fx)
	}
	return reflect.DeepEqual(x, y) && !ok
}

// pandas, numpy and pyarrow find the same figures.
func TestAsPandas(t *testing.T) {
	py := h5test.Python(t, "pandas", "pyarrow", "numpy")
	if py == "" {
		t.Skip("no Python with pandas and pyarrow: see make venv")
	}
	stream := filepath.Join(t.TempDir(), "x.arrows")
	out, err := exec.Command(py, "-B", "testdata/pandas_figures.py", stream).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]json.RawMessage
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(stream)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rr, err := ipc.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	columns, err := stats.Reader(context.Background(), rr)
	if err != nil || len(columns) != len(want) {
		t.Fatal(len(columns), err)
	}
	for _, c := range columns {
		w := want[c.Name]
		got := []string{fmt.Sprint(c.Rows), fmt.Sprint(c.Nulls), fmt.Sprint(c.NaNs), fmt.Sprint(c.Distinct),
			plain(c.Bounds, 0), plain(c.Bounds, 1)}
		for i, g := range got {
			if !same(g, string(w[i])) {
				t.Errorf("%s: figure %d is %s, want %s", c.Name, i, g, w[i])
			}
		}
		if string(w[6]) != "null" && !same(plain(c.Mean, 0), string(w[6])) {
			t.Errorf("%s: mean %s, want %s", c.Name, plain(c.Mean, 0), w[6])
		}
		var quartiles []json.RawMessage
		if err := json.Unmarshal(w[7], &quartiles); err != nil {
			t.Fatal(err)
		}
		if (c.Quartiles == nil) != (quartiles == nil) {
			t.Errorf("%s: quartiles %v, want %s", c.Name, c.Quartiles, w[7])
		}
		for i, q := range quartiles {
			if g := plain(c.Quartiles, i); !same(g, string(q)) {
				t.Errorf("%s: quartile %d is %s, want %s", c.Name, i, g, q)
			}
		}
	}
}
