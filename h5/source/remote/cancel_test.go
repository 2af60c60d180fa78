package remote_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// stuck are servers that send no more, from a moment on. Each says by stuck that a request has got that far.
var stuck = map[string]func(w http.ResponseWriter, r *http.Request, stuck func()){
	"before the headers": func(_ http.ResponseWriter, r *http.Request, stuck func()) {
		stuck()
		<-r.Context().Done()
	},
	"in the body": func(w http.ResponseWriter, r *http.Request, stuck func()) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Content-Range", r.Header.Get("X-Answer"))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(make([]byte, 1000))
		http.NewResponseController(w).Flush()
		stuck()
		<-r.Context().Done()
	},
	"with a pause": func(w http.ResponseWriter, _ *http.Request, stuck func()) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		stuck()
	},
	"in the body of an error": func(w http.ResponseWriter, r *http.Request, stuck func()) {
		w.WriteHeader(http.StatusBadGateway)
		w.Write(make([]byte, 100))
		http.NewResponseController(w).Flush()
		stuck()
		<-r.Context().Done()
	},
}

// TestCancel ends what waits for a server that is stuck: as an object is opened, as data is read with a context of its own, and as metadata
// and data are read with the one of Open. That is at once, long before the server would be given up, and leaves nothing.
func TestCancel(t *testing.T) {
	const size, patience = 4 << 20, 30 * time.Second
	for name, answer := range stuck {
		for _, what := range []string{"open", "data", "small data", "metadata", "several"} {
			t.Run(name+"/"+what, func(t *testing.T) {
				h5test.Leaks(t)
				waits := make(chan struct{}, 100)
				data := make([]byte, size)
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					p, header := slice(t, data, r)
					r.Header.Set("X-Answer", header)
					if header != "bytes 0-262143/"+strconv.Itoa(size) || what == "open" {
						answer(w, r, func() { waits <- struct{}{} })
						return
					}
					part{p, header, 1, w, r}.answer("ETag", `"1"`)
				}))
				defer s.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 10)
				n := 1
				src, err := (*source.Source)(nil), error(nil)
				if what == "open" {
					go func() {
						_, err := remote.Open(ctx, s.URL, remote.WithOpening(256<<10), remote.WithPauses(time.Minute, time.Minute))
						ended <- err
					}()
				} else {
					if src, err = remote.Open(ctx, s.URL, remote.WithOpening(256<<10), remote.WithPauses(time.Minute, time.Minute)); err != nil {
						t.Fatal(err)
					}
					defer src.Release()
					n = start(src, what, ctx, ended)
				}
				<-waits
				cancel()
				late := time.After(patience)
				for range n {
					select {
					case err := <-ended:
						if !errors.Is(err, context.Canceled) {
							t.Errorf("%v, want that it was canceled", err)
						}
					case <-late:
						t.Fatalf("goes on %v after it was canceled", patience)
					}
				}
			})
		}
	}
}

// start starts to read, and returns the number of reads, each of which sends its error.
func start(src *source.Source, what string, ctx context.Context, ended chan<- error) int {
	read := func(n int, off int64) {
		_, err := src.ReadAtContext(ctx, make([]byte, n), off)
		ended <- err
	}
	switch what {
	case "data":
		go read(1<<20, 1<<20)
	case "small data":
		go read(100, 2<<20)
	case "metadata":
		go func() {
			_, err := src.ReadMetadata(make([]byte, 100), 3<<20)
			ended <- err
		}()
	default: // all of the same range, which is asked for once, and of others
		for i := range int64(8) {
			go read(500<<10, 1<<20+i/4*1<<20)
		}
		return 8
	}
	return 1
}

// TestReleased releases a Source whose metadata is on its way.
func TestReleased(t *testing.T) {
	h5test.Leaks(t)
	data := make([]byte, 4<<20)
	waits := make(chan struct{}, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, header := slice(t, data, r)
		if header != "bytes 0-262143/"+strconv.Itoa(len(data)) {
			waits <- struct{}{}
			<-r.Context().Done()
			return
		}
		part{p, header, 1, w, r}.answer("ETag", `"1"`)
	}))
	defer s.Close()
	src, err := remote.Open(t.Context(), s.URL, remote.WithOpening(256<<10))
	if err != nil {
		t.Fatal(err)
	}
	src.Expect([]source.Range{{Off: 1 << 20, Size: 100}, {Off: 3 << 20, Size: 100}})
	<-waits
	src.Release()
}
