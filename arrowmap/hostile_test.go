package arrowmap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// What a hostile file may cost.
const (
	maxTime   = 10 * time.Second
	maxMemory = 256 << 20
)

// tight bounds what the files of these tests may ask for.
func tight() h5.Limits { return h5.Limits{DecodedBytes: 16 << 20, Chunks: 1 << 18, Links: 1 << 14} }

// exercise does with the bytes of a file everything that there is to do. Errors are fine as long as they are of our
// type; panics are not.
func exercise(data []byte, name string) error {
	var src *source.Source
	if name != "" {
		var err error
		if src, err = source.Open(name); err != nil {
			return nil // an empty name, a directory: not what this is about
		}
	} else {
		src = source.FromReaderAt(bytes.NewReader(data), int64(len(data)), "mutant")
	}
	f, err := arrowmap.NewFile(src, arrowmap.WithLimits(tight()), arrowmap.WithTypes(dtype.Options{Strings: dtype.StringsBinary}))
	if err != nil {
		src.Release()
		return known(err)
	}
	defer f.Close()
	var bad error
	keep := func(err error) {
		if e := known(err); e != nil && bad == nil {
			bad = e
		}
	}
	tables, err := f.Tables()
	keep(err)
	for i, t := range tables {
		if i == 8 {
			break
		}
		keep(drain(t))
	}
	seen := 0
	keep(f.H5().Walk(func(o h5.Object) error {
		if seen > 64 {
			return nil
		}
		_, err := o.Attributes()
		keep(err)
		if g, ok := o.(*h5.Group); ok {
			links, err := g.Links()
			keep(err)
			for i, l := range links {
				if l.Kind == h5.LinkHard || i < 16 && l.Kind == h5.LinkSoft {
					_, err := g.Open(l.Name)
					keep(err)
				}
			}
		}
		if d, ok := o.(*h5.Dataset); ok {
			seen++
			c := f.Describe(d)
			keep(c.Err)
			if t, err := f.Datasets(d.Path()); err == nil {
				keep(drain(t))
			}
		}
		return nil
	}))
	return bad
}

// drain reads the first rows of a table. A schema that no Arrow reader accepts is an error of no type of ours.
func drain(t *arrowmap.Table) error {
	for _, c := range t.Columns() {
		if c.Err != nil {
			continue
		}
		f := c.Field()
		if f.Name != c.Name || f.Type == nil {
			return fmt.Errorf("column %q has the field %v", c.Name, f)
		}
		for i, key := range f.Metadata.Keys() {
			if v := f.Metadata.Values()[i]; !utf8.ValidString(key) || !utf8.ValidString(v) {
				return fmt.Errorf("column %q has the metadata %q: %q", c.Name, key, v)
			}
		}
	}
	t, _ = t.SkipUnsupported()
	if t.Rows() > 10000 {
		var err error
		if t, err = t.Slice(t.Rows()-5000, -1); err != nil {
			return err
		}
	}
	r, err := t.Reader(context.Background(), arrowmap.WithMaxMemory(64<<20), arrowmap.WithWorkers(2))
	if err != nil {
		return err
	}
	defer r.Release()
	for i := 0; i < 20 && r.Next(); i++ {
	}
	return r.Err()
}

// known returns err unless it is one of ours.
func known(err error) error {
	var e *h5err.Error
	if err == nil || errors.As(err, &e) && e.Kind.String() != "invalid" && !strings.Contains(err.Error(), "\n") {
		return nil
	}
	return fmt.Errorf("an error of type %T: %w", err, err)
}

// guarded runs fn under a watch over its time and memory.
func guarded(t *testing.T, what string, fn func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(maxTime):
		buf := make([]byte, 1<<20)
		t.Fatalf("%s: no end after %v\n%s", what, maxTime, buf[:runtime.Stack(buf, true)])
	}
}

// watch samples the memory that the process holds until the test ends.
func watch(t *testing.T) *atomic.Uint64 {
	t.Helper()
	var maxHeld atomic.Uint64
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				metrics.Read(s)
				if v := s[0].Value.Uint64(); v > maxHeld.Load() {
					maxHeld.Store(v)
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-ended
		if maxHeld.Load() > maxMemory {
			t.Errorf("%d MiB of memory", maxHeld.Load()>>20)
		}
	})
	return &maxHeld
}

// TestBrokenFiles opens and reads the files of the corpus that are broken on purpose.
func TestBrokenFiles(t *testing.T) {
	watch(t)
	n := 0
	err := filepath.WalkDir(filepath.Join(h5test.Corpus(t), "bad"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		n++
		guarded(t, p, func() error { return exercise(nil, p) })
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files: %v", n, err)
	}
}

// seeds returns the small ones of the files, to make mutants of.
func seeds(t testing.TB, files []string) [][]byte {
	t.Helper()
	var out [][]byte
	for _, p := range files {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 64<<10 || info.Size() < 100 {
			continue
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	if len(out) == 0 {
		t.Fatal("no seeds")
	}
	return out
}

// TestMutants damages small files and reads what is left of them. H5ARROW_MUTANTS is how many; the same number makes
// the same mutants.
func TestMutants(t *testing.T) { testMutants(t, h5test.Fixtures(t)) }

// TestMutantsCorpus is TestMutants with the files of the corpus.
func TestMutantsCorpus(t *testing.T) { testMutants(t, h5test.CorpusFiles(t, ".")) }

func testMutants(t *testing.T, files []string) {
	count := 3000
	if s := os.Getenv("H5ARROW_MUTANTS"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	watch(t)
	from := seeds(t, files)
	for i := range count {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		data := mutate(rng, from)
		guarded(t, fmt.Sprintf("mutant %d", i), func() error { return exercise(data, "") })
		if t.Failed() {
			return
		}
	}
}

// mutate damages a copy of one of the seeds: single bits, bytes, numbers that are on the brink, runs copied from
// elsewhere, the end cut off.
func mutate(rng *rand.Rand, from [][]byte) []byte {
	data := bytes.Clone(from[rng.IntN(len(from))])
	edges := []uint64{0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	for range 1 + rng.IntN(8) {
		at := rng.IntN(len(data))
		if rng.IntN(3) > 0 { // most metadata are at the start
			at = rng.IntN(min(len(data), 2048))
		}
		switch rng.IntN(6) {
		case 0:
			data[at] ^= 1 << rng.IntN(8)
		case 1:
			data[at] = byte(rng.Uint32())
		case 2, 3:
			v := edges[rng.IntN(len(edges))]
			for k := 0; k < 1<<rng.IntN(4) && at+k < len(data); k++ {
				data[at+k] = byte(v >> (8 * k))
			}
		case 4:
			n := min(1+rng.IntN(64), len(data)-at)
			copy(data[at:at+n], data[rng.IntN(len(data)-n+1):])
		case 5:
			if rng.IntN(4) == 0 && at > 64 {
				data = data[:at]
			}
		}
	}
	return data
}

// FuzzFile is exercise for what the fuzzer makes of the smallest files.
func FuzzFile(f *testing.F) { fuzzFile(f, h5test.Fixtures(f)) }

// FuzzCorpus is FuzzFile with the files of the corpus.
func FuzzCorpus(f *testing.F) { fuzzFile(f, h5test.CorpusFiles(f, ".")) }

func fuzzFile(f *testing.F, files []string) {
	for _, s := range seeds(f, files) {
		if len(s) <= 8<<10 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := exercise(data, ""); err != nil {
			t.Error(err)
		}
	})
}
