package catalog

import (
	"path"
	"strings"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// WithInclude serves only those files of directories that match one of the patterns, hidden ones and backups among them.
//
// Patterns are those of path.Match. One with a slash is matched against the path below the directory that is served, and one
// without against each element of that path. If a directory matches, so does everything below it.
func WithInclude(patterns ...string) Option {
	return func(o *options) error { return addPatterns(&o.filter.include, patterns) }
}

// WithExclude leaves out the files of directories that match one of the patterns, which are those of WithInclude. It has
// precedence over WithInclude.
func WithExclude(patterns ...string) Option {
	return func(o *options) error { return addPatterns(&o.filter.exclude, patterns) }
}

// WithLeftOut calls fn for each file or directory that is not served, with the reason, once for each, when it is met. It is
// called by several goroutines.
func WithLeftOut(fn func(name, reason string)) Option {
	return func(o *options) error {
		o.filter.left = &left{fn: fn, told: map[string]bool{}}
		return nil
	}
}

func addPatterns(to *[]string, patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return h5err.New(h5err.Argument, "%q is not a pattern", p)
		}
	}
	*to = append(*to, patterns...)
	return nil
}

// filter decides by their names which files of directories are served.
type filter struct {
	include, exclude []string
	left             *left
}

// left tells what was left out.
type left struct {
	fn   func(name, reason string)
	mu   sync.Mutex
	told map[string]bool // at most maxEntries
}

// tell reports that a file or directory is left out.
func (f *filter) tell(name, reason string) {
	l := f.left
	if l == nil {
		return
	}
	l.mu.Lock()
	again := l.told[name] || len(l.told) >= maxEntries
	if !again {
		l.told[name] = true
	}
	l.mu.Unlock()
	if !again {
		l.fn(name, reason)
	}
}

// reason returns why a file is not served by its name, "" if it is.
func (f *filter) reason(name string) string {
	switch {
	case anyMatches(f.exclude, name):
		return "it is excluded"
	case anyMatches(f.include, name):
		return ""
	case len(f.include) > 0:
		return "it is not among what is included"
	}
	for element := range strings.SplitSeq(name, "/") {
		if element[0] == '.' {
			return "it is hidden"
		}
		if isBackup(element) {
			return "it is a backup or a temporary file"
		}
	}
	return ""
}

// skips reports whether nothing below a directory can be served.
func (f *filter) skips(dir string) bool {
	return anyMatches(f.exclude, dir) || len(f.include) == 0 && f.reason(dir) != ""
}

// isBackup reports whether programs name copies and unfinished files in this way.
func isBackup(base string) bool {
	if strings.HasSuffix(base, "~") || base[0] == '#' && strings.HasSuffix(base, "#") {
		return true
	}
	switch strings.ToLower(path.Ext(base)) {
	case ".bak", ".old", ".orig", ".swp", ".tmp", ".temp", ".part", ".partial":
		return true
	}
	return false
}

// anyMatches reports whether a pattern matches a file or a directory that it is in.
func anyMatches(patterns []string, name string) bool {
	for _, p := range patterns {
		if matches(p, name) {
			return true
		}
	}
	return false
}

func matches(pattern, name string) bool {
	whole := strings.Contains(pattern, "/")
	start := 0
	for end := range len(name) + 1 {
		if end < len(name) && name[end] != '/' {
			continue
		}
		part := name[:end]
		if !whole {
			part = name[start:end]
		}
		if ok, _ := path.Match(pattern, part); ok { // the pattern was checked
			return true
		}
		start = end + 1
	}
	return false
}
