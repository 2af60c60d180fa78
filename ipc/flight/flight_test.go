package flight

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// leaks fails the test if the server leaves anything behind.
func leaks(t testing.TB) {
	t.Helper()
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
}

// place is a server that runs.
type place struct {
	*Server
	address string

	mu    sync.Mutex
	calls []Call
}

// ended returns the calls of a method that have ended.
func (p *place) ended(method string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Call
	for _, c := range p.calls {
		if c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

// serve starts a server over files, and stops it at the test's end.
func serve(t testing.TB, paths []string, opts ...Option) *place {
	t.Helper()
	roots, err := OpenRoots(paths)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { roots.Close() })
	return serveRoots(t, roots, opts...)
}

func serveRoots(t testing.TB, roots *Roots, opts ...Option) *place {
	t.Helper()
	return serveOn(t, listen(t), roots, opts...)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serveOn(t testing.TB, l net.Listener, roots *Roots, opts ...Option) *place {
	t.Helper()
	p := &place{}
	s, err := New(roots, append([]Option{WithObserver(func(c Call) {
		p.mu.Lock()
		p.calls = append(p.calls, c)
		p.mu.Unlock()
	})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	p.Server, p.address = s, l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// dial returns a client of a server, which is closed at the test's end.
func (p *place) dial(t testing.TB, opts ...grpc.DialOption) flight.Client {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1 << 30))}, opts...)
	c, err := flight.NewClientWithMiddleware(p.address, nil, nil, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func pathOf(parts ...string) *flight.FlightDescriptor {
	return &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: parts}
}

func commandOf(text string) *flight.FlightDescriptor {
	return &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: []byte(text)}
}

// table is rows that came, or should have come.
type table struct {
	schema  *arrow.Schema
	columns []arrow.Array
	rows    int64
	sizes   []int64 // of the batches
}

func (x *table) release() {
	for _, c := range x.columns {
		c.Release()
	}
}

// gather reads all batches of readers of one schema.
func gather(t testing.TB, schema *arrow.Schema, readers ...array.RecordReader) *table {
	t.Helper()
	x := &table{schema: schema, columns: make([]arrow.Array, schema.NumFields())}
	parts := make([][]arrow.Array, schema.NumFields())
	for _, r := range readers {
		for r.Next() {
			rec := r.RecordBatch()
			x.rows += rec.NumRows()
			x.sizes = append(x.sizes, rec.NumRows())
			for i, c := range rec.Columns() {
				c.Retain()
				parts[i] = append(parts[i], c)
			}
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i, list := range parts {
		if len(list) == 0 {
			x.columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, schema.Field(i).Type, 0)
			continue
		}
		c, err := array.Concatenate(list, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		x.columns[i] = c
		for _, part := range list {
			part.Release()
		}
	}
	return x
}

// same fails the test unless two tables are equal.
func same(t testing.TB, what string, got, want *table) {
	t.Helper()
	if !got.schema.Equal(want.schema) {
		t.Fatalf("%s: the schema is\n%v, want\n%v", what, got.schema, want.schema)
	}
	if g, w := got.schema.Metadata(), want.schema.Metadata(); !g.Equal(w) {
		t.Fatalf("%s: the schema's metadata are %v, want %v", what, g, w)
	}
	if got.rows != want.rows {
		t.Fatalf("%s: %d rows, want %d", what, got.rows, want.rows)
	}
	for i := range want.columns {
		if !array.ApproxEqual(got.columns[i], want.columns[i], array.WithAbsTolerance(0), array.WithNaNsEqual(true)) {
			t.Fatalf("%s: column %s differs", what, want.schema.Field(i).Name)
		}
	}
}

// pull reads a flight through all its endpoints.
func pull(t testing.TB, c flight.Client, d *flight.FlightDescriptor) (*table, *flight.FlightInfo) {
	t.Helper()
	info, err := c.GetFlightInfo(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := flight.DeserializeSchema(info.Schema, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	var readers []array.RecordReader
	for _, e := range info.Endpoint {
		r := open(t, c, e.Ticket)
		defer r.Release()
		readers = append(readers, r)
	}
	return gather(t, schema, readers...), info
}

func open(t testing.TB, c flight.Client, tkt *flight.Ticket) *flight.Reader {
	t.Helper()
	stream, err := c.DoGet(context.Background(), tkt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := flight.NewRecordReader(stream)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fail is the error of a DoGet to its end.
func fail(c flight.Client, ctx context.Context, tkt []byte) error {
	stream, err := c.DoGet(ctx, &flight.Ticket{Ticket: tkt})
	if err != nil {
		return err
	}
	return rest(stream)
}

// rest is the error of a stream to its end, nil where it ends well.
func rest[T any](stream interface{ Recv() (T, error) }) error {
	var err error
	for err == nil {
		_, err = stream.Recv()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// direct reads a table without a server.
func direct(t testing.TB, tab *arrowmap.Table) *table {
	t.Helper()
	r, err := tab.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	return gather(t, r.Schema(), r)
}

// needCode fails the test unless an error has a code and a text.
func needCode(t testing.TB, what string, err error, code codes.Code, text string) {
	t.Helper()
	if st := status.Convert(err); st.Code() != code || !strings.Contains(st.Message(), text) {
		t.Errorf("%s: %v, want %v with %q", what, err, code, text)
	}
}

// copied copies a test file to a folder of the test's own.
func copied(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(h5test.Fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// Every table that is listed comes as it is read without a server, over one endpoint and over several, from mapped files
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
			var ropts []RootOption
			if name == "many" {
				ropts = append(ropts, WithoutMapping())
			}
			roots, err := OpenRoots([]string{dir}, ropts...)
			if err != nil {
				t.Fatal(err)
			}
			defer roots.Close()
			p := serveRoots(t, roots, opts...)
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

// What a descriptor chooses is what comes.
func TestDescriptors(t *testing.T) {
	leaks(t)
	dir := filepath.Join(h5test.Root(t), "testdata")
	p := serve(t, []string{dir})
	c := p.dial(t)
	f, err := arrowmap.Open(filepath.Join(dir, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole, err := f.Table("/table")
	if err != nil {
		t.Fatal(err)
	}
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
		tab := whole
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

	for _, bad := range []struct {
		d    *flight.FlightDescriptor
		code codes.Code
		text string
	}{
		{pathOf(), codes.InvalidArgument, "a path of 0 parts"},
		{pathOf("sample.h5", "/table", "x"), codes.InvalidArgument, "a path of 3 parts"},
		{pathOf("missing.h5", "/table"), codes.NotFound, `no file "missing.h5" is served`},
		{pathOf("sample.h5", "/nothing"), codes.NotFound, "sample.h5: /nothing: no such table"},
		{pathOf("../testdata/sample.h5"), codes.InvalidArgument, "is no name of a file that is served"},
		{pathOf("/etc/passwd"), codes.InvalidArgument, "is no name of a file that is served"},
		{pathOf("."), codes.InvalidArgument, "is no name of a file that is served"},
		{pathOf("expected"), codes.NotFound, "is served"},
		{pathOf("external.raw"), codes.DataLoss, "external.raw: at byte 0: corrupt: no HDF5 signature"},
		{pathOf("old.h5"), codes.InvalidArgument, "tables"},
		{&flight.FlightDescriptor{}, codes.InvalidArgument, "neither a path nor a command"},
		{commandOf(`select 1`), codes.InvalidArgument, "the command is not the JSON object"},
		{commandOf(`{}`), codes.InvalidArgument, `names no "file"`},
		{commandOf(`{"file": "sample.h5"} {}`), codes.InvalidArgument, "goes on"},
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
	roots, err := OpenRoots([]string{h5test.Fixture(t, "sample.h5")})
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	s, err := New(roots)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := roots.acquire("sample.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer h.release()
	w := &wanted{from: 100, to: -1, endpoints: 3}
	v, err := h.view(w)
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

// A ticket is taken as it was issued, or not at all.
func TestTickets(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	key := bytes.Repeat([]byte{7}, 32)
	p := serve(t, []string{filepath.Dir(path)}, WithTicketKey(key), WithTicketLife(time.Minute))
	c := p.dial(t)
	ctx := context.Background()
	info, err := c.GetFlightInfo(ctx, pathOf("sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	good := info.Endpoint[0].Ticket.Ticket
	if err := fail(c, ctx, good); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(info.Endpoint[0].ExpirationTime.AsTime()); left > time.Minute || left < 50*time.Second {
		t.Errorf("it expires in %v", left)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		err := fail(c, ctx, bad)
		if i < len(ticketMark) {
			needCode(t, "another mark", err, codes.InvalidArgument, "this is no ticket")
		} else {
			needCode(t, fmt.Sprintf("byte %d altered", i), err, codes.PermissionDenied, "altered")
		}
	}
	for n := range good {
		code := codes.PermissionDenied
		if n < ticketHead {
			code = codes.InvalidArgument
		}
		needCode(t, fmt.Sprintf("cut to %d bytes", n), fail(c, ctx, good[:n]), code, "")
	}
	needCode(t, "longer", fail(c, ctx, append(bytes.Clone(good), ' ')), codes.PermissionDenied, "altered")

	other := newKeyring(nil, time.Minute)
	sealed := func(k *keyring, x ticket) []byte {
		b, err := k.seal(x, k.expiry())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	x, err := p.keys.open(good)
	if err != nil {
		t.Fatal(err)
	}
	needCode(t, "of another server", fail(c, ctx, sealed(other, *x)), codes.PermissionDenied, "another server")
	shared := newKeyring(key, time.Minute)
	if err := fail(c, ctx, sealed(shared, *x)); err != nil {
		t.Errorf("of a server with the same key: %v", err)
	}
	late := newKeyring(key, time.Minute)
	late.now = func() time.Time { return time.Now().Add(-2 * time.Minute) }
	needCode(t, "expired", fail(c, ctx, sealed(late, *x)), codes.PermissionDenied, "expired")
	// Even one that is signed leads nowhere else.
	for _, name := range []string{"../sample.h5", "/etc/passwd", "a/../../sample.h5", "", ".", "..", "./sample.h5", "a\x00b"} {
		y := *x
		y.File = name
		code := codes.PermissionDenied
		if name == "." || name == "a\x00b" {
			code = status.Code(fail(c, ctx, sealed(shared, y)))
			if code == codes.OK {
				t.Errorf("%q is served", name)
			}
			continue
		}
		needCode(t, name, fail(c, ctx, sealed(shared, y)), code, "names nothing that is served")
	}
	for what, change := range map[string]func(*ticket){
		"rows that end early": func(y *ticket) { y.From, y.To = 5, 3 },
		"rows below 0":        func(y *ticket) { y.From = -1 },
	} {
		y := *x
		change(&y)
		needCode(t, what, fail(c, ctx, sealed(shared, y)), codes.PermissionDenied, "")
	}
	y := *x
	y.Columns = []string{"nothing"}
	needCode(t, "a column", fail(c, ctx, sealed(shared, y)), codes.InvalidArgument, "no column nothing")
	needCode(t, "SQL", fail(c, ctx, sealed(shared, ticket{SQL: "select 1"})), codes.Unimplemented, "no SQL")

	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	needCode(t, "a changed file", fail(c, ctx, good), codes.FailedPrecondition, "was changed")
}

// Without a token there is nothing but the health check.
func TestTokens(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithTokens("secret", "another"))
	cc, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	call := func(ctx context.Context, service, method string, info grpc.MethodInfo) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		stream, err := cc.NewStream(ctx, &grpc.StreamDesc{StreamName: method, ServerStreams: true, ClientStreams: info.IsClientStream}, "/"+service+"/"+method)
		if err != nil {
			return err
		}
		if err := stream.SendMsg(&flight.Empty{}); err != nil && err != io.EOF {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		return stream.RecvMsg(&flight.Empty{})
	}
	authorized := func(values ...string) context.Context {
		ctx := context.Background()
		for _, v := range values {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", v)
		}
		return ctx
	}
	n := 0
	services := p.grpc.GetServiceInfo()
	services["no.such.Service"] = grpc.ServiceInfo{Methods: []grpc.MethodInfo{{Name: "Method"}}}
	for service, info := range services {
		for _, m := range info.Methods {
			n++
			name := service + "/" + m.Name
			free := name == "grpc.health.v1.Health/Check"
			for what, ctx := range map[string]context.Context{
				"none": authorized(), "empty": authorized(""), "unknown": authorized("Bearer secre"), "longer": authorized("Bearer secrets"),
				"no bearer": authorized("secret"), "basic": authorized("Basic c2VjcmV0"), "two": authorized("Bearer secret", "Bearer secret"),
			} {
				if err := call(ctx, service, m.Name, m); (status.Code(err) == codes.Unauthenticated) == free {
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
			for _, token := range []string{"Bearer secret", "bearer another"} {
				if err := call(authorized(token), service, m.Name, m); status.Code(err) == codes.Unauthenticated {
					t.Errorf("%s with a token: %v", name, err)
				}
			}
		}
	}
	if n < 15 {
		t.Errorf("%d methods", n)
	}
	c := p.dial(t)
	if _, err := c.GetFlightInfo(authorized("Bearer another"), pathOf("sample.h5")); err != nil {
		t.Error(err)
	}
	for _, opt := range []Option{WithTokens(), WithTokens(""), WithTicketKey([]byte("short")), WithTicketLife(0), WithMaxStreams(0),
		WithMaxMemory(1), WithEndpoints(0), WithEndpoints(1 << 20), WithSendTimeout(-1), WithSQL(nil)} {
		if _, err := New(p.roots, opt); !h5err.Is(err, h5err.Argument) {
			t.Errorf("a wrong option: %v", err)
		}
	}
}

// A call that panics costs its caller an error.
func TestPanic(t *testing.T) {
	leaks(t)
	roots, err := OpenRoots([]string{h5test.Fixture(t, "sample.h5")}, WithTables(func(*arrowmap.File) ([]*arrowmap.Table, error) { panic("of a test") }))
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	p := serveRoots(t, roots)
	c := p.dial(t)
	for range 3 {
		_, err = c.GetFlightInfo(context.Background(), pathOf("sample.h5"))
		if code := status.Code(err); code != codes.Internal && code != codes.DataLoss {
			t.Error(err)
		}
	}
	if calls := p.ended("GetFlightInfo"); len(calls) != 3 || !strings.Contains(calls[0].Err.Error(), "panic: of a test") || calls[0].Status != "Internal" {
		t.Errorf("%+v", calls)
	}
}

// Calls are told of with all that is known of them.
func TestObserver(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")})
	c := p.dial(t)
	got, _ := pull(t, c, pathOf("sample.h5"))
	got.release()
	deadline := time.Now().Add(5 * time.Second)
	for len(p.ended("DoGet")) == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	calls := p.ended("DoGet")
	if len(calls) != 1 {
		t.Fatalf("%+v", p.calls)
	}
	call := calls[0]
	if call.Status != "OK" || call.Err != nil || call.File != "sample.h5" || call.Table != "/table" || call.Rows != 50000 || call.Batches < 1 ||
		call.Bytes < 50000*20 || call.Client != "address:127.0.0.1" || call.Peer == "" || call.Duration <= 0 {
		t.Errorf("%+v", call)
	}
	if _, err := c.GetFlightInfo(context.Background(), pathOf("none.h5")); err == nil {
		t.Fatal("no error")
	}
	infos := p.ended("GetFlightInfo")
	if call := infos[len(infos)-1]; call.Status != "NotFound" || !h5err.Is(call.Err, h5err.NotFound) {
		t.Errorf("%+v", call)
	}
	if s := p.Stats(); s.Connections != 1 || s.Streams != 0 || s.Memory != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// A server that is told to stop lets a stream end that is under way, and cuts it off when it takes too long.
func TestShutdown(t *testing.T) {
	leaks(t)
	for _, patient := range []bool{true, false} {
		p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithBatchRows(100))
		c := p.dial(t)
		info, err := c.GetFlightInfo(context.Background(), pathOf("sample.h5"))
		if err != nil {
			t.Fatal(err)
		}
		r := open(t, c, info.Endpoint[0].Ticket)
		if !r.Next() {
			t.Fatal(r.Err())
		}
		wait := 50 * time.Millisecond
		if patient {
			wait = time.Minute
		}
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(ctx) }()
		if patient {
			time.Sleep(20 * time.Millisecond)
			rows := r.RecordBatch().NumRows()
			for r.Next() {
				rows += r.RecordBatch().NumRows()
			}
			if r.Err() != nil || rows != 50000 {
				t.Errorf("%d rows, %v", rows, r.Err())
			}
			r.Release()
		}
		if err := <-done; (err == nil) != patient || !patient && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if !patient {
			for r.Next() {
			}
			if r.Err() == nil {
				t.Error("the stream ended well")
			}
			r.Release()
		}
		cancel()
		c.Close()
	}
}
