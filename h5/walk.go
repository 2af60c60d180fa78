package h5

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Walk calls fn for each object that hard links reach from the root, once each, groups before their members. It skips objects
// that can't be opened, and stops at the first error of fn.
func (f *File) Walk(fn func(o Object) error) error {
	return f.walk(func(o Object, _ string, err error) error {
		if err != nil {
			return nil
		}
		return fn(o)
	})
}

// walk is Walk, and also reports what can't be opened: then o is nil, and path and err describe it.
func (f *File) walk(fn func(o Object, path string, err error) error) error {
	f.Gather()
	w := walker{f: f, fn: fn, seen: map[uint64]struct{}{}, room: f.r.Room()}
	return w.visit(f.root)
}

// maxPath bounds the length of a path in a walk: if each group contains the next, the total length of all paths grows with the
// square of their number.
const maxPath = 64 << 10

type walker struct {
	f    *File
	fn   func(o Object, path string, err error) error
	seen map[uint64]struct{}
	room meta.Room // of the objects' headers
}

// visit keeps its own stack: groups may be nested too deeply for recursion.
func (w *walker) visit(root *Group) error {
	w.seen[root.addr] = struct{}{}
	w.room.Take(root.h.bytes)
	if err := w.fn(root, root.path, nil); err != nil {
		return err
	}
	stack := []iterator{{g: root}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		err := top.g.load()
		if err != nil && top.next == 0 {
			if err := w.fn(nil, top.g.path, err); err != nil {
				return err
			}
		}
		if top.next >= top.g.size() {
			stack = stack[:len(stack)-1]
			continue
		}
		l := top.g.link(top.next)
		top.next++
		if l.Kind != LinkHard {
			continue
		}
		if _, ok := w.seen[l.Address]; ok {
			continue
		}
		w.seen[l.Address] = struct{}{}
		if len(w.seen) > w.f.r.Limits.Links {
			return h5err.About(h5err.Over("h5.Limits.Links", 2*uint64(w.f.r.Limits.Links), "more than %d objects", w.f.r.Limits.Links), w.f)
		}
		if len(top.g.path)+len(l.Name) > maxPath {
			err := h5err.New(h5err.Limit, "a path of more than %d bytes: what is below this group is skipped", maxPath)
			if err := w.fn(nil, top.g.path, h5err.About(err, top.g)); err != nil {
				return err
			}
			top.next = top.g.size()
			continue
		}
		p := join(top.g.path, l.Name)
		o, err := w.f.object(l.Address, p)
		if err == nil && !w.room.Take(headerOf(o).bytes) {
			return h5err.About(w.f.r.Corrupt(l.Address, "object headers that overlap one another"), w.f.at(p))
		}
		if err := w.fn(o, p, err); err != nil {
			return err
		}
		if g, ok := o.(*Group); ok && err == nil {
			stack = append(stack, iterator{g: g})
		}
	}
	return nil
}

type iterator struct {
	g    *Group
	next int
}

func headerOf(o Object) *header {
	switch o := o.(type) {
	case *Group:
		return o.h
	case *Dataset:
		return o.h
	}
	return o.(*NamedType).h
}
