package h5

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// WithUntrusted opens a file of unknown origin under strict rules. It follows no links to other files, reads no external
// storage and no virtual datasets, whatever WithExternal allows: such objects are errors of kind Unsupported whose Rule says
// which rule it is. Limits that WithLimits does not set are those of UntrustedLimits.
func WithUntrusted() Option {
	return func(o *options) error {
		o.strict = true
		return nil
	}
}

// UntrustedLimits returns the limits of WithUntrusted. Those that are zero have their usual defaults.
func UntrustedLimits() Limits {
	return Limits{
		Messages: 4096, AttributeSize: 1 << 20, HeapObjects: 1 << 15, Elements: 1 << 40,
		Chunks: 1 << 20, DecodedBytes: 256 << 20, Links: 1 << 17, Expansion: 1100, // deflate reaches 1032
	}
}

// Untrusted reports whether the file was opened with WithUntrusted.
func (f *File) Untrusted() bool { return f.opts.strict }

// stricter returns limits with those of UntrustedLimits where they are not set.
func stricter(l Limits) Limits {
	s := UntrustedLimits()
	for _, x := range []struct {
		limit *int
		value int
	}{{&l.Messages, s.Messages}, {&l.HeapObjects, s.HeapObjects}, {&l.Chunks, s.Chunks}, {&l.Links, s.Links}} {
		if *x.limit == 0 {
			*x.limit = x.value
		}
	}
	for _, x := range []struct {
		limit *int64
		value int64
	}{{&l.AttributeSize, s.AttributeSize}, {&l.Elements, s.Elements}, {&l.DecodedBytes, s.DecodedBytes}, {&l.Expansion, s.Expansion}} {
		if *x.limit == 0 {
			*x.limit = x.value
		}
	}
	return l
}

// alone reports whether a file must not refer to others.
func (o *options) alone() bool { return o.strict && o.external.Open == nil }

// refuses returns the error of a link that leads out of a file that is not trusted, else nil.
func (f *File) refuses(l *Link) error {
	switch {
	case !f.opts.strict:
	case l.Kind == LinkExternal && f.opts.external.Open != nil:
	case l.Kind == LinkExternal:
		return h5err.Refuse(h5err.RuleExternalLink, "a link to %s in %q, and this file is not trusted", l.Target, l.File)
	case l.Kind == LinkUser:
		return h5err.Refuse(h5err.RuleUserLink, "a user-defined link in a file that is not trusted")
	}
	return nil
}

// freeBytes is how much a dataset may declare whatever is stored of it.
const freeBytes = 16 << 20

// Expands returns an error of kind Limit if the declared bytes of values are more than Limits.Expansion allows for stored bytes.
func (f *File) Expands(declared, stored int64) error {
	limit := f.r.Limits.Expansion
	if limit == 0 || declared <= freeBytes || (declared-freeBytes)/limit <= min(stored, f.r.Size()) {
		return nil
	}
	need := uint64(declared-freeBytes)/uint64(max(1, min(stored, f.r.Size()))) + 1
	e := h5err.Over("h5.Limits.Expansion", need, "%d bytes are declared and %d are stored, the limit is %d for each", declared, stored, limit)
	e.Rule = h5err.RuleExpansion
	return e
}

// checkExpansion compares the bytes that a dataset declares with those that there may be.
func (d *Dataset) checkExpansion(l *Layout) error {
	if d.f.r.Limits.Expansion == 0 {
		return nil
	}
	stored := int64(0)
	switch l.Storage {
	case StorageCompact, StorageContiguous:
		return nil // as large as they are declared
	case StorageVirtual, StorageExternal:
		return nil // not in this file
	case StorageChunked:
		stored = d.f.r.Size()
	}
	n, err := d.bytes()
	if err != nil {
		return err
	}
	return d.f.Expands(n, stored)
}

// checkStored compares the bytes that a dataset declares with those of its chunks.
func (d *Dataset) checkStored(chunks []Chunk) error {
	if d.f.r.Limits.Expansion == 0 {
		return nil
	}
	stored := int64(0)
	for i := range chunks {
		stored = min(stored+chunks[i].Size, d.f.r.Size()) // chunks may overlap in files that are broken
	}
	n, err := d.bytes()
	if err != nil {
		return err
	}
	return d.f.Expands(n, stored)
}
