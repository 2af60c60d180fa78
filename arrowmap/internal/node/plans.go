package node

import (
	"sync"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
)

// plans keeps the plans of a file's types, and their names: thousands of columns may have one type, and a plan can be
// shared.
type plans struct {
	mu    sync.Mutex
	count int
	known map[*h5.Type][]planned
	names map[*h5.Type]string
}

// planned is a plan and what it was made of.
type planned struct {
	src  dtype.Source
	o    dtype.Options
	plan *dtype.Plan
}

// Bounds of what is kept.
const (
	maxPlans    = 1024
	maxVariants = 16 // plans of one type
)

// simple reports whether a type is one of the small ones that datasets share. Plans of others may be large.
func simple(t *h5.Type) bool { return t.Base == nil && t.Members == nil && t.Names == nil }

// plan is dtype.New.
func (p *plans) plan(src dtype.Source, o dtype.Options) (*dtype.Plan, error) {
	if len(src.Dims) > 0 || !simple(src.Type) {
		return dtype.New(src, o)
	}
	src.Dims = nil
	if plan := p.find(src, o); plan != nil {
		return plan, nil
	}
	plan, err := dtype.New(src, o)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[*h5.Type][]planned{}
	}
	if of := p.known[src.Type]; p.count < maxPlans && len(of) < maxVariants {
		p.count++
		p.known[src.Type] = append(of, planned{src, o, plan})
	}
	return plan, nil
}

// find returns the plan of the same source and options, nil for none.
func (p *plans) find(src dtype.Source, o dtype.Options) *dtype.Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.known[src.Type] {
		if k.o == o && k.src.Equal(src) {
			return k.plan
		}
	}
	return nil
}

// typeName is the type's String.
func (p *plans) typeName(t *h5.Type) string {
	if !simple(t) {
		return t.String()
	}
	p.mu.Lock()
	name, ok := p.names[t]
	p.mu.Unlock()
	if ok {
		return name
	}
	name = t.String()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.names == nil {
		p.names = map[*h5.Type]string{}
	}
	if len(p.names) < maxPlans {
		p.names[t] = name
	}
	return name
}
