package main

import (
	"path"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// datasetPaths returns the paths that --dataset names: each value is a path, or else a list of paths and patterns, separated by
// commas.
func datasetPaths(f *h5.File, values []string) ([]string, error) {
	var out []string
	for _, v := range values {
		if !strings.ContainsAny(v, ",*?[") || exists(f, v) {
			out = append(out, v)
			continue
		}
		for _, p := range strings.Split(v, ",") {
			if !strings.ContainsAny(p, "*?[") || exists(f, p) {
				out = append(out, p)
				continue
			}
			found, err := datasetsLike(f, p)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	return out, nil
}

func exists(f *h5.File, p string) bool {
	_, err := f.Lookup(p)
	return err == nil
}

// datasetsLike returns the paths of the datasets that match a pattern, in the order of the file. Its wildcards are those of
// path.Match, which match within one name.
func datasetsLike(f *h5.File, pattern string) ([]string, error) {
	names := strings.Split(strings.Trim(h5.CleanPath(pattern), "/"), "/")
	for _, n := range names {
		if _, err := path.Match(n, ""); err != nil {
			return nil, usage("--dataset %s: the pattern is malformed", pattern)
		}
	}
	found, err := matching(f, names, maxMatches, func(pattern, name string) bool {
		ok, _ := path.Match(pattern, name) // it was checked
		return ok || pattern == name
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range found {
		if o, err := f.Lookup(p); err == nil {
			if _, ok := o.(*h5.Dataset); ok {
				out = append(out, p)
			}
		}
	}
	if len(out) == 0 {
		return nil, h5err.In(usage("--dataset: no dataset matches"), f.Name(), pattern)
	}
	return out, nil
}

// maxMatches is the number of paths that a pattern may match.
const maxMatches = 1 << 20

// matching returns the paths whose names match, one after the other. Groups that can't be read have no members. More
// than maxPaths are an error: links may form cycles.
func matching(f *h5.File, names []string, maxPaths int, match func(want, name string) bool) ([]string, error) {
	at := []string{"/"}
	for _, want := range names {
		var next []string
		for _, dir := range at {
			o, err := f.Lookup(dir)
			g, ok := o.(*h5.Group)
			if err != nil || !ok {
				continue
			}
			links, _ := g.Links() // those that were found will do
			for _, l := range links {
				if !match(want, l.Name) {
					continue
				}
				if len(next) == maxPaths {
					return nil, h5err.In(h5err.New(h5err.Limit, "more than %d paths match", maxPaths), f.Name(), dir)
				}
				next = append(next, path.Join(dir, l.Name))
			}
		}
		at = next
	}
	return at, nil
}

// maxAlike is the number of paths that may differ in case only.
const maxAlike = 8

// pathsLike returns the paths of objects that equal a path but for the case of ASCII letters, as names in SQL do.
func pathsLike(f *h5.File, p string) ([]string, error) {
	return matching(f, strings.Split(strings.Trim(h5.CleanPath(p), "/"), "/"), maxAlike, naming.Same)
}
