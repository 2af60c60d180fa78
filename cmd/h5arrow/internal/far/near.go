package far

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Near returns a function that opens what an object names, for h5.External: objects beside it or below, if the prefixes of URLs allow them.
func (o *Opener) Near(ctx context.Context, prefixes []string) func(from, name string) (*source.Source, error) {
	return func(from, name string) (*source.Source, error) {
		dir := from[:strings.LastIndexByte(from, '/')+1]
		rel := strings.TrimPrefix(name, dir)
		clean := path.Clean(rel)
		if rel == "" || path.IsAbs(rel) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(rel, "\\:\x00") {
			return nil, h5err.New(h5err.Unsupported, "%q leads outside the file's directory", name)
		}
		if !inStore(scheme(from)) {
			clean = (&url.URL{Path: clean}).EscapedPath()
		}
		if at := dir + clean; allowed(at, prefixes) {
			opts, err := o.options()
			if err != nil {
				return nil, err
			}
			src, err := o.open(ctx, at, opts)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, h5err.New(h5err.NotFound, "no file %q beside the HDF5 file", name)
			}
			return src, err
		}
		return nil, h5err.New(h5err.Unsupported, "%q is another file, and this one is not trusted", name).WithOption("h5.WithExternal", "allow its directory")
	}
}

// allowed reports whether a URL is in one of the directories, or below.
func allowed(at string, dirs []string) bool {
	for _, d := range dirs {
		if strings.HasPrefix(at, strings.TrimSuffix(d, "/")+"/") {
			return true
		}
	}
	return false
}
