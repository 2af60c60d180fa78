package sink

import "sync"

// Failure keeps the first error of several goroutines. The zero value has none.
type Failure struct {
	mu  sync.Mutex
	err error
}

// Fail keeps err, unless it is nil or there is an error already.
func (f *Failure) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// Failed returns the first error.
func (f *Failure) Failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
