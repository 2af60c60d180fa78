package chunk

import (
	"sync"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Worker is one goroutine's scratch memory and codec state.
type Worker struct {
	st      *filter.State
	in      []byte   // stored bytes
	out     []byte   // a decoded chunk on its way
	windows [][]byte // rows of virtual datasets' sources, one for each level of nesting
	depth   int
	own     []byte // for jobs of others
	reqs    []request
	fetched []*fetch // for the piece that runs
}

func newWorker() *Worker { return &Worker{st: filter.NewState()} }

func (w *Worker) close() { w.st.Close() }

// State is the worker's codec state.
func (w *Worker) State() *filter.State { return w.st }

// Scratch returns n bytes of any content, valid until the job ends or calls Scratch again. Readers do not touch them.
func (w *Worker) Scratch(n int) []byte { return grow(&w.own, n) }

// push returns n bytes of any content, which are the caller's until pop.
func (w *Worker) push(n int64) []byte {
	if w.depth == len(w.windows) {
		w.windows = append(w.windows, nil)
	}
	w.depth++
	return grow(&w.windows[w.depth-1], int(n))
}

func (w *Worker) pop() { w.depth-- }

func grow(b *[]byte, n int) []byte {
	if cap(*b) < n {
		*b = make([]byte, n, n+n/8)
	}
	return (*b)[:n]
}

// Pool is a fixed number of workers, which run jobs in the order in which they were given. It may be used by several
// goroutines. Jobs must not wait for jobs that were given later.
type Pool struct {
	workers int
	wg      sync.WaitGroup

	mu    sync.Mutex
	some  sync.Cond
	tasks []*task // jobs that have not started, from head on
	head  int
	live  int // workers that have not ended
	ended bool
	due   int // jobs that are yet to arrive

	fetcher fetcher
}

// task is n jobs, told apart by their number.
type task struct {
	run     func(w *Worker, i int)
	n, next int
}

// NewPool starts the workers; fewer than one is one.
func NewPool(workers int) *Pool {
	p := &Pool{workers: max(workers, 1), fetcher: fetcher{lanes: map[*source.Source]*lane{}, workers: max(workers, 1)}}
	p.live = p.workers
	p.some.L = &p.mu
	p.wg.Add(p.workers)
	for range p.workers {
		go p.work()
	}
	return p
}

// Workers is the number of workers.
func (p *Pool) Workers() int { return p.workers }

// Close waits for all submitted jobs, including jobs they submit, then stops the workers. Jobs given later run on the
// goroutine that gives them. Close must not be called from a job.
func (p *Pool) Close() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.some.Broadcast()
	p.wg.Wait()
	p.fetcher.mu.Lock()
	defer p.fetcher.mu.Unlock()
	p.fetcher.shrink(0)
}

// Go gives the pool a job and returns at once.
func (p *Pool) Go(fn func(w *Worker)) { p.submit(1, func(w *Worker, _ int) { fn(w) }) }

// submit gives the pool n jobs. The last one to start need not be the last one to finish.
func (p *Pool) submit(n int, run func(w *Worker, i int)) {
	p.mu.Lock()
	if p.live == 0 {
		p.mu.Unlock()
		w := newWorker()
		defer w.close()
		for i := range n {
			run(w, i)
		}
		return
	}
	p.tasks = append(p.tasks, &task{run: run, n: n})
	p.mu.Unlock()
	if n == 1 {
		p.some.Signal()
	} else {
		p.some.Broadcast()
	}
}

// await announces n jobs that arrive later: Close waits for them.
func (p *Pool) await(n int) {
	p.mu.Lock()
	p.due += n
	p.mu.Unlock()
}

// arrive is Go for a job that was announced.
func (p *Pool) arrive(fn func(w *Worker)) {
	p.Go(fn)
	p.mu.Lock()
	p.due--
	last := p.due == 0 && p.ended
	p.mu.Unlock()
	if last {
		p.some.Broadcast()
	}
}

func (p *Pool) work() {
	defer p.wg.Done()
	w := newWorker()
	defer w.close()
	p.mu.Lock()
	for {
		for p.head == len(p.tasks) {
			if p.ended && p.due == 0 {
				p.live--
				p.mu.Unlock() // not by defer: a job that panics must not hold the lock
				return
			}
			p.some.Wait()
		}
		t := p.tasks[p.head]
		i := t.next
		if t.next++; t.next == t.n {
			p.tasks[p.head] = nil
			if p.head++; p.head == len(p.tasks) {
				p.tasks, p.head = p.tasks[:0], 0
			} else if p.head > 64 && p.head > len(p.tasks)/2 {
				n := copy(p.tasks, p.tasks[p.head:])
				clear(p.tasks[n:])
				p.tasks, p.head = p.tasks[:n], 0
			}
		}
		p.mu.Unlock()
		t.run(w, i)
		p.mu.Lock()
	}
}
