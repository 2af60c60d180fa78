package chunk

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

func TestBudget(t *testing.T) {
	ctx := context.Background()
	b := NewBudget(100)
	if b.Max() != 100 || b.Used() != 0 {
		t.Fatalf("a new budget of %d with %d used", b.Max(), b.Used())
	}
	if err := b.Acquire(ctx, 101); h5err.KindOf(err) != h5err.Memory || !strings.Contains(err.Error(), "chunk.NewBudget") {
		t.Errorf("more than the whole: %v", err)
	}
	if err := b.Acquire(ctx, -1); h5err.KindOf(err) != h5err.Argument {
		t.Errorf("less than nothing: %v", err)
	}
	if err := b.Acquire(ctx, 60); err != nil {
		t.Fatal(err)
	}
	if b.TryAcquire(41) || !b.TryAcquire(40) || b.TryAcquire(1) || b.TryAcquire(-1) || !b.TryAcquire(0) {
		t.Error("TryAcquire does not go by what is free")
	}
	b.Release(40)

	// Those who wait are served in turn: a small request does not overtake a large one.
	order := make(chan int64, 2)
	for _, n := range []int64{80, 10} {
		go func() {
			if err := b.Acquire(ctx, n); err != nil {
				t.Error(err)
			}
			order <- n
		}()
		waitForWaiters(t, b, map[int64]int{80: 1, 10: 2}[n])
	}
	if b.TryAcquire(1) {
		t.Error("TryAcquire overtakes who waits")
	}
	b.Release(60)
	if n := <-order + <-order; n != 90 || b.Used() != 90 {
		t.Errorf("%d bytes were granted, %d are used", n, b.Used())
	}
	b.Release(90)

	// One whose context ends gives its turn away.
	b.Acquire(ctx, 100)
	short, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- b.Acquire(short, 50) }()
	waitForWaiters(t, b, 1)
	go func() { done <- b.Acquire(ctx, 30) }()
	waitForWaiters(t, b, 2)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled Acquire: %v", err)
	}
	b.Release(30)
	if err := <-done; err != nil || b.Used() != 100 {
		t.Errorf("after a canceled Acquire: %v, %d used", err, b.Used())
	}
	b.Release(100)
	if err := b.Acquire(short, 1); !errors.Is(err, context.Canceled) || b.Used() != 0 {
		t.Errorf("with a context that is over: %v, %d used", err, b.Used())
	}
	defer func() {
		if recover() == nil {
			t.Error("a release too many is not noticed")
		}
	}()
	b.Release(1)
}

// waitForWaiters returns when n requests wait.
func waitForWaiters(t *testing.T, b *Budget, n int) {
	t.Helper()
	h5test.Eventually(t, time.Minute, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.waiters.Len() >= n
	})
}

func TestNilBudget(t *testing.T) {
	var b *Budget
	if b.Acquire(context.Background(), 1<<62) != nil || !b.TryAcquire(1<<62) {
		t.Error("a nil budget has a bound")
	}
	b.Release(1)
	h := b.hold(10)
	h.unpin()
	if !h.pin() || len(h.data) != 10 {
		t.Error("memory without a budget was taken away")
	}
	h.drop()
}

// TestIdleMemory checks that kept chunks give way to requests, oldest first, and only where that helps.
func TestIdleMemory(t *testing.T) {
	b := NewBudget(100)
	h1, h2, h3 := b.hold(30), b.hold(30), b.hold(30)
	if b.hold(11) != nil {
		t.Error("more is held than there is")
	}
	h1.unpin()
	h2.unpin()
	if b.TryAcquire(71) {
		t.Error("pinned memory was taken away")
	}
	if !h1.pin() {
		t.Error("idle memory was taken away for nothing")
	}
	h1.unpin() // now younger than h2
	if !b.TryAcquire(40) || h2.pin() || !h1.pin() {
		t.Error("the oldest idle memory did not give way")
	}
	done := make(chan error)
	go func() { done <- b.Acquire(context.Background(), 30) }()
	waitForWaiters(t, b, 1)
	h1.unpin() // somebody waits for it
	if err := <-done; err != nil || h1.pin() {
		t.Errorf("memory that becomes idle is not given to those who wait: %v", err)
	}
	h2.drop()
	h1.drop() // gone already
	h3.unpin()
	h3.drop()
	b.Release(70)
	if b.Used() != 0 || b.idleSum != 0 || b.idle.Len() != 0 {
		t.Errorf("%d used, %d idle", b.Used(), b.idleSum)
	}
}

// TestBudgetUnderLoad has many goroutines take and give back, and counts on its own.
func TestBudgetUnderLoad(t *testing.T) {
	const limit = 1000
	b := NewBudget(limit)
	var used, peak atomic.Int64
	var wg sync.WaitGroup
	add := func(n int64) {
		if now := used.Add(n); now > limit {
			t.Errorf("%d of %d bytes are used", now, limit)
		} else if now > peak.Load() {
			peak.Store(now)
		}
	}
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(uint64(g), 2))
			for range 500 {
				n := rng.Int64N(limit) + 1
				switch rng.IntN(3) {
				case 0:
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(200))*time.Microsecond)
					if b.Acquire(ctx, n) == nil {
						add(n)
						runtime.Gosched()
						add(-n)
						b.Release(n)
					}
					cancel()
				case 1:
					if b.TryAcquire(n) {
						add(n)
						runtime.Gosched()
						add(-n)
						b.Release(n)
					}
				default:
					if h := b.hold(n); h != nil {
						h.unpin()
						if h.pin() {
							add(n)
							runtime.Gosched()
							add(-n)
						}
						h.drop()
					}
				}
			}
		}()
	}
	wg.Wait()
	if b.Used() != 0 || peak.Load() == 0 {
		t.Errorf("%d bytes are used at the end, the peak was %d", b.Used(), peak.Load())
	}
}
