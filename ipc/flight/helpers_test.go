package flight

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
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
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// leaks fails the test if goroutines, open files or mappings are left at its end.
func leaks(t testing.TB) {
	t.Helper()
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
}

// place is a running server.
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

// serve starts a server for files, and stops it when the test ends.
func serve(t testing.TB, paths []string, opts ...Option) *place {
	t.Helper()
	roots, err := catalog.Open(paths)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { roots.Close() })
	return serveCatalog(t, roots, opts...)
}

func serveCatalog(t testing.TB, roots *catalog.Catalog, opts ...Option) *place {
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

func serveOn(t testing.TB, l net.Listener, roots *catalog.Catalog, opts ...Option) *place {
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

// dial returns a client, which is closed when the test ends.
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

// table is rows that were received or are expected.
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

// sameHalves compares half floats, of which ApproxEqual takes no infinity for equal to another.
func sameHalves(a, b arrow.Array) bool {
	if a.DataType().ID() != arrow.FLOAT16 || b.DataType().ID() != arrow.FLOAT16 || a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if a.IsNull(i) != b.IsNull(i) || a.ValueStr(i) != b.ValueStr(i) {
			return false
		}
	}
	return true
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
		if !array.ApproxEqual(got.columns[i], want.columns[i], array.WithAbsTolerance(0), array.WithNaNsEqual(true)) && !sameHalves(got.columns[i], want.columns[i]) {
			t.Fatalf("%s: column %s differs", what, want.schema.Field(i).Name)
		}
	}
}

// pull reads a flight through all its endpoints.
func pull(t testing.TB, c flight.Client, d *flight.FlightDescriptor) (*table, *flight.FlightInfo) {
	t.Helper()
	info := flightInfo(t, c, d)
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

// fail reads a DoGet and returns its error.
func fail(c flight.Client, ctx context.Context, tkt []byte) error {
	stream, err := c.DoGet(ctx, &flight.Ticket{Ticket: tkt})
	if err != nil {
		return err
	}
	return rest(stream)
}

// rest reads a stream and returns its error, nil at its end.
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

// copied copies a test file to a temporary folder.
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

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, x, x, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, x, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// narrow is a client with so small a window that a server can't go far ahead of it.
func narrow() grpc.DialOption { return grpc.WithStaticStreamWindowSize(window) }

// window is how many bytes a server sends to a narrow client that does not read.
const window = 64 << 10

// start starts a stream and reads its first message, the schema.
func start(t testing.TB, c flight.Client, ctx context.Context, tkt []byte) flight.FlightService_DoGetClient {
	t.Helper()
	stream, err := c.DoGet(ctx, &flight.Ticket{Ticket: tkt})
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func firstTable(t *testing.T, c flight.Client, file string) string {
	t.Helper()
	stream, err := c.ListFlights(context.Background(), &flight.Criteria{Expression: []byte(file)})
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if err := rest(stream); err != nil {
		t.Fatal(err)
	}
	return info.FlightDescriptor.Path[1]
}

// timeout is how long tests wait for what must happen.
const timeout = 20 * time.Second

// eventually waits for a condition.
func eventually(t testing.TB, cond func() bool) {
	t.Helper()
	h5test.Eventually(t, timeout, cond)
}

// idle waits until streams have ended and their memory has been released.
func (p *place) idle(t testing.TB) {
	t.Helper()
	eventually(t, func() bool { s := p.Stats(); return s.Streams == 0 && s.Memory == 0 && s.Waiting == 0 })
}

// openTable opens a table of a file without a server. The file is closed when the test ends.
func openTable(t testing.TB, file, table string) *arrowmap.Table {
	t.Helper()
	f, err := arrowmap.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	tab, err := f.Table(table)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// flightInfo describes a flight.
func flightInfo(t testing.TB, c flight.Client, d *flight.FlightDescriptor) *flight.FlightInfo {
	t.Helper()
	info, err := c.GetFlightInfo(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// firstTicket returns the ticket of the first endpoint of a flight.
func firstTicket(t testing.TB, c flight.Client, d *flight.FlightDescriptor) []byte {
	t.Helper()
	return flightInfo(t, c, d).Endpoint[0].Ticket.Ticket
}
