package session

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/cmd/internal/indexfile"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

func leaks(t *testing.T) {
	t.Helper()
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
}

func sample(t *testing.T, options string) *File {
	t.Helper()
	f, err := Open(t.Context(), h5test.Fixture(t, "sample.h5"), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.release)
	return f
}

func part(t *testing.T, f *File, options string) *Table {
	t.Helper()
	whole, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	defer whole.release()
	out, err := whole.Narrow(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.release)
	return out
}

// rows reads a table.
func rows(t *testing.T, tab *Table, options string) (n int64) {
	t.Helper()
	rr, _, err := tab.Read(t.Context(), options, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(func(context.Context) (Batches, error) { return rr, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer r.release()
	for {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return n
		}
		n += b.NumRows()
		b.release()
	}
}

func TestTable(t *testing.T) {
	leaks(t)
	f := sample(t, `{"strings": "binary"}`)
	for options, want := range map[string]int64{"": 50000, `{"columns": ["fare"], "rows": [10, 20]}`: 10, `{"rows": [49990, -1]}`: 10, `{"limit": 7}`: 7,
		`{"where": "fare > 40", "columns": ["meter"]}`: 15, `{"where": [["fare", ">", 40], ["vendor", "in", [2, 3]]], "limit": 3}`: 3,
		`{"where": "fare > 1e9"}`: 0, `{"where": "tip is null", "rows": [0, 64]}`: 6, `{"where": [["fare", "between", 40, 41.5]]}`: 1,
		`{"where": [["vendor", "not in", [1, 2]], ["fare", ">", 40]]}`: 3, `{"where": "fare > 40", "columns": ["fare", "meter"], "rows": [0, 20000]}`: 7} {
		tab := part(t, f, options)
		if got := rows(t, tab, `{"batch_rows": 1000, "workers": 1}`); got != want {
			t.Errorf("%s: %d rows, want %d", options, got, want)
		}
		if got, err := tab.Count(t.Context()); err != nil || got != want {
			t.Errorf("%s: counted %d rows (%v), want %d", options, got, err, want)
		}
	}
	joined, err := Concat([]*Table{part(t, f, ""), part(t, f, `{"rows": [0, 10]}`)}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer joined.release()
	if got := rows(t, joined, ""); got != 50010 {
		t.Errorf("%d rows of two tables", got)
	}
	filtered := part(t, f, `{"where": "fare > 1"}`)
	for name, fn := range map[string]func() error{
		"slice": func() error { _, err := filtered.Narrow(`{"rows": [0, 1]}`); return err },
		"join":  func() error { _, err := Concat([]*Table{filtered}, ""); return err },
		"refilter": func() error {
			_, err := part(t, f, `{"where": "fare > 1", "limit": 1}`).Narrow(`{"where": "fare > 2"}`)
			return err
		},
		"split": func() error {
			_, err := part(t, f, `{"where": "fare > 1", "limit": 1}`).Splits(t.Context(), "")
			return err
		},
	} {
		if err := fn(); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An index beside the file is used if it fits; one that is named must fit.
func TestIndex(t *testing.T) {
	leaks(t)
	name := filepath.Join(t.TempDir(), "sample.h5")
	b, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err == nil {
		err = os.WriteFile(name, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	count := func(options string) (rows int64, index string) {
		f, err := Open(t.Context(), name, options)
		if err != nil {
			t.Fatalf("%s: %v", options, err)
		}
		defer f.release()
		rows, err = part(t, f, `{"where": "meter > 100"}`).Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return rows, f.index
	}
	want, none := count("")
	if want == 0 || none != "" {
		t.Errorf("%d rows, index %q", want, none)
	}
	f, err := Open(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.f.BuildIndex(t.Context())
	f.release()
	if err == nil {
		err = os.WriteFile(name+indexfile.Suffix, x, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for options, index := range map[string]string{"": name + indexfile.Suffix, `{"index": "none"}`: "", `{"nan_as_null": true}`: ""} {
		if got, used := count(options); got != want || used != index {
			t.Errorf("%s: %d rows, want %d; index %q, want %q", options, got, want, used, index)
		}
	}
	for _, bad := range []string{"/nothing", name} {
		if _, err := Open(t.Context(), name, `{"index": "`+bad+`"}`); err == nil {
			t.Errorf("index %s was used", bad)
		}
	}
}

func TestAnswers(t *testing.T) {
	leaks(t)
	f := sample(t, "")
	text, err := f.Tables()
	if err != nil || !strings.Contains(text, `"path":"/table","convention":"vaex"`) || !strings.Contains(text, `"rows":50000`) {
		t.Errorf("%s, %v", text, err)
	}
	text, err = f.Datasets(t.Context())
	if err != nil || strings.Count(text, `"hdf5_type"`) != 16 || !strings.Contains(text, `"reason":"the chunks are filtered"`) {
		t.Errorf("%s, %v", text, err)
	}
	if text, err = f.Check(t.Context(), `{"deep": true}`); err != nil || text != "[]" {
		t.Errorf("%s, %v", text, err)
	}
	if text, err = part(t, f, `{"where": "fare > 1"}`).Describe(); err != nil || !strings.Contains(text, `"rows":null`) {
		t.Errorf("%s, %v", text, err)
	}
	text, err = part(t, f, "").Splits(t.Context(), `{"count": 4}`)
	if err != nil || strings.Count(text, `"file_rows"`) != 4 || !strings.Contains(text, `"rows":[16384,32768]`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestOptions(t *testing.T) {
	leaks(t)
	name := h5test.Fixture(t, "sample.h5")
	for _, bad := range []string{`{"colour": 1}`, `{"strings": "ebcdic"}`, `{"strings": 3}`, `{`, `[]`, `{} {}`, `{"convention": "none"}`} {
		if f, err := Open(t.Context(), name, bad); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v, %v", bad, f, err)
		}
	}
	f := sample(t, "")
	for _, bad := range []string{`{"where": 3}`, `{"where": [[]]}`, `{"where": [["fare"]]}`, `{"where": [["fare", ">", null]]}`, `{"where": [["fare", "in", 1, [2]]]}`,
		`{"where": [["fare", "between", 1]]}`, `{"where": "fare"}`, `{"rows": [3, 1]}`, `{"rows": "x"}`, `{"columns": ["nothing"]}`, `{"limit": -1}`} {
		tab, err := f.Table("")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Narrow(bad); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", bad, err)
		}
		tab.release()
	}
}

func TestErrorJSON(t *testing.T) {
	leaks(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.h5"), []byte("not HDF5"), 0o644); err != nil {
		t.Fatal(err)
	}
	decoded := func(err error) (f failure) {
		if err := json.Unmarshal([]byte(ErrorJSON(err)), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	_, err := Open(t.Context(), filepath.Join(dir, "x.h5"), "")
	if f := decoded(err); f.Kind != "corrupt" || f.File != filepath.Join(dir, "x.h5") || f.Message == "" {
		t.Errorf("%+v", f)
	}
	_, err = Open(t.Context(), filepath.Join(dir, "y.h5"), "")
	if f := decoded(err); f.Kind != "i/o" || f.Errno != int(syscall.ENOENT) {
		t.Errorf("%+v", f)
	}
	_, err = sample(t, "").Table(`{"path": "/nothing"}`)
	if f := decoded(err); f.Kind != "not found" || f.Object != "/nothing" || f.Offset != nil {
		t.Errorf("%+v", f)
	}
	at := h5err.At(h5err.Corrupt, 7, "bad").WithOption("dtype.Options.Strings", "read it as latin1").WithOption("h5.File.Walk", "look")
	if f := decoded(at); *f.Offset != 7 || len(f.Options) != 1 || f.Message != "at byte 7: corrupt: bad; read it as latin1 with strings" {
		t.Errorf("%+v", f)
	}
	if f := decoded(context.Canceled); f.Kind != "canceled" {
		t.Errorf("%+v", f)
	}
	if f := decoded(Protect(func() error { panic("oops") })); f.Kind != "internal" || !strings.Contains(f.Stack, "session_test.go") {
		t.Errorf("%+v", f)
	}
}

func TestHandles(t *testing.T) {
	leaks(t)
	var h Handles
	f, err := Open(t.Context(), h5test.Fixture(t, "sample.h5"), "")
	if err != nil {
		t.Fatal(err)
	}
	id := h.Add(f)
	used, done, err := Use[*File](&h, id)
	if err != nil || h.Len() != 1 {
		t.Fatal(err)
	}
	tab, err := used.Table("")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(id); err != nil || h.Len() != 0 {
		t.Errorf("close: %v", err)
	}
	done()
	if got := rows(t, tab, ""); got != 50000 { // the table keeps its file
		t.Errorf("%d rows", got)
	}
	other := h.Add(tab)
	for name, err := range map[string]error{"closed": h.Close(id), "closed twice": func() error { _, _, err := Use[*File](&h, id); return err }(),
		"another kind": func() error { _, _, err := Use[*File](&h, other); return err }(), "0": h.Close(0)} {
		if !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.Close(other); err != nil || other == id {
		t.Errorf("close: %v", err)
	}
}

func TestCancel(t *testing.T) {
	leaks(t)
	tab := part(t, sample(t, ""), "")
	r, err := NewReader(func(ctx context.Context) (Batches, error) {
		rr, _, err := tab.Read(ctx, "", memory.DefaultAllocator)
		return rr, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.release()
	r.Cancel()
	if b, err := r.Next(t.Context()); err == nil || !strings.Contains(ErrorJSON(err), `"canceled"`) {
		t.Errorf("%v, %v", b, err)
	}
}

func FuzzNarrow(f *testing.F) {
	for _, s := range []string{"", `{"where": [["fare", ">", 40]]}`, `{"where": "fare in (1, 2)", "limit": 2}`, `{"rows": [1, 2], "columns": ["tip"]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, options string) {
		tab, err := sample(t, "").Table("")
		if err != nil {
			t.Fatal(err)
		}
		defer tab.release()
		out, err := tab.Narrow(options)
		if err == nil {
			_, err = out.Describe()
			out.release()
		}
		if err != nil && !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", options, err)
		}
	})
}
