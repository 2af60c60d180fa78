package flags

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
)

// Limits is the flag --limit NAME=N, which may be repeated.
type Limits struct {
	of    map[string]int64
	order []string
}

// limits are the names of limits, and where h5.Limits has them.
var limits = []struct {
	name string
	set  func(l *h5.Limits, n int64)
	max  int64
	size bool // of bytes
}{
	{"attribute-size", func(l *h5.Limits, n int64) { l.AttributeSize = n }, math.MaxInt64, true},
	{"chunks", func(l *h5.Limits, n int64) { l.Chunks = int(n) }, math.MaxInt, false},
	{"decoded-bytes", func(l *h5.Limits, n int64) { l.DecodedBytes = n }, math.MaxInt64, true},
	{"elements", func(l *h5.Limits, n int64) { l.Elements = n }, math.MaxInt64, false},
	{"expansion", func(l *h5.Limits, n int64) { l.Expansion = n }, math.MaxInt64, false},
	{"heap-objects", func(l *h5.Limits, n int64) { l.HeapObjects = int(n) }, math.MaxInt, false},
	{"links", func(l *h5.Limits, n int64) { l.Links = int(n) }, math.MaxInt, false},
	{"messages", func(l *h5.Limits, n int64) { l.Messages = int(n) }, math.MaxInt, false},
	{"nesting", func(l *h5.Limits, n int64) { l.Nesting = int(n) }, maxNesting, false},
	{"rank", func(l *h5.Limits, n int64) { l.Rank = int(n) }, math.MaxInt, false},
}

// maxNesting bounds what is done by recursion.
const maxNesting = 10000

func (l *Limits) String() string {
	given := make([]string, 0, len(l.order))
	for _, name := range l.order {
		given = append(given, name+"="+strconv.FormatInt(l.of[name], 10))
	}
	return strings.Join(given, ",")
}

// Type returns the form of the argument.
func (l *Limits) Type() string { return "NAME=N" }

// Set parses the argument.
func (l *Limits) Set(text string) error {
	name, number, ok := strings.Cut(text, "=")
	for _, known := range limits {
		if known.name != name {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if size := Size(0); err != nil && known.size && size.Set(number) == nil {
			n, err = int64(size), nil
		}
		if !ok || err != nil || n < 1 || n > known.max {
			if known.size {
				return fmt.Errorf("%s is a size like 64MiB, 1.5G or 1000000", name)
			}
			return fmt.Errorf("%s is a number from 1 to %d", name, known.max)
		}
		if l.of == nil {
			l.of = map[string]int64{}
		}
		l.of[name] = n
		if !slices.Contains(l.order, name) {
			l.order = append(l.order, name)
		}
		return nil
	}
	names := make([]string, 0, len(limits))
	for _, known := range limits {
		names = append(names, known.name)
	}
	return fmt.Errorf("limits are %s", strings.Join(names, ", "))
}

// Given reports whether the flag was given.
func (l *Limits) Given() bool { return len(l.of) > 0 }

// Onto returns other limits with those that were given in their place.
func (l *Limits) Onto(others h5.Limits) h5.Limits {
	for _, known := range limits {
		if n, ok := l.of[known.name]; ok {
			known.set(&others, n)
		}
	}
	return others
}
