package session

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

// setOf returns the options of Files for names.
func setOf(t *testing.T, names []string, more map[string]any) string {
	t.Helper()
	o := map[string]any{"files": names}
	for k, v := range more {
		o[k] = v
	}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A canceled call ends when a server does not answer: files are opened under its context, and so are those of later calls.
func TestSetCanceled(t *testing.T) {
	leaks(t)
	b, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	server := webserver.New(t)
	var names []string
	for i := range 3 {
		names = append(names, server.Put(fmt.Sprintf("/%d.h5", i), b))
	}
	s, err := Files(t.Context(), setOf(t, names, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer s.release()
	for what, call := range map[string]func(context.Context) error{
		"files": func(ctx context.Context) error {
			_, err := Files(ctx, setOf(t, names, map[string]any{"by_name": true}))
			return err
		},
		"count":  func(ctx context.Context) error { _, err := s.Count(ctx); return err },
		"narrow": func(ctx context.Context) error { _, err := Narrow(ctx, s, `{"rows": [1, 2]}`); return err },
		"splits": func(ctx context.Context) error { _, err := s.Splits(ctx, ""); return err },
		"read": func(ctx context.Context) error {
			rr, _, err := s.Read(ctx, "", memory.DefaultAllocator)
			if err != nil {
				return err
			}
			defer rr.Release()
			for rr.Next() {
			}
			return rr.Err()
		},
	} {
		server.Cancels(t, what, call)
	}
	if n, err := s.Count(t.Context()); n != 150000 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

// Conditions may name columns and attributes that a table lacks, where that is asked for: they are null.
func TestAbsent(t *testing.T) {
	leaks(t)
	f := sample(t, "")
	set, err := Files(t.Context(), setOf(t, []string{h5test.Fixture(t, "sample.h5")}, map[string]any{"attributes": []string{"run"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer set.release()
	for where, want := range map[string]int64{"nothing > 1": 0, "nothing is null": 50000, "nothing is null and fare > 40": 0, "fare > 40 and nothing != 'x'": 0,
		"run > 3": 0, "run is null": 50000} {
		options := fmt.Sprintf(`{"absent": true, "where": %q}`, where)
		var counts []int64
		for _, of := range []Rows{part(t, f, ""), set} {
			if where[:3] == "run" && of != Rows(set) {
				continue
			}
			r, err := Narrow(t.Context(), of, options)
			if err != nil {
				t.Fatal(where, err)
			}
			n, err := r.Count(t.Context())
			r.release()
			if err != nil {
				t.Fatal(where, err)
			}
			counts = append(counts, n)
		}
		if where == "nothing is null and fare > 40" {
			want = counts[0]
			if want == 0 || want == 50000 {
				t.Errorf("%s: %d rows", where, want)
			}
		}
		for _, n := range counts {
			if n != want {
				t.Errorf("%s: %d rows, not %d", where, n, want)
			}
		}
	}
	for _, of := range []Rows{part(t, f, ""), set} {
		if _, err := Narrow(t.Context(), of, `{"where": "nothing is null"}`); !h5err.Is(err, h5err.Argument) {
			t.Errorf("a column that is not there: %v", err)
		}
	}
	if text, err := set.Describe(); err != nil || !strings.Contains(text, `"each":{"table":"","union":false,"file_attributes":["run"]}`) {
		t.Errorf("%s, %v", text, err)
	}
}
