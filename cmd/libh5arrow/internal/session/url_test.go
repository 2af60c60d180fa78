package session

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// A table of a web server has the rows of the file, whatever became of the context that it was opened with.
func TestURL(t *testing.T) {
	leaks(t)
	name := h5test.Fixture(t, "sample.h5")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "open" {
			http.Error(w, "no key", http.StatusForbidden)
			return
		}
		http.ServeFile(w, r, name)
	}))
	defer server.Close()
	url := server.URL + "/a.h5?signature=secret"
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Open(ctx, url, `{"headers": {"X-Key": "open"}}`)
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	defer f.release()
	tab := part(t, f, `{"where": "fare > 40 and tip is not null"}`)
	if n := rows(t, tab, ""); n != 15 {
		t.Errorf("%d rows", n)
	}
	if text, err := f.Tables(); err != nil || !strings.Contains(text, server.URL+`/a.h5"`) || strings.Contains(text, "secret") {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := Open(t.Context(), url, ""); !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "403") || strings.Contains(err.Error(), "secret") {
		t.Errorf("without a key: %v", err)
	}
	if _, err := Open(ctx, url, `{"headers": {"X-Key": "open"}}`); err == nil {
		t.Error("opened by a canceled call")
	}
	if _, err := Open(t.Context(), "s3://bucket/a.h5", ""); !h5err.Is(err, h5err.Unsupported) || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("s3: %v", err)
	}
	if _, err := Open(t.Context(), "./a://b.h5", ""); !h5err.Is(err, h5err.IO) {
		t.Errorf("a path with colon and slashes: %v", err)
	}
}
