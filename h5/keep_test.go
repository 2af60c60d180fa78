package h5

import (
	"errors"
	"testing"
)

// TestKeep asks for values by several keys: each is found once, and so is an error.
func TestKeep(t *testing.T) {
	type key int
	f := &File{}
	calls := 0
	failure := errors.New("not there")
	find := func(v any, err error) func() (any, error) {
		return func() (any, error) {
			calls++
			return v, err
		}
	}
	for range 2 {
		if v, err := f.Keep(key(1), find("one", nil)); v != "one" || err != nil {
			t.Errorf("%v, %v", v, err)
		}
		if v, err := f.Keep(1, find("another type", nil)); v != "another type" || err != nil {
			t.Errorf("%v, %v", v, err)
		}
		if _, err := f.Keep(key(2), find(nil, failure)); !errors.Is(err, failure) {
			t.Errorf("%v, want %v", err, failure)
		}
	}
	if calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
}
