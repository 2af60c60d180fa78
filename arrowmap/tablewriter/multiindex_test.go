package tablewriter_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/ipc"
)

// frames makes frames of pandas with a MultiIndex or with labels of columns that are not plain text, and writes them as Arrow files with the metadata that pyarrow gives them; or compares
// them with what HDFStore reads.
const frames = `
import sys, pandas as pd, pyarrow as pa
when = pd.to_datetime(["2024-01-01", None, "2024-03-01", "2024-03-02"])
all = {
    "named": pd.MultiIndex.from_arrays([["a", "a", "b", "b"], [1, 2, 1, 2]], names=["k", "n"]),
    "unnamed": pd.MultiIndex.from_arrays([["a", "a", "b", "b"], [1.5, 2, 1, 2], [True, False, True, True]]),
    "times": pd.MultiIndex.from_arrays([when, [1, 2, 3, 4]], names=["when", None]),
}
plain, levels, single = pd.RangeIndex(4), all["named"], pd.Index([3, 1, 2, 5], name="id")
labels = {
    "integers": (pd.Index([0, 1, -7]), plain),
    "integers_id": (pd.Index([10, 20, 30], name="year"), single),
    "floats": (pd.Index([0.5, 1e20, -3.0], name="depth"), plain),
    "called": (pd.Index(["v", "w", "t"], name="which"), plain),
    "called_levels": (pd.Index(["v", "w", "t"], name="which"), levels),
    "tuples": (pd.MultiIndex.from_tuples([("a", 1), ("it's", 2), ('"q" \\ \n\u00e9\u20ac\x01', 3)], names=["u", None]), plain),
    "tuples_id": (pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "x")]), single),
    "mixed": (pd.MultiIndex.from_tuples([("a", 0.5, 1), ("a", 1.5, 2), ("b", 0.5, 3)], names=["x", "y", "z"]), plain),
}
frames = {name: (["v", "w", "t"], index) for name, index in all.items()} | labels
for name, (columns, index) in frames.items():
    df = pd.DataFrame({"v": [1.5, 2.5, None, 4.5], "w": [1, 2, 3, 4], "t": ["x", "yy", "", "z"]}, index=index)
    df.columns = columns
    path = sys.argv[2] + "/" + name
    if sys.argv[1] == "make":
        t = pa.Table.from_pandas(df)
        with pa.ipc.new_file(path + ".arrow", t.schema) as w:
            w.write_table(t)
        continue
    got = pd.read_hdf(path + ".h5", "table")
    pd.testing.assert_frame_equal(got, df, check_index_type=False, check_dtype=False, check_column_type=False)
    assert got.columns.names == df.columns.names, (name, got.columns.names)
    assert [(type(x), x) for x in got.columns] == [(type(x), x) for x in df.columns], (name, list(got.columns))
    assert type(got.columns) is pd.MultiIndex or "tuples" not in name, name
    if name == "named":
        assert len(pd.read_hdf(path + ".h5", "table", where="k == 'b' & n > 1")) == 1
`

// TestMultiIndex has pandas read frames with a MultiIndex, and labels of columns of several kinds, that came from pandas by way of Arrow.
func TestMultiIndex(t *testing.T) {
	py := h5test.Python(t, "pandas", "tables", "pyarrow")
	if py == "" {
		t.Skip("no Python with pandas, PyTables and pyarrow")
	}
	dir := t.TempDir()
	run := func(what string) {
		if out, err := exec.Command(py, "-W", "ignore", "-c", frames, what, dir).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", what, err, out)
		}
	}
	run("make")
	files, err := filepath.Glob(dir + "/*.arrow")
	if err != nil || len(files) != 11 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, name := range files {
		importFrame(t, name, name[:len(name)-len("arrow")]+"h5")
	}
	run("compare")
}

func importFrame(t *testing.T, name, to string) {
	t.Helper()
	r, err := ipc.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f, err := write.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abandon()
	if _, err := tablewriter.Write(context.Background(), f, r, tablewriter.Options{Layout: tablewriter.Pandas}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
