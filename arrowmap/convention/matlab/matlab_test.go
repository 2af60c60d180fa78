package matlab_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
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
		whole, single := values(t, one, 0), values(t, one, 1)
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

// values reads the only column of a table, so many rows at once.
func values(t *testing.T, table *arrowmap.Table, batch int64) string {
	t.Helper()
	r, err := table.Reader(context.Background(), arrowmap.WithBatchRows(batch), arrowmap.WithWorkers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var rows []string
	for r.Next() {
		col := r.RecordBatch().Column(0)
		if d, ok := col.(*array.Dictionary); ok && d.Dictionary().NullN() > 0 {
			t.Errorf("%s: a null among the labels", table.Path())
		}
		for i := range col.Len() {
			s := "null"
			if d, ok := col.(*array.Dictionary); ok && d.IsValid(i) {
				s = d.Dictionary().ValueStr(d.GetValueIndex(i))
			} else if col.IsValid(i) {
				s = col.ValueStr(i)
			}
			rows = append(rows, s)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return strings.Join(rows, " | ")
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
	count := 60
	if testing.Short() {
		count = 10
	}
	for _, name := range []string{"shapes_2.mat", "shapes_4.mat", "hdf5storage.mat", "libmatio.mat"} {
		whole := unpacked(t, name)
		for i := range count {
			rng := rand.New(rand.NewPCG(11, uint64(i)))
			data := bytes.Clone(whole)
			for range 1 + rng.IntN(8) {
				at := rng.IntN(len(data))
				switch rng.IntN(3) {
				case 0:
					data[at] = byte(rng.Uint32())
				case 1:
					data[at] ^= 1 << rng.IntN(8)
				default:
					copy(data[at:min(at+8, len(data))], data[rng.IntN(len(data)):])
				}
			}
			readAll(t, fmt.Sprintf("%s, mutant %d", name, i), data)
		}
	}
}

// readAll reads the tables of a file that may be broken.
func readAll(t *testing.T, name string, data []byte) {
	t.Helper()
	f, err := open(t, data)
	if err != nil {
		return
	}
	defer f.Close()
	tables, err := f.Tables()
	failed := func(err error) {
		var e *h5err.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%s: %v is not of our type", name, err)
		}
	}
	failed(err)
	for _, table := range tables {
		for _, c := range table.Columns() {
			if c.Err != nil {
				failed(c.Err)
				continue
			}
			one, err := table.Select(c.Name)
			if err != nil {
				continue // two columns of one name
			}
			r, err := one.Reader(context.Background(), arrowmap.WithMaxMemory(16<<20))
			if err != nil {
				failed(err)
				continue
			}
			for range 3 {
				if !r.Next() {
					break
				}
			}
			failed(r.Err())
			r.Release()
		}
	}
}
