package h5

import "sync"

// kept is what one call of find returned.
type kept struct {
	once  sync.Once
	value any
	err   error
}

// Keep returns what find returned for this key, and calls it if it was not called yet. Packages that give a file's
// contents a meaning keep here what is expensive to find out for each object anew; a key is of a type of the caller's. The
// value is kept as long as the file, and shared.
func (f *File) Keep(key any, find func() (any, error)) (any, error) {
	k, _ := f.keeps.LoadOrStore(key, &kept{})
	once := k.(*kept)
	once.once.Do(func() { once.value, once.err = find() })
	return once.value, once.err
}
