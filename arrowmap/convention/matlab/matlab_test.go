package matlab_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// fixtures are the files that make_matlab.py and make_libmatio.sh write.
var fixtures = []string{"objects.mat", "objects_0.7.1.mat", "hdf5storage.mat", "hdf5storage_0.1.19.mat", "libmatio.mat", "shapes_2.mat", "shapes_3.mat", "shapes_4.mat"}

// unpacked returns the bytes of a fixture.
func unpacked(t testing.TB, name string) []byte {
	t.Helper()
	return h5test.Unpacked(t, filepath.Join("testdata", name+".gz"))
}

// open opens bytes as a file.
func open(t testing.TB, p []byte, opts ...arrowmap.Option) (*arrowmap.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.mat")
	if err := os.WriteFile(path, p, 0o600); err != nil {
		t.Fatal(err)
	}
	return arrowmap.Open(path, opts...)
}

// TestTables compares all tables of the fixtures with testdata/tables.txt, which has what the generators put into the files:
// path, rows, and for each column its name, type and values. What can't be read has its error.
func TestTables(t *testing.T) {
	want := sections(t)
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			p := unpacked(t, name)
			h5test.Leaks(t)
			f, err := open(t, p)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			tables, err := f.Tables()
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, table := range tables {
				if table.Convention() != "matlab" {
					t.Errorf("%s is of convention %s", table.Path(), table.Convention())
				}
				b.WriteString(dump(t, table))
			}
			section := name
			if strings.HasPrefix(name, "shapes") {
				section = "shapes.mat" // the versions differ in the metadata of objects only
			}
			if got := b.String(); got != want[section] {
				t.Errorf("tables are\n%s\nwant\n%s", got, want[section])
			}
		})
	}
}

// sections reads testdata/tables.txt: the expected tables by file.
func sections(t *testing.T) map[string]string {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "tables.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range strings.Split("\n"+string(p), "\n== ")[1:] {
		name, rest, _ := strings.Cut(s, "\n")
		out[name] = strings.TrimSuffix(rest, "\n") + "\n"
	}
	return out
}

// dump writes a table, read at once and read by single rows: both must give the same.
func dump(t *testing.T, table *arrowmap.Table) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d\n", table.Path(), table.Rows())
	for _, c := range table.Columns() {
		if c.Err != nil {
			fmt.Fprintf(&b, "  %s: %s\n", c.Name, c.Err.Error()[strings.Index(c.Err.Error(), h5err.KindOf(c.Err).String()):])
			continue
		}
		one, err := table.Select(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		whole, single := tabletest.First(t, one, 0), tabletest.First(t, one, 1)
		if whole != single {
			t.Errorf("%s: %s: all rows are %s, row by row %s", table.Path(), c.Name, whole, single)
		}
		note := ""
		for _, key := range []string{"unit", "description", "continuity"} {
			if s, ok := c.Field().Metadata.GetValue(key); ok {
				note += fmt.Sprintf(" [%s %s]", key, s)
			}
		}
		fmt.Fprintf(&b, "  %s%s: %s %s\n", c.Name, note, typeName(c.Type), whole)
	}
	return b.String()
}

// typeName leaves out what every type has.
func typeName(t arrow.DataType) string {
	return strings.NewReplacer(", nullable", "", " nullable", "", "item: ", "", "fixed_size_list", "fsl", "dictionary<values=", "dict<", "indices=", "").Replace(t.String())
}

// TestNotTables asks for what belongs to objects, and for tables without columns.
func TestNotTables(t *testing.T) {
	f, err := open(t, unpacked(t, "shapes_2.mat"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, path := range []string{"/", "/nothing"} {
		if _, err := f.Table(path); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v, want an Argument error", path, err)
		}
	}
	tables, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(tables, func(t *arrowmap.Table) bool { return strings.HasPrefix(t.Path(), "/#") }) {
		t.Error("what references point to is listed as tables")
	}
}

// TestDescription looks for the description of a table.
func TestDescription(t *testing.T) {
	f, err := open(t, unpacked(t, "shapes_4.mat"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for path, want := range map[string]string{"/deep": "all of it", "/rate": "by rate"} {
		table, err := f.Table(path)
		if err != nil {
			t.Fatal(err)
		}
		md := table.Schema().Metadata()
		if got, _ := md.GetValue("description"); got != want {
			t.Errorf("%s: description %q, want %q", path, got, want)
		}
	}
}

// TestMemory reads strings under a bound of memory that they exceed.
func TestMemory(t *testing.T) {
	f, err := open(t, unpacked(t, "objects.mat"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/strs")
	if err != nil {
		t.Fatal(err)
	}
	r, err := table.Reader(context.Background(), arrowmap.WithMaxMemory(64))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
	}
	if !h5err.Is(r.Err(), h5err.Memory) {
		t.Errorf("error %v, want one of memory", r.Err())
	}
}

// TestLoop has tables whose variables are the table itself, in memory only: other readers may follow such loops.
func TestLoop(t *testing.T) {
	p := unpacked(t, "shapes_4.mat")
	f, err := open(t, p)
	if err != nil {
		t.Fatal(err)
	}
	deep := handle(t, f, "/deep")
	f.Close()
	for at := range len(p) - 24 {
		if bytes.Equal(p[at:at+16], deep[:16]) && bytes.Equal(p[at+20:at+24], deep[20:]) { // of the same class
			copy(p[at:], deep)
		}
	}
	if f, err = open(t, p); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/deep")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range table.Columns() {
		if c.Name == "inner" && !h5err.Is(c.Err, h5err.Limit) {
			t.Errorf("%v, want an error of a limit", c.Err)
		}
		if c.Name == "wide" && c.Err != nil {
			t.Error(c.Err)
		}
	}
}

// handle returns the bytes of the handle of an object.
func handle(t *testing.T, f *arrowmap.File, path string) []byte {
	t.Helper()
	table, err := f.Datasets(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := table.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	ids := r.RecordBatch().Column(0).(*array.FixedSizeList).ListValues().(*array.Uint32).Uint32Values()
	var p []byte
	for _, id := range ids {
		p = binary.LittleEndian.AppendUint32(p, id)
	}
	return p
}

// TestDamage reads the fixtures with some of their bytes changed. Errors are fine as long as they are of our type.
func TestDamage(t *testing.T) {
	for _, name := range []string{"shapes_2.mat", "shapes_4.mat", "hdf5storage.mat", "libmatio.mat"} {
		tabletest.Damage(t, name, unpacked(t, name))
	}
}
