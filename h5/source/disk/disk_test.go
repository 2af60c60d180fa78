package disk_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/disk"
)

// object is a Backend that counts what is asked for.
type object struct {
	data         []byte
	reads, bytes atomic.Int64
	fail         error
}

func (o *object) ReadAtContext(_ context.Context, p []byte, off int64) (int, error) {
	o.reads.Add(1)
	if o.fail != nil {
		return 0, o.fail
	}
	n := copy(p, o.data[off:])
	o.bytes.Add(int64(n))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func content(seed uint64, n int) []byte {
	var key [32]byte
	key[0] = byte(seed)
	p := make([]byte, n)
	rand.NewChaCha8(key).Read(p)
	return p
}

func newCache(t *testing.T, dir string, size int64) *disk.Cache {
	t.Helper()
	c, err := disk.Open(dir, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// check reads a range and compares it.
func check(t *testing.T, b source.Backend, data []byte, off, n int) {
	t.Helper()
	p := make([]byte, n)
	m, err := b.ReadAtContext(context.Background(), p, int64(off))
	want := data[min(off, len(data)):min(off+n, len(data))]
	if m != len(want) || !bytes.Equal(p[:m], want) || (err != nil) != (m < n) {
		t.Errorf("%d bytes at %d: %d, %v", n, off, m, err)
	}
}

// files returns the files in a directory, and their size.
func files(t *testing.T, dir string) (names []string, size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		names, size = append(names, name), size+info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, size
}

// TestRandom reads ranges from several objects of one version at a time, and then all of it from the directory alone.
func TestRandom(t *testing.T) {
	dir := t.TempDir()
	data := content(1, 3<<20+77)
	o := &object{data: data}
	var all sync.WaitGroup
	for seed := range 4 {
		all.Go(func() {
			b := newCache(t, dir, 1<<30).Over(o, "a", int64(len(data)), nil)
			rng := rand.New(rand.NewPCG(1, uint64(seed)))
			for range 60 {
				off := rng.IntN(len(data))
				check(t, b, data, off, 1+rng.IntN(1<<(1+rng.IntN(20))))
			}
		})
	}
	all.Wait()
	b := newCache(t, dir, 1<<30).Over(o, "a", int64(len(data)), nil)
	check(t, b, data, 0, len(data))
	n := o.reads.Load()
	hits := int64(0)
	b = newCache(t, dir, 1<<30).Over(o, "a", int64(len(data)), func(n int64) { hits += n })
	check(t, b, data, 0, len(data))
	check(t, b, data, 100, 1000)
	if o.reads.Load() != n || hits != int64(len(data))+1000 {
		t.Errorf("%d reads of the object, %d bytes of hits", o.reads.Load()-n, hits)
	}
	b = newCache(t, dir, 1<<30).Over(&object{data: content(2, len(data))}, "b", int64(len(data)), nil)
	check(t, b, content(2, len(data)), 100, 1000) // of another version
}

// TestEnds asks for what is between ranges that are there.
func TestEnds(t *testing.T) {
	dir := t.TempDir()
	data := content(1, 1<<20)
	o := &object{data: data}
	b := newCache(t, dir, 1<<30).Over(o, "a", int64(len(data)), nil)
	check(t, b, data, 100_000, 100_000)
	check(t, b, data, 400_000, 100_000)
	o.bytes.Store(0)
	check(t, b, data, 150_000, 300_000)
	if n := o.bytes.Load(); n != 200_000 {
		t.Errorf("%d bytes were asked for", n)
	}
	check(t, b, data, 1<<20-10, 20)
	o.fail = errors.New("no luck")
	check(t, b, data, 100_000, 400_000)
	if _, err := b.ReadAtContext(t.Context(), make([]byte, 200_000), 450_000); err != o.fail {
		t.Error(err)
	}
}

// TestDamaged changes, cuts, lengthens, moves and empties files: what was read is right, and files are sound afterward.
func TestDamaged(t *testing.T) {
	data := content(1, 1<<20)
	for name, damage := range map[string]func(b []byte) []byte{
		"a byte":       func(b []byte) []byte { b[len(b)/2]++; return b },
		"the last":     func(b []byte) []byte { b[len(b)-1]++; return b },
		"the version":  func(b []byte) []byte { b[10]++; return b },
		"a checksum":   func(b []byte) []byte { b[60]++; return b },
		"cut":          func(b []byte) []byte { return b[:len(b)-1] },
		"only zeros":   func(b []byte) []byte { return make([]byte, len(b)) },
		"empty":        func(b []byte) []byte { return nil },
		"longer":       func(b []byte) []byte { return append(b, 0) },
		"another file": func(b []byte) []byte { return []byte("something else") },
	} {
		dir := t.TempDir()
		o := &object{data: data}
		check(t, newCache(t, dir, 1<<30).Over(o, "a", 1<<20, nil), data, 1000, 300_000)
		found, _ := files(t, dir)
		if len(found) != 1 {
			t.Fatal(found)
		}
		b, err := os.ReadFile(found[0])
		if err == nil {
			err = os.WriteFile(found[0], damage(b), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			check(t, newCache(t, dir, 1<<30).Over(o, "a", 1<<20, nil), data, 1000, 300_000)
		}
		if n := o.reads.Load(); n != 2 {
			t.Errorf("%s: %d reads of the object", name, n)
		}
		check(t, newCache(t, dir, 1<<30).Over(o, "a", 1<<20, nil), data, 1000, 300_000)
	}
}

// TestForeign has files under the cache's names that are not its own: directories, links, ranges outside the object, absurd names.
func TestForeign(t *testing.T) {
	dir := t.TempDir()
	data := content(1, 1<<20)
	o := &object{data: data}
	b := newCache(t, dir, disk.MinSize).Over(o, "a", 1<<20, nil)
	check(t, b, data, 0, 1000)
	found, _ := files(t, dir)
	mine := filepath.Dir(found[0])
	secret := filepath.Join(t.TempDir(), "secret")
	write := func(name string) {
		if err := os.WriteFile(name, []byte("keep"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(secret)
	write(filepath.Join(dir, "notes.txt"))
	for _, name := range []string{"0-7fffffffffffffff", "ffffffffffffffff-1", "-1-1", "0-0", "100000-10", "zz", "07d0-3e8", "2000-800000"} {
		write(filepath.Join(mine, name))
	}
	if err := errors.Join(os.Symlink(secret, filepath.Join(mine, "3e8-4")), os.Mkdir(filepath.Join(mine, "3ea-64"), 0o700),
		os.Symlink(filepath.Dir(secret), filepath.Join(dir, strings.Repeat("a", 64)))); err != nil {
		t.Skip(err)
	}
	b = newCache(t, dir, disk.MinSize).Over(o, "a", 1<<20, nil)
	for off := 0; off < 1<<20; off += 9999 {
		check(t, b, data, off, 12345)
	}
	for _, name := range []string{secret, filepath.Join(dir, "notes.txt"), filepath.Join(mine, "zz")} {
		if p, err := os.ReadFile(name); err != nil || string(p) != "keep" {
			t.Errorf("%s: %q, %v", name, p, err)
		}
	}
}

// TestEviction keeps the directory small, and what is used in it.
func TestEviction(t *testing.T) {
	const limit = 2 << 20
	dir := t.TempDir()
	data := content(1, 16<<20)
	o := &object{data: data}
	old := filepath.Join(dir, strings.Repeat("ab", 32))
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"tmp-OLD": 2 * time.Hour, "tmp-NEW": 0} {
		at := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(filepath.Join(old, name), nil, 0o600), os.Chtimes(filepath.Join(old, name), at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for off := 0; off < len(data); off += 60_000 {
		b := newCache(t, dir, limit).Over(o, "a", int64(len(data)), nil)
		check(t, b, data, off, 60_000)
		check(t, b, data, 0, 60_000)
		if _, size := files(t, dir); size > limit {
			t.Fatalf("%d bytes in the directory", size)
		}
	}
	if n := o.reads.Load(); n > int64(len(data)/60_000)+5 {
		t.Errorf("%d reads: what is used was dropped", n)
	}
	names, _ := files(t, old)
	if len(names) != 1 || filepath.Base(names[0]) != "tmp-NEW" {
		t.Errorf("%v are left", names)
	}
	if _, size := files(t, dir); size < limit/2 {
		t.Errorf("only %d bytes in the directory", size)
	}
}

// TestFull has a directory that can't be written to any more. Reads go on.
func TestFull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := newCache(t, dir, 1<<30)
	data := content(1, 1<<20)
	b := c.Over(&object{data: data}, "a", 1<<20, nil)
	check(t, b, data, 0, 1000)
	if err := os.RemoveAll(dir); err != nil {
		t.Skip(err)
	}
	check(t, b, data, 0, 2000)
	check(t, b, data, 3000, 2000)
	c.Close()
	check(t, b, data, 0, 4000)
}

func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(file, 1<<30); !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
	if _, err := disk.Open(t.TempDir(), disk.MinSize-1); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
	c := newCache(t, filepath.Join(t.TempDir(), "a", "b"), disk.MinSize)
	if s, err := source.New(c.Over(&object{data: []byte("abc")}, "a", 3, nil), 3, "a"), error(nil); s.Hints().InFlight != 0 || err != nil {
		t.Error(s.Hints())
	} else {
		s.Release()
	}
}

// TestProcesses has several processes read one object at the same time, in a cache that is too small for it, and others killed meanwhile.
func TestProcesses(t *testing.T) {
	data := content(1, 6<<20)
	if dir := os.Getenv("DISK_TEST_DIR"); dir != "" {
		seed, err := strconv.ParseUint(os.Getenv("DISK_TEST_SEED"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 30 {
			b := newCache(t, dir, 4<<20).Over(&object{data: data}, "a", int64(len(data)), nil)
			for range 10 {
				off := rng.IntN(len(data))
				check(t, b, data, off, 1+rng.IntN(300_000))
			}
		}
		return
	}
	dir := t.TempDir()
	var all sync.WaitGroup
	for seed := range 4 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if seed == 3 {
				time.AfterFunc(150*time.Millisecond, cancel)
			}
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestProcesses$")
			cmd.Env = append(os.Environ(), "DISK_TEST_DIR="+dir, "DISK_TEST_SEED="+strconv.Itoa(seed))
			if out, err := cmd.CombinedOutput(); err != nil && seed != 3 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	if _, size := files(t, dir); size > 5<<20 || size == 0 {
		t.Errorf("%d bytes in the directory", size)
	}
}
