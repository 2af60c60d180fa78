package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// output is a file that appears under its name when it is complete, and not before. What is no regular file (a FIFO, a
// device) is written through.
type output struct {
	*os.File
	a       *app
	path    string // where it is to appear; symbolic links are resolved
	temp    string // its name until then, "" when it has none
	replace bool   // it may take the place of another file
	through bool
	closed  bool
}

// target says where an output goes, and what it would do there, before any work is done.
type target struct {
	path    string
	special bool
	replace bool
}

// checkTarget looks at the place of an output. A file that stands there is an Argument error unless force is given; one
// of the inputs is in any case.
func checkTarget(name string, force bool, inputs []string) (target, error) {
	t := target{path: name, replace: force}
	if _, err := os.Lstat(name); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return t, outputError(name, "can't write", err)
		}
		info, err := os.Stat(filepath.Dir(name))
		if err == nil && !info.IsDir() {
			err = errors.New(filepath.Dir(name) + " is no directory")
		}
		if err != nil {
			return t, outputError(name, "can't write", err)
		}
		return t, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a link that leads nowhere
		if !force {
			return t, exists(name)
		}
		link, err := os.Readlink(name)
		if err != nil {
			return t, outputError(name, "can't write", err)
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(name), link)
		}
		return checkTarget(link, force, inputs)
	case err != nil:
		return t, outputError(name, "can't write", err)
	case info.IsDir():
		return t, usageAt(name, "this is a directory").WithHint("give a file's name, or --all-tables")
	}
	for _, in := range inputs {
		if other, err := os.Stat(in); err == nil && os.SameFile(info, other) {
			return t, usageAt(name, "the output is the input "+in)
		}
	}
	switch {
	case !info.Mode().IsRegular():
		t.special = true
	case !force:
		return t, exists(name)
	default:
		if t.path, err = filepath.EvalSymlinks(name); err != nil {
			return t, outputError(name, "can't write", err)
		}
	}
	return t, nil
}

func exists(name string) error {
	return usageAt(name, "the output exists already").WithHint("--force overwrites it")
}

func usageAt(file, msg string) *h5err.Error {
	return &h5err.Error{Kind: h5err.Argument, File: file, Offset: h5err.NoOffset, Msg: msg}
}

func outputError(name, msg string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return &h5err.Error{Kind: h5err.IO, File: name, Offset: h5err.NoOffset, Msg: msg, Err: err}
}

// create opens an output. The caller calls commit when all is written, and close in any case.
func (a *app) create(t target) (*output, error) {
	o := &output{a: a, path: t.path, replace: t.replace, through: t.special}
	var err error
	if t.special {
		o.File, err = os.OpenFile(t.path, os.O_WRONLY, 0)
	} else if o.File, err = unnamed(filepath.Dir(t.path)); o.File == nil && err == nil {
		o.temp = tempName(t.path)
		o.File, err = os.OpenFile(o.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less what the umask takes
	}
	if err != nil {
		return nil, outputError(t.path, "can't write", err)
	}
	a.mu.Lock()
	a.cleanups[o] = true
	a.mu.Unlock()
	return o, nil
}

// tempName is a hidden name beside a file, so that renaming it does not leave the file system.
func tempName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8]+".tmp")
}

// commit makes the output appear under its name.
func (o *output) commit() error {
	if o.through {
		return nil
	}
	if o.temp != "" { // a network's file system may tell only now that it has no room; without a name it is too early
		if err := o.shut(); err != nil {
			return err
		}
	}
	// From here on it is too late to be interrupted: either name stands for a complete file.
	o.a.mu.Lock()
	defer o.a.mu.Unlock()
	if err := o.a.ctx.Err(); err != nil {
		return err
	}
	if o.temp == "" && !o.replace {
		return o.committed(publish(o.File, o.path))
	}
	if o.temp == "" {
		temp := tempName(o.path)
		if err := publish(o.File, temp); err != nil {
			return o.committed(err)
		}
		o.temp = temp
	}
	if o.replace {
		return o.committed(os.Rename(o.temp, o.path))
	}
	err := os.Link(o.temp, o.path) // unlike a rename, it does not replace what came to be there meanwhile
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(o.temp, o.path) // not every file system has links
	} else if err == nil {
		os.Remove(o.temp) // the file has its name
	}
	return o.committed(err)
}

func (o *output) committed(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return exists(o.path)
	}
	if err != nil {
		return outputError(o.path, "can't give the output its name", err)
	}
	o.temp = ""
	return nil
}

// close lets go of the output; one that was not committed disappears.
func (o *output) close() error {
	o.a.mu.Lock()
	defer o.a.mu.Unlock()
	delete(o.a.cleanups, o)
	o.remove()
	return o.shut()
}

func (o *output) shut() error {
	if o.closed {
		return nil
	}
	o.closed = true
	if err := o.File.Close(); err != nil {
		return outputError(o.path, "can't write", err)
	}
	return nil
}

func (o *output) remove() {
	if o.temp != "" {
		os.Remove(o.temp) // there is nobody left to tell
		o.temp = ""
	}
}
