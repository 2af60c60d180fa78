package node

import (
	"sync"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// paths are the paths of all objects of a file by their address, for object references.
type paths struct {
	once sync.Once
	of   map[uint64]string
	err  error
}

// find returns the path of the object at an address, the first in the order of a walk. The file is walked when a path is
// first asked for.
func (p *paths) find(f *h5.File, addr uint64) (string, error) {
	p.once.Do(func() {
		p.of = map[uint64]string{}
		p.err = f.Walk(func(o h5.Object) error {
			if o.File() == f {
				if _, ok := p.of[o.Address()]; !ok {
					p.of[o.Address()] = o.Path()
				}
			}
			return nil
		})
	})
	if path, ok := p.of[addr]; ok {
		return path, nil
	}
	if p.err != nil {
		return "", p.err
	}
	return "", h5err.New(h5err.Corrupt, "a reference to address %#x, where no object is", addr)
}

// resolver resolves stored object references of a dataset.
func (p *Planner) resolver(d *h5.Dataset) func(ref []byte) (path string, null bool, err error) {
	return func(ref []byte) (string, bool, error) {
		addr, ok := d.File().RefAddress(ref)
		if !ok {
			return "", true, nil
		}
		if d.File() != p.File {
			return "", false, h5err.New(h5err.Unsupported, "an object reference inside another file")
		}
		path, err := p.paths.find(p.File, addr)
		return path, false, err
	}
}
