package node

import (
	"sync"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
)

// plans keeps the plans of a file's types: thousands of columns may have one type, and a plan can be shared.
type plans struct {
	mu    sync.Mutex
	known map[planKey]*dtype.Plan
	names map[*h5.Type]string
}

// planKey is all that a plan for rows of one item comes from.
type planKey struct {
	typ         *h5.Type
	dtype       string
	hasDLength  bool
	dlength     int64
	plain       bool
	bools, unix bool
	options     dtype.Options
}

// maxPlans bounds what is kept.
const maxPlans = 1024

// simple reports whether a type is one of the small ones that datasets share. Plans of others may be large.
func simple(t *h5.Type) bool { return t.Base == nil && t.Members == nil && t.Names == nil }

// plan is dtype.New.
func (p *plans) plan(src dtype.Source, o dtype.Options) (*dtype.Plan, error) {
	if len(src.Dims) > 0 || !simple(src.Type) {
		return dtype.New(src, o)
	}
	key := planKey{typ: src.Type, dtype: src.DType, hasDLength: src.HasDLength, dlength: src.DLength,
		plain: src.NoConvention, bools: src.Bitfield8AsBool, unix: src.UnixTimes, options: o}
	p.mu.Lock()
	plan := p.known[key]
	p.mu.Unlock()
	if plan != nil {
		return plan, nil
	}
	plan, err := dtype.New(src, o)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[planKey]*dtype.Plan{}
	}
	if len(p.known) < maxPlans {
		p.known[key] = plan
	}
	return plan, nil
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
