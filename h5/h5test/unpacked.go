package h5test

import (
	"compress/gzip"
	"io"
	"os"
)

// Unpacked returns the contents of a file that gzip compressed, such as a fixture.
func Unpacked(tb TB, name string) []byte {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return b
}
