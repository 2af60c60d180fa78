//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package source

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestIdentity opens versions of files of one size, name and time of modification.
func TestIdentity(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	at := time.Unix(1_000_000_000, 5)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	open := func(age time.Duration) (Identity, bool) {
		t.Helper()
		s, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Release()
		l := s.b.(*local)
		l.opened = time.Unix(0, l.id.Changed).Add(age)
		return s.Identity()
	}
	write("one")
	if id, ok := open(settled - 1); ok {
		t.Errorf("a file that was changed just now is %v", id)
	}
	one, ok := open(settled)
	if again, _ := open(time.Hour); !ok || one != again || one.Size != 3 || one.Modified != at.UnixNano() {
		t.Errorf("%v, and %v", one, again)
	}
	for { // until the clock of the file system has moved on
		write("two")
		if two, ok := open(settled); !ok {
			t.Fatal("no identity")
		} else if two != one {
			break
		}
	}
	s, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	s.b.(*local).opened = time.Now().Add(time.Hour)
	if _, ok := s.Identity(); !ok {
		t.Error("no identity")
	}
	s.Follow()
	if _, ok := s.Identity(); ok {
		t.Error("a file that is being written has an identity")
	}
	far := New(readerAt{nil}, 5, "far")
	defer far.Release()
	if _, ok := far.Identity(); ok {
		t.Error("what is not a local file has an identity")
	}
}
