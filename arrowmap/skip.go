package arrowmap

import (
	"context"
	"errors"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// SkipUnsupported returns the table without the columns that can't be read, as far as their descriptions show, and the error of
// each: columns that ask for something unsupported or contradict themselves, and those whose length is not that of most. What
// is wrong with values is met when they are read: see SkipBroken.
func (t *Table) SkipUnsupported() (*Table, []error) {
	var skipped []error
	var at []int
	for i, c := range t.columns {
		if c.Err != nil {
			skipped = append(skipped, c.Err)
			continue
		}
		at = append(at, i)
	}
	out := t.pick(at)
	if odd := out.body.odd(); len(odd) > 0 {
		var left []int
		for i := range out.columns {
			if err := odd[i]; err != nil {
				skipped = append(skipped, err)
			} else {
				left = append(left, i)
			}
		}
		out = out.pick(left)
	}
	return out, skipped
}

// odd returns the errors of columns, by their numbers, whose length is not that of most columns, the first of such lengths; nil
// where the columns have one length, or were chosen by the caller.
func (b *one) odd() map[int]error {
	if _, err := b.rows(); !h5err.Is(err, h5err.Corrupt) {
		return nil
	}
	count := map[int64]int{}
	for _, c := range b.columns {
		count[c.rows()]++
	}
	rows := b.columns[0].rows()
	for _, c := range b.columns {
		if count[c.rows()] > count[rows] {
			rows = c.rows()
		}
	}
	odd := map[int]error{}
	for i, c := range b.columns {
		if c.rows() != rows {
			odd[i] = h5err.About(h5err.New(h5err.Corrupt, "column %s has %d rows, the table has %d", c.Name, c.rows(), rows), b)
		}
	}
	return odd
}

func (s several) odd() map[int]error {
	odd := map[int]error{}
	for _, t := range s {
		for i, err := range t.body.odd() {
			if odd[i] == nil {
				odd[i] = err
			}
		}
	}
	return odd
}

// SkipBroken returns the table without the columns whose values can't be read, and the error of each. It reads all rows, and
// those of broken columns several times. An error that no column is to blame for, such as one of the file system, is
// returned as err.
func (t *Table) SkipBroken(ctx context.Context, opts ...ReadOption) (out *Table, skipped []error, err error) {
	broken := make([]error, len(t.columns))
	all := make([]int, len(t.columns))
	for i := range all {
		all[i] = i
	}
	if err := t.findBroken(ctx, all, broken, opts); err != nil {
		return nil, nil, err
	}
	var left []int
	for i, err := range broken {
		if err == nil {
			left = append(left, i)
		} else {
			skipped = append(skipped, err)
		}
	}
	return t.pick(left), skipped, nil
}

// findBroken reads columns together, and halves of them where that fails.
func (t *Table) findBroken(ctx context.Context, at []int, broken []error, opts []ReadOption) error {
	if len(at) == 0 {
		return nil
	}
	err := t.pick(at).readAll(ctx, opts)
	switch {
	case err == nil:
		return nil
	case !OfColumn(err):
		return err
	case len(at) == 1:
		broken[at[0]] = err
		return nil
	}
	if err := t.findBroken(ctx, at[:len(at)/2], broken, opts); err != nil {
		return err
	}
	return t.findBroken(ctx, at[len(at)/2:], broken, opts)
}

func (t *Table) readAll(ctx context.Context, opts []ReadOption) error {
	r, err := t.Reader(ctx, opts...)
	if err != nil {
		return err
	}
	defer r.Release()
	for r.Next() {
	}
	return r.Err()
}

// OfColumn reports whether an error is of a kind that one column may be to blame for: what its dataset holds, or that a file
// that its values are in is missing.
func OfColumn(err error) bool {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok {
		return false
	}
	switch e.Kind {
	case h5err.Corrupt, h5err.Unsupported, h5err.Limit:
		return true
	case h5err.IO:
		return e.Object != "" && h5err.Is(errors.Unwrap(e), h5err.NotFound)
	}
	return false
}
