// Package disk keeps ranges of objects that are far away in a directory, for later runs and for other processes.
//
// What is kept belongs to one version of an object, which its name, its length and what pins it say together: ranges of another
// version are not found. Whoever opens an object must have asked the server which version is there.
//
// Several processes may use a directory at the same time. A range is a file, which appears under its name when it is complete
// and does not change. Each 64 KiB have a checksum: what is torn, cut short or damaged is dropped, and asked for again. Nothing is locked.
//
// The directory holds at most the bytes that Open was given; each process beyond the second may add a sixteenth of that for a while. The ranges that were not
// used for longest are dropped first. Other files in the directory are neither read nor removed.
//
// # What is not promised
//
// That anything is kept: reads do not fail if the disk does. And that data is safe from those who may write to the
// directory: checksums find accidents, not forgeries. The directory is made with access for its owner only.
package disk

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	// MinSize is the smallest size of a cache, in bytes.
	MinSize = 1 << 20

	maxExtent  = 8 << 20 // bytes of a file's range
	maxFiles   = 1 << 18 // of a directory that are looked at
	temporary  = "tmp-"  // what names of incomplete files start with
	staleAfter = time.Hour
)

// Cache is a directory of ranges. It may be used by several goroutines.
type Cache struct {
	root   *os.Root
	limit  int64 // bytes
	extent int64 // the most bytes of a range in one file

	mu      sync.Mutex
	written int64 // bytes since the directory was last measured
}

// Open makes the directory, if it is not there, and returns a cache in it of at most size bytes.
func Open(dir string, size int64) (*Cache, error) {
	if size < MinSize {
		return nil, h5err.New(h5err.Argument, "a cache of %d bytes, the minimum is %d", size, MinSize)
	}
	fail := func(err error) error {
		return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't use the directory for a cache"), dir, "")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fail(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fail(err)
	}
	c := &Cache{root: root, limit: size, extent: min(maxExtent, size/32/piece*piece), written: size}
	c.extent = max(c.extent, piece)
	name := temporaryName()
	f, err := root.Create(name)
	if err != nil {
		root.Close() // nothing was written
		return nil, fail(err)
	}
	f.Close()
	if err := root.Remove(name); err != nil {
		root.Close()
		return nil, fail(err)
	}
	return c, nil
}

// Close closes the directory. Objects read from servers only from then on.
func (c *Cache) Close() error { return c.root.Close() }

func temporaryName() string { return temporary + rand.Text() }

// Over returns a Backend that reads the size bytes of b, which version identifies in the directory: an object's name and all that
// pins it. hit, which may be nil, is called with the length of each read that did not need b.
func (c *Cache) Over(b source.Backend, version string, size int64, hit func(int64)) source.Backend {
	if hit == nil {
		hit = func(int64) {}
	}
	key := sha256.Sum256([]byte(version))
	return &object{Backend: b, c: c, key: key, dir: hex.EncodeToString(key[:]), size: size, hit: hit, touched: map[extent]bool{}}
}

// ours reports whether a name is that of an object's directory.
func ours(e fs.DirEntry) bool {
	return e.IsDir() && len(e.Name()) == 2*sha256.Size && strings.Trim(e.Name(), "0123456789abcdef") == ""
}

// kept is a file in the directory.
type kept struct {
	name string
	size int64
	used time.Time
}

// reserve makes room for n bytes. It measures the directory when enough was written since the last time.
func (c *Cache) reserve(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.written += n; c.written <= c.limit/16 {
		return
	}
	c.written = n
	files, total := c.measure()
	if total+n <= c.limit-c.limit/8 {
		return
	}
	slices.SortFunc(files, func(a, b kept) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name)) })
	for _, f := range files {
		if total+n <= c.limit-c.limit/4 {
			return
		}
		if c.root.Remove(f.name) == nil {
			total -= f.size
		}
	}
}

// measure returns the files of the cache and their size. It removes incomplete files that nobody writes anymore, and empty directories.
func (c *Cache) measure() (files []kept, total int64) {
	dirs, err := fs.ReadDir(c.root.FS(), ".")
	if err != nil {
		return nil, 0
	}
	for _, d := range dirs {
		if !ours(d) {
			continue
		}
		entries, err := fs.ReadDir(c.root.FS(), d.Name())
		if err == nil && len(entries) == 0 {
			c.root.Remove(d.Name()) // it fails if a file was added
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			f := kept{d.Name() + "/" + e.Name(), info.Size(), info.ModTime()}
			_, ok := parseName(e.Name())
			if !ok && (!strings.HasPrefix(e.Name(), temporary) || time.Since(f.used) > staleAfter && c.root.Remove(f.name) == nil) {
				continue
			}
			total += f.size
			if ok {
				files = append(files, f)
			}
		}
	}
	return files, total
}
