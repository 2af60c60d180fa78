// Package indexfile finds and reads the files in which indexes are kept.
package indexfile

import (
	"io"
	"os"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Suffix is what the index beside a file has after the file's name.
const Suffix = ".h5idx"

// Read reads a file of at most arrowmap.MaxIndex bytes. The error for one that is larger or not a regular file is Argument, for
// one that can't be read I/O.
func Read(name string) ([]byte, error) {
	fail := func(err error) error {
		return &h5err.Error{Kind: h5err.IO, File: name, Offset: h5err.NoOffset, Msg: "can't read the index", Err: h5err.Cause(err)}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fail(err)
	}
	defer f.Close() // read only: there is nothing to lose
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fail(err)
	case !info.Mode().IsRegular() || info.Size() > arrowmap.MaxIndex:
		return nil, h5err.In(h5err.New(h5err.Argument, "not an index"), name, "")
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fail(err)
	}
	return b, nil
}
