package h5

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// walked lists what a walk visits.
func walked(t *testing.T, f *File) (paths []string) {
	t.Helper()
	if err := f.walk(func(o Object, p string, err error) error {
		switch {
		case err != nil && o != nil, err == nil && o == nil, err == nil && o.Path() != p:
			t.Errorf("%s: object %v, error %v", p, o, err)
		case err != nil:
			p += "!"
		}
		paths = append(paths, p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestWalk(t *testing.T) {
	w := newBuilder()
	d := w.dataset(scalar)
	named := w.header2(msg{typ: msgDatatype, body: i32})
	root := uint64(1024) // all other objects are in front of it
	b := w.group(w.hard("d", d), w.hard("up", root))
	a := w.group(w.hard("b", b), w.hard("again", b), w.hard("type", named))
	if uint64(len(w.b)) > root {
		t.Fatal("too much in front of the root group")
	}
	w.b = append(w.b, make([]byte, root-uint64(len(w.b)))...)
	w.group(w.hard("self", root), w.hard("a", a), w.hard("d", d), w.hard("broken", 8), soft("soft", "nowhere"), external("ext", "x.h5", "y"))
	f := openBytes(t, w.file(root))
	if got := strings.Join(walked(t, f), " "); got != "/ /a /a/again /a/again/d /a/type /broken!" {
		t.Errorf("walked: %s", got)
	}
	var seen []string
	stop := errors.New("stop")
	if err := f.Walk(func(o Object) error {
		seen = append(seen, o.Path())
		if len(seen) == 3 {
			return stop
		}
		return nil
	}); err != stop || strings.Join(seen, " ") != "/ /a /a/again" {
		t.Errorf("stopped: %v after %v", err, seen)
	}
	for at := range 6 {
		n := 0
		if err := f.walk(func(Object, string, error) error {
			if n++; n > at {
				return stop
			}
			return nil
		}); err != stop || n != at+1 {
			t.Errorf("stopped at %d: %v after %d", at, err, n)
		}
	}
}

// TestWalkBrokenGroup reports a group whose links can't be read, once, and goes on.
func TestWalkBrokenGroup(t *testing.T) {
	w := newBuilder()
	b := w.header2(msg{typ: msgLinkInfo, body: hx("09 00")})
	f := openBytes(t, w.single(w.hard("bad", b), w.hard("good", w.group())))
	if got := strings.Join(walked(t, f), " "); got != "/ /bad /bad! /good" {
		t.Errorf("walked: %s", got)
	}
}

func TestWalkLimit(t *testing.T) {
	w := newBuilder()
	var links []msg
	for i := range 10 {
		links = append(links, w.hard(fmt.Sprint(i), w.group()))
	}
	b := w.single(links...)
	count := func(l int) (n int, err error) {
		err = openBytes(t, b, WithLimits(Limits{Links: l})).Walk(func(Object) error { n++; return nil })
		return n, err
	}
	if n, err := count(11); n != 11 || err != nil {
		t.Errorf("%d objects, %v", n, err)
	}
	n, err := count(10)
	needError(t, err, h5err.Limit, "test.h5: more than 10 objects", -1)
	if n != 10 {
		t.Errorf("%d objects", n)
	}
}

// TestWalkDeep has groups inside of groups: their paths grow with each, so that all paths together are too much.
func TestWalkDeep(t *testing.T) {
	const depth = 3000
	w := newBuilder()
	name := strings.Repeat("n", 100)
	at := w.group()
	for range depth {
		at = w.group(w.hard(name, at))
	}
	f := openBytes(t, w.file(at))
	n, deep := 0, 0
	if err := f.walk(func(o Object, p string, err error) error {
		if len(p) > maxPath {
			t.Errorf("a path of %d bytes", len(p))
		}
		if err != nil {
			needError(t, err, h5err.Limit, "a path of more than 65536 bytes", -1)
			deep++
		}
		n++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if deep != 1 || n < 600 || n > 700 {
		t.Errorf("%d groups, %d too deep", n, deep)
	}
}
