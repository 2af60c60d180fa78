package main

import (
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/source"
)

// filesAtOnce is how many files are opened beside each other: opening one waits for its server most of the time.
const filesAtOnce = 8

// each calls fn for the numbers below n, atOnce at a time, and returns the error of the lowest number that has one. After an error no
// further calls are started. The same few goroutines do all of it, as a new one would have to grow its stack for each file.
func each(n, atOnce int, fn func(i int) error) error {
	if n == 1 {
		return fn(0)
	}
	errs := make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool
	var wait sync.WaitGroup
	for range min(n, atOnce) {
		wait.Go(func() {
			for i := int(next.Add(1) - 1); i < n && !failed.Load(); i = int(next.Add(1) - 1) {
				if errs[i] = source.Guard(func() error { return fn(i) }); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
