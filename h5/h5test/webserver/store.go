package webserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
)

// Store answers for an object store as far as reading and multipart uploads need it: the objects of a Server with paths /BUCKET/KEY, by the protocols of S3 (path
// style), Google Cloud Storage (JSON) and Azure Storage (the account is the first part of the path). It does not verify signatures; requests
// without credentials are refused unless Public is set.
type Store struct {
	*Server
	Public bool

	uploads map[string]*upload // by their names
	started int
}

// NewStore starts a store that is stopped when the test ends.
func NewStore(t testing.TB) *Store {
	s := &Store{Server: &Server{objects: map[string]object{}, stop: make(chan struct{})}}
	s.Server.Server = httptest.NewServer(s)
	t.Cleanup(s.shut)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	google, isGoogle := strings.CutPrefix(req.URL.EscapedPath(), "/storage/v1/b/")
	azure := req.Header.Get("X-Ms-Version") != ""
	if req.Method != http.MethodGet {
		s.write(w, req, azure)
		return
	}
	if !s.Public && req.Header.Get("Authorization") == "" && !isGoogle {
		http.Error(w, "no credentials", http.StatusForbidden)
		return
	}
	r := req.Clone(req.Context())
	switch {
	case isGoogle:
		bucket, key, _ := strings.Cut(google, "/o")
		key, _ = url.PathUnescape(strings.TrimPrefix(key, "/"))
		if key == "" {
			s.listGoogle(w, bucket, query.Get("prefix"))
			return
		}
		r.URL.Path = "/" + bucket + "/" + key
		s.mu.Lock()
		generation := fmt.Sprint(s.objects[r.URL.Path].version)
		s.mu.Unlock()
		w.Header().Set("X-Goog-Generation", generation)
		if g := query.Get("ifGenerationMatch"); g != "" && g != generation {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
	case query.Get("list-type") == "2":
		s.listXML(w, strings.Trim(r.URL.Path, "/"), query.Get("prefix"), "<ListBucketResult>%s</ListBucketResult>", "<Contents><Key>%s</Key></Contents>")
		return
	case azure:
		r.URL.Path = r.URL.Path[strings.Index(r.URL.Path[1:], "/")+1:] // without the account
		if query.Get("comp") == "list" {
			s.listXML(w, strings.Trim(r.URL.Path, "/"), query.Get("prefix"), "<EnumerationResults><Blobs>%s</Blobs><NextMarker/></EnumerationResults>",
				"<Blob><Name>%s</Name><Properties/></Blob>")
			return
		}
		if v := req.Header.Get("X-Ms-Range"); v != "" {
			r.Header.Set("Range", v)
		}
	}
	s.Server.ServeHTTP(w, r)
}

// keys returns the keys of a bucket that start with a prefix.
func (s *Store) keys(bucket, prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{Path: "/" + bucket})
	var out []string
	for path := range s.objects {
		if key, ok := strings.CutPrefix(path, "/"+bucket+"/"); ok && strings.HasPrefix(key, prefix) {
			out = append(out, key)
		}
	}
	sort.Strings(out)
	return out
}

func (s *Store) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += int64(n)
}

func (s *Store) listXML(w http.ResponseWriter, bucket, prefix, list, item string) {
	var b strings.Builder
	for _, k := range s.keys(bucket, prefix) {
		fmt.Fprintf(&b, item, k)
	}
	text := `<?xml version="1.0" encoding="UTF-8"?>` + fmt.Sprintf(list, b.String())
	w.Header().Set("Content-Type", "application/xml")
	s.count(len(text))
	fmt.Fprint(w, text)
}

func (s *Store) listGoogle(w http.ResponseWriter, bucket, prefix string) {
	type item struct {
		Name string `json:"name"`
	}
	items := []item{}
	for _, k := range s.keys(bucket, prefix) {
		items = append(items, item{k})
	}
	b, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.count(len(b))
	w.Write(b) // a client that is gone sees nothing
}
