package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxEntries is how many names of a directory are looked at for a suggestion.
const maxEntries = 5000

// suggestFile adds to the error about a file that does not exist the file that its name may mean.
func suggestFile(err error) error {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok || e.Kind != h5err.IO || e.Object != "" || e.Hint != "" || far.IsURL(e.File) || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if near := nearestFile(e.File); near != "" {
		hinted := *e
		return hinted.WithHint("did you mean %s?", near)
	}
	return err
}

// nearestFile returns a path that exists and differs little from one that does not, "" for none. Directories on the way may be
// misspelt, too.
func nearestFile(name string) string {
	dir, base := filepath.Split(name)
	if base == "" {
		return ""
	}
	if up := filepath.Clean(dir); dir != "" && !present(up) {
		if up = nearestFile(up); up == "" {
			return ""
		}
		if dir = up + string(filepath.Separator); present(dir + base) {
			return dir + base
		}
	}
	if near := nearestEntry(dir, base); near != "" {
		return dir + near
	}
	return ""
}

func present(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// nearestEntry returns the name in a directory that a misspelt one means: one with another suffix, or nearly the same with the same
// suffix. Hidden files are only meant by hidden names.
func nearestEntry(dir, base string) string {
	if dir == "" {
		dir = "."
	}
	d, err := os.Open(dir)
	if err != nil {
		return ""
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxEntries) // those that could be read will do
	slices.Sort(names)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	var alike []string // without the suffix
	for _, name := range names {
		if strings.HasPrefix(name, ".") != strings.HasPrefix(base, ".") {
			continue
		}
		has := filepath.Ext(name)
		if trimmed := strings.TrimSuffix(name, has); has == ext {
			alike = append(alike, trimmed)
		} else if trimmed == stem && has != "" && ext != "" {
			return name
		}
	}
	if near := h5err.Closest(stem, alike); near != "" {
		return near + ext
	}
	return ""
}
