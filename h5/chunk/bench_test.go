package chunk

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
)

// Each benchmark has a twin: the minimum of work that any reader has to do, by the same workers.

var benchShapes = []struct {
	name string
	s    shape
}{
	{"deflate", shape{dims: []uint64{1 << 24}, chunk: []uint64{1 << 16}, elem: 8, deflate: true, shuffle: true}},
	{"raw", shape{dims: []uint64{1 << 22}, chunk: []uint64{1 << 16}, elem: 8}},
	{"tiny", shape{dims: []uint64{1600000}, chunk: []uint64{10}, elem: 4}},
	{"tiny-gaps", shape{dims: []uint64{1600000}, chunk: []uint64{10}, elem: 4, gap: 60}},
	{"tiny-deflate", shape{dims: []uint64{400000}, chunk: []uint64{50}, elem: 4, deflate: true}},
	{"grid", shape{dims: []uint64{2000, 2000}, chunk: []uint64{100, 100}, elem: 8}},
	{"grid-deflate", shape{dims: []uint64{2000, 1000}, chunk: []uint64{100, 100}, elem: 8, deflate: true, shuffle: true}},
	{"columns", shape{dims: []uint64{500000, 8}, chunk: []uint64{7813, 1}, elem: 8}}, // as h5py chooses
	{"columns-deflate", shape{dims: []uint64{500000, 8}, chunk: []uint64{7813, 1}, elem: 8, deflate: true, shuffle: true}},
}

func BenchmarkRead(b *testing.B) {
	for _, c := range benchShapes {
		c.s.smooth = true
		s := newSynth(seeded(1), c.s)
		for _, workers := range []int{1, 2} {
			if workers > runtime.GOMAXPROCS(0) {
				continue
			}
			p := NewPool(workers)
			dst := make([]byte, len(s.want))
			b.Run(fmt.Sprintf("%s/workers=%d", c.name, workers), func(b *testing.B) {
				r := s.reader(b, options{})
				b.SetBytes(int64(len(dst)))
				b.ReportAllocs()
				for b.Loop() {
					done := make(chan error, 1)
					r.Start(context.Background(), p, 0, r.Rows(), dst, StartOptions{Align: 1}, func(err error) { done <- err })
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/workers=%d/twin", c.name, workers), func(b *testing.B) {
				b.SetBytes(int64(len(dst)))
				file := make([]byte, s.src.Size())
				if _, err := s.src.ReadAt(file, 0); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					twin(b, s, s.filters, p, file, dst)
				}
			})
			if inflate := only(s.filters, 1); len(inflate) > 0 {
				b.Run(fmt.Sprintf("%s/workers=%d/inflate", c.name, workers), func(b *testing.B) {
					b.SetBytes(int64(len(dst)))
					file := make([]byte, s.src.Size())
					if _, err := s.src.ReadAt(file, 0); err != nil {
						b.Fatal(err)
					}
					for b.Loop() {
						twin(b, s, inflate, p, file, dst)
					}
				})
			}
			p.Close()
		}
	}
}

// only gives the filters of that number; 1 is deflate.
func only(filters []filter.Spec, id uint16) []filter.Spec {
	var out []filter.Spec
	for _, f := range filters {
		if f.ID == id {
			out = append(out, f)
		}
	}
	return out
}

// twin decodes all chunks from memory to anywhere, or copies them where there is nothing to decode.
func twin(b *testing.B, s *synth, filters []filter.Spec, p *Pool, file, dst []byte) {
	cs, _ := s.dataset.chunks()
	pipe, err := filter.New(filters)
	if err != nil {
		b.Fatal(err)
	}
	n := int(s.layout.ChunkBytes)
	group := max(1, pieceBytes/n)
	var wg sync.WaitGroup
	for i := 0; i < len(cs); i += group {
		part := cs[i:min(len(cs), i+group)]
		wg.Add(1)
		p.Go(func(w *Worker) {
			defer wg.Done()
			for k := range part {
				to := (i + k) * n
				if to+n > len(dst) {
					to = len(dst) - n
				}
				if err := decodeOne(pipe, w, dst[to:to+n], file, &part[k]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func decodeOne(pipe *filter.Pipeline, w *Worker, dst, file []byte, c *h5.Chunk) error {
	stored := file[c.Offset : c.Offset+c.Size]
	if pipe.Len() == 0 {
		copy(dst, stored)
		return nil
	}
	return pipe.Decode(w.State(), dst, stored, c.FilterMask)
}
