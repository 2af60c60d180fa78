package flight

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// Every listed table has the rows that are read without a server, over one endpoint and over several, from mapped files
// and from plain reads.
func TestEveryTable(t *testing.T) {
	leaks(t)
	t.Run("testdata", func(t *testing.T) { everyTableOf(t, filepath.Join(h5test.Root(t), "testdata")) })
	t.Run("corpus", func(t *testing.T) { everyTableOf(t, filepath.Join(h5test.Corpus(t), "vaex")) })
}

func everyTableOf(t *testing.T, dir string) {
	for name, opts := range map[string][]Option{
		"default": nil,
		"many":    {WithEndpoints(5), WithBatchBytes(20 << 10)},
		"trusted": {WithTrustedInput(), WithBatchRows(1000), WithEndpointBytes(1 << 20)},
	} {
		t.Run(name, func(t *testing.T) {
			var ropts []catalog.Option
			if name == "many" {
				ropts = append(ropts, catalog.WithoutMapping())
			}
			roots, err := catalog.Open([]string{dir}, ropts...)
			if err != nil {
				t.Fatal(err)
			}
			defer roots.Close()
			p := serveCatalog(t, roots, opts...)
			defer p.Close()
			c := p.dial(t)
			defer c.Close()
			n := everyTable(t, c, dir, name == "default")
			if n == 0 {
				t.Error("nothing is listed")
			}
		})
	}
}

// everyTable compares all flights of a server, and returns how many there are.
func everyTable(t *testing.T, c flight.Client, dir string, one bool) int {
	t.Helper()
	stream, err := c.ListFlights(context.Background(), &flight.Criteria{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		info, err := stream.Recv()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		at := info.FlightDescriptor.Path
		if at[0] == "external.h5" { // external storage is refused
			if err := fail(c, t.Context(), info.Endpoint[0].Ticket.Ticket); status.Code(err) != codes.Unimplemented {
				t.Errorf("%v: %v", at, err)
			}
			continue
		}
		f, err := arrowmap.Open(filepath.Join(dir, at[0]))
		if err != nil {
			t.Fatal(err)
		}
		tab, err := f.Table(at[1])
		if err != nil {
			t.Fatal(err)
		}
		got, info := pull(t, c, info.FlightDescriptor)
		want := direct(t, tab)
		same(t, strings.Join(at, " "), got, want)
		if info.TotalRecords != want.rows || one && len(info.Endpoint) != 1 || !one && want.rows > 20_000 && len(info.Endpoint) < 2 {
			t.Errorf("%v: %d records, %d endpoints", at, info.TotalRecords, len(info.Endpoint))
		}
		got.release()
		want.release()
		f.Close()
	}
}

// A flight has the rows and columns that the descriptor chooses.
func TestDescriptors(t *testing.T) {
	leaks(t)
	dir := filepath.Join(h5test.Root(t), "testdata")
	p := serve(t, []string{dir})
	c := p.dial(t)
	whole := openTable(t, filepath.Join(dir, "sample.h5"), "/table")
	for text, w := range map[string]struct {
		columns   []string
		a, b      int64
		endpoints int
		batch     int64
	}{
		`{"file": "sample.h5"}`: {nil, 0, -1, 1, 0},
		`{"file": "sample.h5", "table": "/table", "columns": ["fare", "zone", "pickup"]}`: {[]string{"fare", "zone", "pickup"}, 0, -1, 1, 0},
		`{"file": "sample.h5", "table": "table", "rows": "100:20100", "endpoints": 4}`:    {nil, 100, 20100, 3, 0},
		`{"file": "sample.h5", "rows": "49000:", "batch_rows": 300}`:                      {nil, 49000, -1, 1, 300},
		`{"file": "sample.h5", "rows": ":7", "columns": ["note"]}`:                        {[]string{"note"}, 0, 7, 1, 0},
		`{"file": "sample.h5", "rows": "5:5"}`:                                            {nil, 5, 5, 1, 0},
		`{"file": "sample.h5", "rows": "0:99999999"}`:                                     {nil, 0, -1, 1, 0},
		` {"file": "sample.h5", "endpoints": 10000}`:                                      {nil, 0, -1, 0, 0},
	} {
		tab, err := whole, error(nil)
		if w.columns != nil {
			if tab, err = tab.Select(w.columns...); err != nil {
				t.Fatal(err)
			}
		}
		if tab, err = tab.Slice(w.a, w.b); err != nil {
			t.Fatal(err)
		}
		got, info := pull(t, c, commandOf(text))
		want := direct(t, tab)
		same(t, text, got, want)
		if w.endpoints > 0 && len(info.Endpoint) != w.endpoints {
			t.Errorf("%s: %d endpoints, want %d", text, len(info.Endpoint), w.endpoints)
		}
		for i, n := range got.sizes {
			if w.batch > 0 && n != w.batch && i != len(got.sizes)-1 {
				t.Errorf("%s: batches of %v rows, want %d", text, got.sizes, w.batch)
				break
			}
		}
		got.release()
		want.release()
		schema, err := c.GetSchema(context.Background(), commandOf(text))
		if err != nil || !bytes.Equal(schema.Schema, info.Schema) {
			t.Errorf("%s: the schema differs, %v", text, err)
		}
	}
	got, _ := pull(t, c, pathOf("sample.h5"))
	want := direct(t, whole)
	same(t, "a path of one part", got, want)
	got.release()
	want.release()
}

// Descriptors of what is not served are errors that do not show where the files are.
func TestWrongDescriptors(t *testing.T) {
	leaks(t)
	dir := filepath.Join(h5test.Root(t), "testdata")
	c := serve(t, []string{dir}).dial(t)
	for _, bad := range []struct {
		d    *flight.FlightDescriptor
		code codes.Code
		text string
	}{
		{pathOf(), codes.InvalidArgument, "a path of 0 parts"},
		{pathOf("sample.h5", "/table", "x"), codes.InvalidArgument, "a path of 3 parts"},
		{pathOf("missing.h5", "/table"), codes.NotFound, `no file "missing.h5" is served`},
		{pathOf("sample.h5", "/nothing"), codes.NotFound, "sample.h5: /nothing: no such table"},
		{pathOf("../testdata/sample.h5"), codes.InvalidArgument, "is not the name of a served file"},
		{pathOf("/etc/passwd"), codes.InvalidArgument, "is not the name of a served file"},
		{pathOf("."), codes.InvalidArgument, "is not the name of a served file"},
		{pathOf("expected"), codes.NotFound, "is served"},
		{pathOf("external.raw"), codes.NotFound, `no file "external.raw" is served`},
		{pathOf("old.h5"), codes.InvalidArgument, "tables"},
		{&flight.FlightDescriptor{}, codes.InvalidArgument, "neither a path nor a command"},
		{commandOf(`select 1`), codes.InvalidArgument, "the command is not a JSON object"},
		{commandOf(`{}`), codes.InvalidArgument, `names no "file"`},
		{commandOf(`{"file": "sample.h5"} {}`), codes.InvalidArgument, "continues"},
		{commandOf(`{"file": "sample.h5", "column": ["fare"]}`), codes.InvalidArgument, "column"},
		{commandOf(`{"file": "sample.h5", "columns": []}`), codes.InvalidArgument, "no column"},
		{commandOf(`{"file": "sample.h5", "columns": ["fares"]}`), codes.InvalidArgument, "sample.h5: /table: no column fares"},
		{commandOf(`{"file": "sample.h5", "rows": "7"}`), codes.InvalidArgument, "rows"},
		{commandOf(`{"file": "sample.h5", "rows": "7:6"}`), codes.InvalidArgument, "rows"},
		{commandOf(`{"file": "sample.h5", "rows": "-1:6"}`), codes.InvalidArgument, "rows"},
		{commandOf(`{"file": "sample.h5", "rows": "60000:"}`), codes.InvalidArgument, "of a table of 50000 rows"},
		{commandOf(`{"file": "sample.h5", "endpoints": -1}`), codes.InvalidArgument, "endpoints"},
		{commandOf(`{"file": "sample.h5", "endpoints": 10001}`), codes.InvalidArgument, "endpoints"},
		{commandOf(`{"file": "sample.h5", "batch_rows": -5}`), codes.InvalidArgument, "batch_rows"},
	} {
		what := fmt.Sprint(bad.d)
		_, err := c.GetFlightInfo(context.Background(), bad.d)
		needCode(t, what, err, bad.code, bad.text)
		_, err = c.GetSchema(context.Background(), bad.d)
		needCode(t, what, err, bad.code, bad.text)
		if err != nil && strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the client sees where the files are: %v", what, err)
		}
	}
}

func TestCriteria(t *testing.T) {
	leaks(t)
	p := serve(t, []string{filepath.Join(h5test.Root(t), "testdata")})
	c := p.dial(t)
	list := func(text string) (names []string, err error) {
		stream, err := c.ListFlights(context.Background(), &flight.Criteria{Expression: []byte(text)})
		for err == nil {
			var info *flight.FlightInfo
			if info, err = stream.Recv(); err == nil {
				names = append(names, strings.Join(info.FlightDescriptor.Path, ":"))
			}
		}
		if err == io.EOF {
			err = nil
		}
		return names, err
	}
	all, err := list("")
	if err != nil || len(all) < 10 {
		t.Fatalf("%v, %v", all, err)
	}
	for text, want := range map[string]string{
		"sample.h5": "sample.h5:/table",
		"sampl?.h5": "sample.h5:/table",
		"expected/": "",
		`{"file": "sample.h5", "table": "/tab*"}`: "sample.h5:/table",
		`{"table": "/none"}`:                      "",
	} {
		if got, err := list(text); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"[", `{"files": 1}`, `{"table": "["}`} {
		_, err := list(text)
		needCode(t, text, err, codes.InvalidArgument, "")
	}
}

// Endpoints of chunked tables end where chunks do.
func TestChunkBorders(t *testing.T) {
	leaks(t)
	roots, err := catalog.Open([]string{h5test.Fixture(t, "sample.h5")})
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	s, err := New(roots)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := roots.Acquire("sample.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Release()
	w := &wanted{from: 100, to: -1, endpoints: 3}
	v, err := viewOf(h, w)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.info(v, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := v.t.Footprint().ChunkRows
	if rows <= 0 || len(info.Endpoint) != 3 {
		t.Fatalf("chunks of %d rows, %d endpoints", rows, len(info.Endpoint))
	}
	at := int64(100)
	for _, e := range info.Endpoint {
		tkt, err := s.keys.open(e.Ticket.Ticket)
		if err != nil {
			t.Fatal(err)
		}
		if tkt.From != at || tkt.To != v.to && tkt.To%rows != 0 {
			t.Errorf("rows %d to %d, after %d, of chunks of %d", tkt.From, tkt.To, at, rows)
		}
		at = tkt.To
	}
	if at != v.to {
		t.Errorf("endpoints end at row %d of %d", at, v.to)
	}
}

func FuzzDescriptor(f *testing.F) {
	f.Add([]byte(`{"file": "a.h5", "table": "/t", "columns": ["x"], "rows": "1:2", "endpoints": 2, "batch_rows": 5}`))
	f.Add([]byte(`{"file":"a","rows":":"}`))
	f.Add([]byte("[a-"))
	f.Add([]byte(`\`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := parseCommand(b); err == nil {
			if w.file == "" || w.from < 0 || w.to >= 0 && w.to < w.from || w.endpoints < 0 || w.endpoints > maxEndpoints || w.batchRows < 0 {
				t.Errorf("%q: %+v", b, w)
			}
		} else if !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", b, err)
		}
		if c, err := parseCriteria(b); err == nil {
			c.takesFile("a/b.h5")
			c.takesTable("/t")
		} else if !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", b, err)
		}
		s := string(b)
		if like(&s, s) != true && !strings.ContainsAny(s, `%_\`) && !strings.ContainsRune(s, slash) && strings.ToValidUTF8(s, "") == s {
			t.Errorf("%q is not like itself", s)
		}
	})
}
