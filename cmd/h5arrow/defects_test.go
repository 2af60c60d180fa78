package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
)

// defects is a column for each kind of defect that is confined to it, how the file is damaged for it, and a part of what is said.
var defects = []struct {
	column string
	damage func(t *testing.T, b []byte)
	said   string
}{
	{"filter", replace("\x01\x00\x08\x00\x01\x00\x01\x00deflate", "\xff\x7f"), "filter 32767"},
	{"index", replace("TREE\x01\x00\x02\x00"+strings.Repeat("\xff", 16)+"\x18\x00\x00\x00", "LEAF"), `signature "TREE" expected`},
	{"sums", replace("\xe9\x03\x00\x00\x00\x00\x00\x00\xea\x03", "\xff"), "the checksum differs"},
	{"heap", damageHeap, "/t/heap"},
	{"external", nil, `"no such file.raw"`},
	{"fill", damageFill, "fill value of 5 bytes"},
	{"place", damagePlace, "are not inside the file"},
	{"text", nil, "not valid UTF-8"},
	{"region", nil, "region references"},
	{"enum", nil, "9 is not a member"},
	{"", damageAttribute, ""}, // costs the attribute only
}

// at returns where the only occurrence of a pattern in b starts.
func at(t *testing.T, b []byte, pattern string) int {
	t.Helper()
	if n := bytes.Count(b, []byte(pattern)); n != 1 {
		t.Fatalf("%q is in the file %d times", pattern, n)
	}
	return bytes.Index(b, []byte(pattern))
}

// replace returns a function that writes over the start of the only occurrence of a pattern.
func replace(pattern, with string) func(*testing.T, []byte) {
	return func(t *testing.T, b []byte) { copy(b[at(t, b, pattern):], with) }
}

// damageHeap inverts the size of the first object of the global heap.
func damageHeap(t *testing.T, b []byte) {
	p := at(t, b, "GCOL") + 24
	b[p], b[p+1] = ^b[p], ^b[p+1]
}

// damageFill gives the fill value, in both messages, another size than the elements'.
func damageFill(t *testing.T, b []byte) {
	value := binary.LittleEndian.AppendUint64(nil, 0x1122334455667788)
	n := 0
	for p := 0; ; n++ {
		i := bytes.Index(b[p:], value)
		if i < 0 {
			break
		}
		b[p+i-4] = 5
		p += i + len(value)
	}
	if n == 0 {
		t.Fatal("no fill value")
	}
}

// damagePlace has the values of a column after the end of the file.
func damagePlace(t *testing.T, b []byte) {
	first := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 0x5a5a5a5a), 0x5a5a5a5b)
	address := binary.LittleEndian.AppendUint64(nil, uint64(at(t, b, string(first))))
	address = binary.LittleEndian.AppendUint64(address, 48)
	binary.LittleEndian.PutUint64(b[at(t, b, string(address)):], uint64(len(b))*4)
}

// damageAttribute gives an attribute a type of no class.
func damageAttribute(t *testing.T, b []byte) {
	p := at(t, b, "defective")
	b[p+bytes.Index(b[p:], []byte("\x10\x08\x00\x00\x04"))] = 0x1f
}

// damaged returns the folder of a file with the defects of all columns, or of one.
func damaged(t *testing.T, column string) (dir, file string) {
	t.Helper()
	b, err := os.ReadFile(unpacked(t, "testdata/defects.h5.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range defects {
		if d.damage != nil && (column == "all" || d.column == column) {
			d.damage(t, b)
		}
	}
	dir = t.TempDir()
	file = filepath.Join(dir, "defects.h5")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// With --skip-unsupported no defect that is confined to a column costs another one, in any command.
func TestDefects(t *testing.T) {
	_, file := damaged(t, "all")
	leftOut := func(r result) {
		t.Helper()
		for _, d := range defects {
			line := "h5arrow: left out: " + file + ": /t/" + d.column + ": "
			if _, after, ok := strings.Cut(r.err, line); d.column != "" && (strings.Count(r.err, line) != 1 || !ok || !strings.Contains(line+strings.SplitN(after, "\n", 2)[0], d.said)) {
				t.Errorf("%s is not left out, once and because of %q: %s", d.column, d.said, r.err)
			}
		}
	}
	const rows = "{\"attribute\": 0, \"good\": 0}\n"
	out := filepath.Join(t.TempDir(), "x.arrow")
	leftOut(expect(t, 0, "convert", file, out, "--skip-unsupported"))
	sound := expect(t, 0, "head", out, "--json").out
	r := expect(t, 0, "head", file, "--skip-unsupported", "--json")
	if leftOut(r); r.out != sound || !strings.Contains(strings.ReplaceAll(r.out, " ", ""), strings.ReplaceAll(strings.TrimSpace(rows), " ", "")) {
		t.Errorf("head: %s, and of what convert wrote: %s", r.out, sound)
	}
	r = expect(t, 0, "stats", file, "--skip-unsupported")
	if leftOut(r); !strings.Contains(r.out, "2 columns of 6 rows") {
		t.Errorf("stats: %s", r.out)
	}
	if engine.Available {
		r = expect(t, 0, "query", file, "select * from t", "--skip-unsupported", "--json")
		if leftOut(r); r.out != sound {
			t.Errorf("query: %s", r.out)
		}
	}
	for _, d := range defects { // alone, each of them is an error without the option
		if d.column == "" {
			continue
		}
		_, file := damaged(t, d.column)
		if r := command(t, "convert", file, out, "--force", "--columns", "good,"+d.column); r.status == 0 || !strings.Contains(r.err, d.said) {
			t.Errorf("%s: status %d, %q", d.column, r.status, r.err)
		}
	}
}

// A server leaves out what descriptions show, without reading values before a client asks for them. All other columns are served,
// and a column whose values can't be read is an error of a stream that has it.
func TestServeDefects(t *testing.T) {
	dir, _ := damaged(t, "all")
	s := started(t, dir, "--skip-unsupported")
	c := s.client(t)
	var left []string
	for _, d := range defects {
		got := flown(t, c, fmt.Sprintf(`{"file": "defects.h5", "columns": ["good", %q]}`, cmp.Or(d.column, "attribute")))
		switch {
		case d.column == "":
			if got != "good attribute: 6 rows" {
				t.Errorf("%s", got)
			}
		case slices.Contains([]string{"filter", "place", "region"}, d.column):
			left = append(left, "/t/"+d.column+": ")
			if !strings.Contains(got, "no column "+d.column) {
				t.Errorf("%s: %s", d.column, got)
			}
		case !strings.Contains(got, d.said) || !strings.Contains(got, "/t/"+d.column):
			t.Errorf("%s: %s", d.column, got)
		}
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d", st)
	}
	for _, place := range left {
		if !strings.Contains(s.stderr.String(), place) {
			t.Errorf("%s is not in %s", place, s.stderr)
		}
	}
}

// A server has the stacks that are found, the tables of their groups, and stacks that are asked for.
func TestServeStack(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile("../../arrowmap/convention/detect/testdata/stack.h5")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "stack.h5"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, want string
		args       []string
	}{
		{"/data/demo_*", "key attr.key num_samples score success actions rewards: 7 rows", nil},
		{"/data/demo_2", "actions rewards: 3 rows", nil},
		{"/data/demo_[23]", "key attr.key num_samples score success actions rewards: 4 rows", []string{"--stack", "/data/demo_[23]"}},
	} {
		s := started(t, append([]string{dir}, c.args...)...)
		if got := flown(t, s.client(t), fmt.Sprintf(`{"file": "stack.h5", "table": %q}`, c.path)); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
		if st := s.end(t, syscall.SIGTERM); st != 0 {
			t.Errorf("status %d, %s", st, s.stderr)
		}
	}
}

// flown returns the columns and the number of rows that a server has for a descriptor, or its error.
func flown(t *testing.T, c flight.Client, descriptor string) string {
	t.Helper()
	info, err := c.GetFlightInfo(t.Context(), &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: []byte(descriptor)})
	if err != nil {
		return err.Error()
	}
	names, rows := "", int64(0)
	for _, e := range info.Endpoint {
		stream, err := c.DoGet(t.Context(), e.Ticket)
		if err != nil {
			return err.Error()
		}
		r, err := flight.NewRecordReader(stream)
		if err != nil {
			return err.Error()
		}
		defer r.Release()
		var all []string
		for _, f := range r.Schema().Fields() {
			all = append(all, f.Name)
		}
		names = strings.Join(all, " ")
		for r.Next() {
			rows += r.RecordBatch().NumRows()
		}
		if r.Err() != nil {
			return r.Err().Error()
		}
	}
	return names + ": " + strconv.FormatInt(rows, 10) + " rows"
}
