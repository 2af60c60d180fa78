package far

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/indexfile"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/kept"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// openWith opens a URL with the index that --index names.
func (o *Opener) openWith(ctx context.Context, url string, opts []remote.Option) (*source.Source, error) {
	switch o.index {
	case "", "none":
		return o.open(ctx, url, opts)
	case "auto":
		x, err := o.beside(ctx, url, opts)
		if err == nil && x != nil {
			var s *source.Source
			if s, err = o.open(ctx, url, opts, remote.WithIndex(x)); err == nil || !h5err.Is(err, h5err.Argument) {
				o.keepValues(url, x, err)
				return s, err
			}
		}
		if err != nil {
			o.say("the index is not used: " + err.Error())
		}
		return o.open(ctx, url, opts)
	}
	x, err := o.named(ctx, o.index, opts)
	if err != nil {
		return nil, h5err.In(err, Name(o.index), "")
	}
	s, err := o.open(ctx, url, opts, remote.WithIndex(x))
	o.keepValues(url, x, err)
	return s, err
}

// keepValues notes what the index of a URL knows of values, if the URL was opened with it.
func (o *Opener) keepValues(url string, x *kept.Index, err error) {
	if err != nil || x.Values() == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.values == nil {
		o.values = map[string][]byte{}
	}
	o.values[url] = x.Values()
}

// Values returns what the index with which a URL was opened knows of the file's values, for arrowmap.File's UseIndex; nil for nothing.
func (o *Opener) Values(url string) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.values[url]
}

// say prints a line on stderr, unless --quiet is given.
func (o *Opener) say(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if quiet, err := o.cmd.Flags().GetBool("quiet"); err != nil || !quiet {
		_ = text.WriteLine(o.cmd.ErrOrStderr(), "h5arrow: "+text.Printable(line)) // there is nowhere to report the error
	}
}

// beside returns the index beside an object, nil if there is none.
func (o *Opener) beside(ctx context.Context, url string, opts []remote.Option) (*kept.Index, error) {
	path, query, ok := strings.Cut(url, "?")
	if at := path + indexfile.Suffix; ok && !strings.HasPrefix(scheme(url), "http") {
		url += indexfile.Suffix // a question mark is a part of the key
	} else if url = at; ok {
		url += "?" + query
	}
	x, err := o.fetch(ctx, url, opts)
	if ctx.Err() == nil && h5err.Is(err, h5err.IO) {
		return nil, nil // it is not there, or may not be read
	}
	return x, err
}

// named returns the index in a file or at a URL.
func (o *Opener) named(ctx context.Context, name string, opts []remote.Option) (*kept.Index, error) {
	if IsURL(name) {
		return o.fetch(ctx, name, opts)
	}
	b, err := indexfile.Read(name)
	if err != nil {
		return nil, err
	}
	return kept.Decode(b)
}

// fetch returns the index at a URL.
func (o *Opener) fetch(ctx context.Context, url string, opts []remote.Option) (*kept.Index, error) {
	s, err := o.open(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	if s.Size() > kept.Max {
		return nil, h5err.In(h5err.New(h5err.Corrupt, "not an index: it has %d bytes", s.Size()), s.Name(), "")
	}
	b := make([]byte, s.Size())
	head := b[:min(len(b), 64)] // came when it was opened
	if n, err := s.ReadAtContext(ctx, head, 0); n < len(head) {
		return nil, incomplete(s, err)
	}
	if !kept.Is(head) {
		return nil, h5err.In(h5err.New(h5err.Corrupt, "not an index"), s.Name(), "")
	}
	if n, err := s.ReadAtContext(ctx, b[len(head):], int64(len(head))); n < len(b)-len(head) {
		return nil, incomplete(s, err)
	}
	x, err := kept.Decode(b)
	return x, h5err.In(err, s.Name(), "")
}

func incomplete(s *source.Source, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		err = fmt.Errorf("the object ends early")
	}
	return h5err.In(h5err.Wrap(h5err.IO, err, "can't read the index"), s.Name(), "")
}
