package flight

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ticket is the content of a ticket. It is sent as ticketMark, the name of the key that signed it, an HMAC-SHA256 of all that
// follows it, and JSON.
type ticket struct {
	File      string   `json:"f,omitempty"`
	Table     string   `json:"t,omitempty"`
	Columns   []string `json:"c,omitempty"`
	From      int64    `json:"a,omitempty"`
	To        int64    `json:"b,omitempty"`
	BatchRows int64    `json:"n,omitempty"`
	Size      int64    `json:"s,omitempty"` // of the file when the ticket was issued
	Time      int64    `json:"m,omitempty"` // of its modification, in nanoseconds
	Growing   bool     `json:"g,omitempty"` // the file was being written: it may be longer by now
	SQL       string   `json:"q,omitempty"` // a statement; then the fields above are empty
	Values    []byte   `json:"v,omitempty"` // of its parameters, as an IPC stream
	Expires   int64    `json:"x"`           // Unix time
}

const (
	ticketMark = "h5a2"
	keyName    = 8 // bytes of the name of a key
	ticketSums = len(ticketMark) + keyName
	ticketHead = ticketSums + sha256.Size
	maxTicket  = 1 << 20
)

// keyring signs tickets and verifies them.
type keyring struct {
	key  []byte
	name []byte // the start of a sum of the key: it distinguishes tickets of other keys from altered ones
	life time.Duration
	now  func() time.Time
}

func newKeyring(key []byte, life time.Duration) *keyring {
	if key == nil {
		key = make([]byte, sha256.Size)
		rand.Read(key) // never fails
	}
	k := &keyring{key: key, life: life, now: time.Now}
	k.name = k.mac([]byte("name of the key"))[:keyName]
	return k
}

func (k *keyring) mac(body []byte) []byte {
	h := hmac.New(sha256.New, k.key)
	h.Write(body)
	return h.Sum(nil)
}

// expiry returns when tickets that are issued now expire.
func (k *keyring) expiry() time.Time { return k.now().Add(k.life).Truncate(time.Second) }

// seal returns a ticket as it is sent to clients.
func (k *keyring) seal(t ticket, expires time.Time) ([]byte, error) {
	t.Expires = expires.Unix()
	body, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	if len(body) > maxTicket-ticketHead {
		return nil, status.Errorf(codes.ResourceExhausted, "a ticket of %d bytes", ticketHead+len(body))
	}
	return slices.Concat([]byte(ticketMark), k.name, k.mac(body), body), nil
}

// isTicket reports whether bytes start like a ticket of this package.
func isTicket(b []byte) bool {
	return len(b) >= ticketHead && string(b[:len(ticketMark)]) == ticketMark
}

// open returns the content of a ticket that this keyring issued and that has not expired.
func (k *keyring) open(b []byte) (*ticket, error) {
	if !isTicket(b) || len(b) > maxTicket {
		return nil, status.Error(codes.InvalidArgument, "not a ticket; GetFlightInfo returns tickets")
	}
	if !bytes.Equal(b[len(ticketMark):ticketSums], k.name) {
		return nil, status.Error(codes.PermissionDenied, "the ticket has expired: the server has been started again since, or another server issued it; GetFlightInfo returns a new one")
	}
	body := b[ticketHead:]
	if !hmac.Equal(b[ticketSums:ticketHead], k.mac(body)) {
		return nil, status.Error(codes.PermissionDenied, "the ticket was altered; GetFlightInfo returns a new one")
	}
	var t ticket
	if err := strictJSON(body, &t); err != nil {
		return nil, status.Error(codes.InvalidArgument, "not a ticket; GetFlightInfo returns tickets")
	}
	if k.now().Unix() >= t.Expires {
		return nil, status.Error(codes.PermissionDenied, "the ticket has expired; GetFlightInfo returns a new one")
	}
	return &t, nil
}
