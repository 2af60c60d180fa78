package flight

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A ticket is accepted only as it was issued.
func TestTickets(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	key := bytes.Repeat([]byte{7}, 32)
	p := serve(t, []string{filepath.Dir(path)}, WithTicketKey(key), WithTicketLife(time.Minute))
	c := p.dial(t)
	ctx := context.Background()
	info := flightInfo(t, c, pathOf("sample.h5"))
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
		switch {
		case i < len(ticketMark):
			needCode(t, "another mark", err, codes.InvalidArgument, "not a ticket")
		case i < ticketSums:
			needCode(t, "another key", err, codes.PermissionDenied, "has expired: the server has been started again")
		default:
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

}

// sealed is a ticket that a keyring issues now.
func sealed(t *testing.T, k *keyring, x ticket) []byte {
	t.Helper()
	b, err := k.seal(x, k.expiry())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What a ticket says is checked even if it is signed.
func TestSignedTickets(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	key := bytes.Repeat([]byte{7}, 32)
	p := serve(t, []string{filepath.Dir(path)}, WithTicketKey(key))
	c := p.dial(t)
	ctx := context.Background()
	good := firstTicket(t, c, pathOf("sample.h5"))
	x, err := p.keys.open(good)
	if err != nil {
		t.Fatal(err)
	}
	needCode(t, "of another server", fail(c, ctx, sealed(t, newKeyring(nil, time.Minute), *x)), codes.PermissionDenied, "another server")
	shared := newKeyring(key, time.Minute)
	if err := fail(c, ctx, sealed(t, shared, *x)); err != nil {
		t.Errorf("of a server with the same key: %v", err)
	}
	late := newKeyring(key, time.Minute)
	late.now = func() time.Time { return time.Now().Add(-2 * time.Minute) }
	needCode(t, "expired", fail(c, ctx, sealed(t, late, *x)), codes.PermissionDenied, "expired")
	// Even a signed ticket cannot name a file outside the roots.
	for _, name := range []string{"../sample.h5", "/etc/passwd", "a/../../sample.h5", "", ".", "..", "./sample.h5", "a\x00b"} {
		y := *x
		y.File = name
		code := codes.PermissionDenied
		if name == "." || name == "a\x00b" {
			code = status.Code(fail(c, ctx, sealed(t, shared, y)))
			if code == codes.OK {
				t.Errorf("%q is served", name)
			}
			continue
		}
		needCode(t, name, fail(c, ctx, sealed(t, shared, y)), code, "names nothing that is served")
	}
	for what, change := range map[string]func(*ticket){
		"rows that end early": func(y *ticket) { y.From, y.To = 5, 3 },
		"rows below 0":        func(y *ticket) { y.From = -1 },
	} {
		y := *x
		change(&y)
		needCode(t, what, fail(c, ctx, sealed(t, shared, y)), codes.PermissionDenied, "")
	}
	y := *x
	y.Columns = []string{"nothing"}
	needCode(t, "a column", fail(c, ctx, sealed(t, shared, y)), codes.InvalidArgument, "no column nothing")
	needCode(t, "SQL", fail(c, ctx, sealed(t, shared, ticket{SQL: "select 1"})), codes.Unimplemented, "does not answer SQL")

	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	needCode(t, "a changed file", fail(c, ctx, good), codes.FailedPrecondition, "was changed")
}

// A keyring accepts only what it sealed.
func FuzzTicket(f *testing.F) {
	k := newKeyring(bytes.Repeat([]byte{1}, 32), time.Hour)
	k.now = func() time.Time { return time.Unix(1000, 0) }
	good, err := k.seal(ticket{File: "a.h5", Table: "/t", To: 5}, k.expiry())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte(ticketMark))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := k.open(b)
		if err == nil {
			again, err := k.seal(*x, time.Unix(x.Expires, 0))
			if err != nil || !bytes.Equal(b, again) {
				t.Errorf("%q was taken", b)
			}
			return
		}
		if c := status.Code(err); c != codes.InvalidArgument && c != codes.PermissionDenied {
			t.Error(err)
		}
		// The same bytes, signed: expired content is refused.
		if len(b) > ticketHead {
			body := b[ticketHead:]
			if x, err := k.open(append(append([]byte(ticketMark), k.mac(body)...), body...)); err == nil && x.Expires <= 1000 {
				t.Errorf("%q has expired", body)
			}
		}
	})
}
