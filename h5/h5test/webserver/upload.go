package webserver

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// upload is an object that is being written.
type upload struct {
	path  string
	parts map[string][]byte // S3 and Azure
	all   []byte            // Google
	fresh bool              // it must not exist
}

// Uploads returns the number of uploads that were started and neither completed nor aborted. Azure's have no start.
func (s *Store) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for name := range s.uploads {
		if !strings.HasPrefix(name, "azure") {
			n++
		}
	}
	return n
}

// Object returns the bytes of an object, nil if there is none.
func (s *Store) Object(path string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[path].data
}

// write answers a request that is not a GET.
func (s *Store) write(w http.ResponseWriter, req *http.Request, azure bool) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the client is gone
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{Path: req.URL.Path, N: int64(len(body)), Header: req.Header.Clone()})
	n := len(s.requests)
	s.mu.Unlock()
	if f := s.fault(n, Request{Path: req.URL.Path, Header: req.Header}); f == Unavailable || f == Reset {
		s.broken(w, f)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uploads == nil {
		s.uploads = map[string]*upload{}
	}
	switch {
	case strings.HasPrefix(req.URL.Path, "/upload/storage/"):
		s.writeGoogle(w, req, body)
	case azure:
		s.writeAzure(w, req, body)
	default:
		s.writeAmazon(w, req, body)
	}
}

// appear gives an object its bytes, and answers. The lock is held.
func (s *Store) appear(w http.ResponseWriter, path string, data []byte, fresh bool, status int) {
	old, exists := s.objects[path]
	if exists && fresh {
		w.Header().Set("X-Ms-Error-Code", "BlobAlreadyExists")
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	s.objects[path] = object{data, old.version + 1, old.modified}
	w.WriteHeader(status)
}

func (s *Store) start(path string, fresh bool) (name string) {
	s.started++
	name = fmt.Sprint("u", s.started)
	s.uploads[name] = &upload{path: path, parts: map[string][]byte{}, fresh: fresh}
	return name
}

func (s *Store) writeAmazon(w http.ResponseWriter, req *http.Request, body []byte) {
	query := req.URL.Query()
	id := query.Get("uploadId")
	u := s.uploads[id]
	switch {
	case req.Method == http.MethodPost && query.Has("uploads"):
		text := "<InitiateMultipartUploadResult><UploadId>" + s.start(req.URL.Path, false) + "</UploadId></InitiateMultipartUploadResult>"
		s.bytes += int64(len(text))
		fmt.Fprint(w, text)
	case u == nil:
		w.WriteHeader(http.StatusNotFound)
	case req.Method == http.MethodDelete:
		delete(s.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	case req.Method == http.MethodPut:
		part := query.Get("partNumber")
		u.parts[part] = body
		w.Header().Set("ETag", `"part-`+part+`"`)
	default:
		var list struct {
			Part []struct{ PartNumber, ETag string }
		}
		err := xml.Unmarshal(body, &list)
		var all bytes.Buffer
		for i, p := range list.Part {
			data, ok := u.parts[p.PartNumber]
			small := i < len(list.Part)-1 && len(data) < 5<<20
			if err != nil || !ok || small || p.PartNumber != strconv.Itoa(i+1) || strings.Trim(p.ETag, `"`) != "part-"+p.PartNumber {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			all.Write(data)
		}
		delete(s.uploads, id)
		s.appear(w, u.path, all.Bytes(), req.Header.Get("If-None-Match") == "*", http.StatusOK)
	}
}

func (s *Store) writeAzure(w http.ResponseWriter, req *http.Request, body []byte) {
	path := req.URL.Path[strings.Index(req.URL.Path[1:], "/")+1:] // without the account
	u := s.uploads["azure"+path]
	if u == nil {
		u = &upload{path: path, parts: map[string][]byte{}}
		s.uploads["azure"+path] = u
	}
	query := req.URL.Query()
	if query.Get("comp") == "block" {
		u.parts[query.Get("blockid")] = body
		w.WriteHeader(http.StatusCreated)
		return
	}
	var list struct{ Latest []string }
	err := xml.Unmarshal(body, &list)
	var all bytes.Buffer
	for _, id := range list.Latest {
		data, ok := u.parts[id]
		if err != nil || !ok {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		all.Write(data)
	}
	delete(s.uploads, "azure"+path)
	s.appear(w, path, all.Bytes(), req.Header.Get("If-None-Match") == "*", http.StatusCreated)
}

func (s *Store) writeGoogle(w http.ResponseWriter, req *http.Request, body []byte) {
	query := req.URL.Query()
	id := query.Get("upload_id")
	u := s.uploads[id]
	switch {
	case req.Method == http.MethodPost:
		bucket := strings.TrimSuffix(strings.TrimPrefix(req.URL.Path, "/upload/storage/v1/b/"), "/o")
		name := s.start("/"+bucket+"/"+query.Get("name"), query.Get("ifGenerationMatch") == "0")
		w.Header().Set("Location", s.URL+req.URL.Path+"?"+url.Values{"upload_id": {name}}.Encode())
	case u == nil:
		w.WriteHeader(http.StatusNotFound)
	case req.Method == http.MethodDelete:
		delete(s.uploads, id)
		w.WriteHeader(499)
	default:
		span, total, _ := strings.Cut(strings.TrimPrefix(req.Header.Get("Content-Range"), "bytes "), "/")
		first, _, ranged := strings.Cut(span, "-")
		off, err := strconv.Atoi(first)
		if ranged && (err != nil || off > len(u.all) || total == "*" && len(body)%(256<<10) != 0) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if ranged {
			u.all = append(u.all[:off:off], body...)
		}
		if total != fmt.Sprint(len(u.all)) {
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		delete(s.uploads, id)
		s.appear(w, u.path, u.all, u.fresh, http.StatusOK)
	}
}
