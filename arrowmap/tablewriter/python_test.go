package tablewriter_test

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// vaexShows prints the values of each column of a table as vaex has them.
const vaexShows = `
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np, vaex
df = vaex.open(sys.argv[1])
def show(v):
    if v is None or v is np.ma.masked or str(v) in ("nan", "NaT"):
        return "null"
    return str(int(v)) if isinstance(v, (bool, np.bool_)) else str(v)
for name in df.get_column_names():
    print(name, "|".join(show(v) for v in df[name].tolist()))
`

// h5pyShows prints the values of each dataset of a plain table, null where its mask is true.
const h5pyShows = `
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    g = f["table"]
    import json
    for name in json.loads(g.attrs["h5arrow.columns"]):
        d = g[name]
        values = d.asstr()[:] if h5py.check_string_dtype(d.dtype) else d[:]
        nulls = d.attrs.get("h5arrow.nulls", "")
        mask = g[nulls.split(":")[1]][:] if nulls.startswith("mask:") else [False] * len(values)
        labels = g[d.attrs["h5arrow.labels"]].asstr()[:] if "h5arrow.labels" in d.attrs else None
        def show(v, m):
            if m: return "null"
            if labels is not None: return labels[v]
            return str(int(v)) if d.dtype == bool else str(v)
        print(name, "|".join(show(v, m) for v, m in zip(values, mask)))
`

// TestPython has vaex and h5py read what was written.
func TestPython(t *testing.T) {
	py := h5test.Python(t, "h5py", "vaex", "pyarrow")
	if py == "" {
		t.Skip("no Python with vaex and h5py")
	}
	types := []arrow.DataType{arrow.FixedWidthTypes.Boolean, prim.Int8, prim.Uint16, prim.Int32, prim.Int64, bin.String, bin.LargeString,
		&arrow.DictionaryType{IndexType: prim.Int8, ValueType: bin.String}}
	for _, tt := range []struct {
		name, script string
		o            tablewriter.Options
	}{
		{"vaex", vaexShows, tablewriter.Options{}},
		{"vaex, masks", vaexShows, tablewriter.Options{Nulls: tablewriter.Mask}},
		{"h5py", h5pyShows, tablewriter.Options{Layout: tablewriter.Plain}},
		{"h5py, chunks", h5pyShows, tablewriter.Options{Layout: tablewriter.Plain, ChunkRows: 7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &random{Rand: rand.New(rand.NewPCG(3, 4)), nulls: 0.3, inner: 0}
			var fields []arrow.Field
			var columns []arrow.Array
			var want []string
			for i, typ := range types {
				a := r.array(typ, 50)
				name := "c" + string(rune('0'+i))
				fields = append(fields, arrow.Field{Name: name, Type: typ, Nullable: true})
				columns = append(columns, array.NewSlice(a, 3, 50))
				want = append(want, name+" "+strings.Join(texts(t, columns[i]), "|"))
			}
			s := arrow.NewSchema(fields, nil)
			rec := array.NewRecordBatch(s, columns, -1)
			file, _ := write1(t, s, []arrow.RecordBatch{rec.NewSlice(0, 20), rec.NewSlice(20, 47)}, tt.o)
			out, err := exec.Command(py, "-c", tt.script, file).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := strings.TrimSpace(string(out)); got != strings.Join(want, "\n") {
				t.Errorf("it reads\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		})
	}
}

// texts returns values as the scripts print them.
func texts(t *testing.T, a arrow.Array) []string {
	out := shown(t, a)
	for i, s := range out {
		switch s {
		case "true":
			out[i] = "1"
		case "false":
			out[i] = "0"
		default:
			out[i] = strings.Trim(s, `"`)
		}
	}
	return out
}
