package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

func TestEach(t *testing.T) {
	h5test.Leaks(t)
	for _, n := range []int{0, 1, 2, filesAtOnce, 100} {
		done := make([]atomic.Int32, n)
		if err := each(n, filesAtOnce, func(i int) error { done[i].Add(1); return nil }); err != nil {
			t.Error(err)
		}
		for i := range done {
			if done[i].Load() != 1 {
				t.Errorf("%d of %d is done %d times", i, n, done[i].Load())
			}
		}
	}
	for range 100 { // the first error in order, not in time
		var begun atomic.Int32
		err := each(1000, filesAtOnce, func(i int) error {
			begun.Add(1)
			if i >= 3 {
				return fmt.Errorf("error of %d", i)
			}
			return nil
		})
		if err == nil || err.Error() != "error of 3" || begun.Load() > 3+filesAtOnce {
			t.Fatal(err, begun.Load())
		}
	}
}

// Files at URLs are opened beside each other: opening them does not take a sum of round trips.
func TestManyURLs(t *testing.T) {
	workplace(t)
	s := webserver.New(t)
	var mu sync.Mutex
	files, together := map[string]bool{}, make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		files[r.URL.Path] = true
		if _, open := files[""]; !open && len(files) == filesAtOnce {
			files[""] = true
			close(together)
		}
		mu.Unlock()
		select {
		case <-together: // as many files are asked for as may be
		case <-time.After(20 * time.Second):
		}
		s.ServeHTTP(w, r)
	}))
	defer server.Close()
	var urls, names []string
	for i := range 2 * filesAtOnce {
		s.Put(fmt.Sprintf("/%d.h5", i), readFile(t, "sample.h5"))
		urls = append(urls, fmt.Sprintf("%s/%d.h5", server.URL, i))
		names = append(names, "sample.h5")
	}
	expect(t, 0, append(append([]string{"convert"}, names...), "near.arrow")...)
	expect(t, 0, append(append([]string{"convert"}, urls...), "far.arrow")...)
	select {
	case <-together:
	default:
		t.Error("files were opened one after the other")
	}
	if got, want := expect(t, 0, "head", "far.arrow", "--json"), expect(t, 0, "head", "near.arrow", "--json"); got.out != want.out {
		t.Errorf("other rows from URLs: %s", got.out)
	}
	urls[5], urls[9] = server.URL+"/none", server.URL+"/nothing"
	if r := expect(t, exitFailed, append(append([]string{"convert"}, urls...), "far.arrow", "--force")...); !strings.Contains(r.err, "/none: ") {
		t.Error(r.err)
	}
}
