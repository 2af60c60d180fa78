package main

import (
	"bytes"
	"runtime"
	"slices"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	// maxSmall is the bytes of a table, and of a chunk of each of its columns, up to which it is written by one worker beside others.
	maxSmall = 1 << 20

	// atATime is how many small tables are written before what was printed about them is.
	atATime = 64
)

// inTurn calls work for each table, and then done with its error, in the order of the tables. An error of done ends it. Small tables
// that follow one another are worked on at a time, by conversions that keep what they print: it comes out in order, too.
func (c *conversion) inTurn(in *inputs, tables []*pathTables, work func(c *conversion, i int) error, done func(i int, err error) error) error {
	beside := c.beside(in)
	for i := 0; i < len(tables); {
		end := i
		for beside && end < len(tables) && end < i+atATime && smallTable(tables[end]) {
			end++
		}
		if end-i < 2 {
			if err := done(i, work(c, i)); err != nil {
				return err
			}
			i++
			continue
		}
		for _, a := range c.manyAttempts(i, end, work) {
			if err := a.print(c.app); err != nil {
				return err
			}
			if err := done(i, a.failed); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

// beside reports whether tables may be written beside each other: not where what is written or read is counted for all of them together.
func (c *conversion) beside(in *inputs) bool {
	for _, f := range in.files {
		if f.H5().Source().Far() {
			return false
		}
	}
	return !c.plugins && c.maxOutput == 0 && c.far.Counts() == nil
}

// attempt is the work on one table, and what it printed.
type attempt struct {
	app      app
	out, err bytes.Buffer
	failed   error
}

// manyAttempts works on tables i to end-1 with all workers, each table by one.
func (c *conversion) manyAttempts(i, end int, work func(c *conversion, i int) error) []*attempt {
	workers := int(c.workers)
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	flags := *c.convertFlags
	flags.workers = 1
	all := make([]*attempt, end-i)
	_ = each(len(all), workers, func(k int) error { // none is the error of all
		a := &attempt{app: app{args: c.args, ctx: c.ctx, started: true}}
		a.app.streams = streams{c.in, &a.out, &a.err}
		one := *c
		one.convertFlags, one.app = &flags, &a.app
		all[k] = a
		a.failed = source.Guard(func() error { return work(&one, i+k) })
		return nil
	})
	return all
}

// print prints what was printed, on the streams of a.
func (t *attempt) print(a *app) error {
	if t.err.Len() > 0 {
		_, _ = a.err.Write(t.err.Bytes()) // there is nowhere to report the error
	}
	if t.out.Len() == 0 {
		return nil
	}
	_, err := a.out.Write(t.out.Bytes())
	return err
}

// smallTable reports whether the tables of one path are small enough, all together, to be written by one worker.
func smallTable(p *pathTables) bool {
	left := int64(maxSmall)
	return !slices.ContainsFunc(p.tables, func(t *arrowmap.Table) bool {
		foot, rows := t.Footprint(), t.Rows()
		if t.Groups() > 0 || !t.RowsKnown() || rows > left/foot.Bytes || foot.ChunkBytes > maxSmall {
			return true
		}
		left -= rows * foot.Bytes
		return false
	})
}
