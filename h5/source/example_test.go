package source_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/h5/source"
)

func Example() {
	dir, err := os.MkdirTemp("", "source")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x.h5")
	if err := os.WriteFile(path, []byte("\x89HDF\r\n\x1a\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	s, err := source.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Release()
	magic := make([]byte, 3)
	if _, err := s.ReadAt(magic, 1); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d bytes, %s\n", s.Size(), magic)
	// Output: 8 bytes, HDF
}
