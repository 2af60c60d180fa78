package h5

import "sync"

// kept is the result of one call of find.
type kept struct {
	once  sync.Once
	value any
	err   error
}

// Keep returns what find returned for this key, and calls it if it was not called yet. Packages that interpret a file keep
// here what is too expensive to read again for each object. A key is of an unexported type of the caller's package. The
// value is kept as long as the file and is shared: it must be safe for use by several goroutines.
func (f *File) Keep(key any, find func() (any, error)) (any, error) {
	k, _ := f.keeps.LoadOrStore(key, &kept{})
	once := k.(*kept)
	once.once.Do(func() { once.value, once.err = find() })
	return once.value, once.err
}
