package chunk

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

func TestPoolOrder(t *testing.T) {
	h5test.Leaks(t)
	p := NewPool(1)
	var got []int
	want := make([]int, 0, 300)
	gate := make(chan bool)
	p.Go(func(*Worker) { <-gate })
	for i := range 100 {
		p.submit(3, func(_ *Worker, k int) { got = append(got, 3*i+k) })
		want = append(want, 3*i, 3*i+1, 3*i+2)
	}
	close(gate)
	p.Close()
	if !slices.Equal(got, want) {
		t.Errorf("jobs ran in the order %v", got)
	}
}

// A job that panics ends the process with what it panics with.
func TestPoolPanic(t *testing.T) {
	const env = "CHUNK_TEST_PANIC"
	if os.Getenv(env) != "" {
		p := NewPool(2)
		p.submit(4, func(_ *Worker, k int) {
			if k == 2 {
				panic("a job's own words")
			}
		})
		select {}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestPoolPanic$")
	c.Env = append(os.Environ(), env+"=1")
	if out, err := c.CombinedOutput(); err == nil || ctx.Err() != nil || !bytes.Contains(out, []byte("panic: a job's own words")) || bytes.Contains(out, []byte("unlock of unlocked")) {
		t.Errorf("%v, %s", err, out)
	}
}

func TestPoolClose(t *testing.T) {
	h5test.Leaks(t)
	for _, workers := range []int{-1, 1, 2, 8} {
		p := NewPool(workers)
		if p.Workers() != max(workers, 1) {
			t.Errorf("a pool of %d has %d workers", workers, p.Workers())
		}
		var n atomic.Int64
		for range 50 {
			p.Go(func(*Worker) {
				n.Add(1)
				p.Go(func(w *Worker) { // a job that a job gives
					if len(w.Scratch(10)) == 10 && w.State() != nil {
						n.Add(1)
					}
				})
			})
		}
		p.Close()
		if n.Load() != 100 {
			t.Errorf("%d workers: %d of 100 jobs ran", workers, n.Load())
		}
		late := 0
		p.submit(2, func(_ *Worker, i int) { late += i + 1 })
		if late != 3 {
			t.Errorf("jobs given after Close: %d", late)
		}
		p.Close() // again
	}
}

// TestPoolParallel checks that all workers work at once.
func TestPoolParallel(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	var all sync.WaitGroup
	all.Add(4)
	workers := make(chan *Worker, 4)
	for range 4 {
		p.Go(func(w *Worker) {
			all.Done()
			all.Wait() // none ends before all have started
			workers <- w
		})
	}
	seen := map[*Worker]bool{}
	for range 4 {
		seen[<-workers] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d workers took part", len(seen))
	}
}
