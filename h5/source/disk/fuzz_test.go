package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/h5/source/disk"
)

// FuzzFile reads an object through files of any content.
func FuzzFile(f *testing.F) {
	data := content(1, 200_000)
	dir := f.TempDir()
	c, err := disk.Open(dir, 1<<30)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { c.Close() })
	o := &object{data: data}
	if _, err := c.Over(o, "a", int64(len(data)), nil).ReadAtContext(f.Context(), make([]byte, 100_000), 1000); err != nil {
		f.Fatal(err)
	}
	var name string
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			name = path
		}
		return err
	})
	b, err2 := os.ReadFile(name)
	if err != nil || err2 != nil {
		f.Fatal(err, err2)
	}
	f.Add(b)
	f.Add(b[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		check(t, c.Over(o, "a", int64(len(data)), nil), data, 900, 100_000)
	})
}
