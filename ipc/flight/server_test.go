package flight

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// Without a token only the health check works.
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
		if _, err := New(p.catalog, opt); !h5err.Is(err, h5err.Argument) {
			t.Errorf("a wrong option: %v", err)
		}
	}
}

// A call that panics is an error for its caller only.
func TestPanic(t *testing.T) {
	leaks(t)
	roots, err := catalog.Open([]string{h5test.Fixture(t, "sample.h5")}, catalog.WithTables(func(*arrowmap.File) ([]*arrowmap.Table, error) { panic("of a test") }))
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	p := serveCatalog(t, roots)
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

// The observer gets all that is known about a call.
func TestObserver(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")})
	c := p.dial(t)
	got, _ := pull(t, c, pathOf("sample.h5"))
	got.release()
	eventually(t, func() bool { return len(p.ended("DoGet")) > 0 })
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

// Shutdown lets streams end, and cancels them when its context ends.
func TestShutdown(t *testing.T) {
	leaks(t)
	for _, patient := range []bool{true, false} {
		p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithBatchRows(100))
		c := p.dial(t)
		r := open(t, c, &flight.Ticket{Ticket: firstTicket(t, c, pathOf("sample.h5"))})
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
			eventually(t, func() bool { // Shutdown has started
				r, err := p.health.Check(context.Background(), &healthpb.HealthCheckRequest{Service: serviceName})
				return err == nil && r.Status == healthpb.HealthCheckResponse_NOT_SERVING
			})
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

func TestTLS(t *testing.T) {
	leaks(t)
	ca, stranger := newAuthority(t), newAuthority(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithTLS(&tls.Config{MinVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{ca.issue(t, "server")}, ClientCAs: ca.pool(), ClientAuth: tls.RequireAndVerifyClientCert}))
	for what, c := range map[string]struct {
		creds credentials.TransportCredentials
		ok    bool
	}{
		"mutual":         {credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{ca.issue(t, "client")}}), true},
		"no certificate": {credentials.NewTLS(&tls.Config{RootCAs: ca.pool()}), false},
		"a stranger's":   {credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{stranger.issue(t, "client")}}), false},
		"another server": {credentials.NewTLS(&tls.Config{RootCAs: stranger.pool(), Certificates: []tls.Certificate{ca.issue(t, "client")}}), false},
		"plain":          {insecure.NewCredentials(), false},
	} {
		t.Run(what, func(t *testing.T) {
			cl := p.dial(t, grpc.WithTransportCredentials(c.creds))
			if !c.ok {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				if _, err := cl.GetFlightInfo(ctx, pathOf("sample.h5")); status.Code(err) != codes.Unavailable {
					t.Error(err)
				}
				return
			}
			got, _ := pull(t, cl, pathOf("sample.h5"))
			if got.rows != 50000 {
				t.Errorf("%d rows", got.rows)
			}
			got.release()
			if calls := p.ended("GetFlightInfo"); !strings.HasPrefix(calls[0].Client, "certificate:") {
				t.Errorf("%+v", calls)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")})
	cc, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	for _, service := range []string{"", serviceName} {
		r, err := healthpb.NewHealthClient(cc).Check(context.Background(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || r.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%v, %v", r, err)
		}
	}
}
