package arrowmap

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/h5/source"
)

// chain is the batches of several tables, one after the other. No batch has rows of two of them.
type chain struct {
	ctx     context.Context
	schema  *arrow.Schema
	o       readOptions
	part    func() (*Table, error) // the next one, nil after the last
	in      *Reader                // nil before the first, and between two
	current *Table                 // that in reads
	row     int64                  // of all that the next part starts with
	total   []ColumnReport

	shared *pass.Shared // what reads the parts
	queue  []*link      // the parts after the current one, as far as they are known
	ended  bool         // there are no others
}

// link is a part of a chain that is yet to be read.
type link struct {
	t     *Table
	o     readOptions
	small bool
	in    *Reader // nil where it was not started
	err   error   // instead of a table
}

// oneByOne returns a function that returns tables in turn, and then nil.
func oneByOne(tables []*Table) func() (*Table, error) {
	return func() (*Table, error) {
		if len(tables) == 0 {
			return nil, nil
		}
		t := tables[0]
		tables = tables[1:]
		return t, nil
	}
}

// maxSingle is the number of bytes of a table up to which one worker reads it.
const maxSingle = 1 << 20

func (c *chain) next() (arrow.RecordBatch, error) {
	for {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		if c.in == nil {
			l := c.first()
			if l == nil {
				return nil, nil
			}
			c.queue = c.queue[1:]
			c.start(l)
			if l.err != nil {
				return nil, l.err
			}
			if c.in, c.current = l.in, l.t; l.small {
				c.startAhead()
			}
		}
		if c.in.Next() {
			// Attributes may differ between the tables: those of the first are the schema's.
			return c.recoded(c.in.RecordBatch())
		}
		err := c.in.Err()
		c.leave()
		if err != nil {
			return nil, err
		}
	}
}

// first returns the next part, nil at the end. It stays in the queue.
func (c *chain) first() *link {
	if len(c.queue) == 0 && !c.find() {
		return nil
	}
	return c.queue[0]
}

// find adds a part to the queue. It is false at the end.
func (c *chain) find() bool {
	for !c.ended {
		t, err := c.part()
		if t == nil || err != nil {
			if c.ended = true; err != nil {
				c.queue = append(c.queue, &link{err: err})
			}
			return err != nil
		}
		l := &link{t: t, o: c.o}
		rows := t.Rows()
		c.row += rows
		if l.o.Ranges != nil {
			if l.o.Ranges = pass.Clipped(l.o.Ranges, c.row-rows, c.row); len(l.o.Ranges) == 0 {
				continue
			}
		}
		foot := t.Footprint()
		if n, ok := pass.Product(rows, foot.Bytes); ok && n < maxSingle {
			l.o.Workers, l.small = 1, foot.ChunkBytes < maxSingle && !t.f.f.Source().Far()
		}
		if c.queue = append(c.queue, l); !c.o.SlowStart {
			if c.shared == nil {
				c.shared = pass.NewShared(c.o.Options)
			}
			l.o.Shared = c.shared
		}
		return true
	}
	return false
}

// start starts to read a part.
func (c *chain) start(l *link) {
	if l.in == nil && l.err == nil {
		l.in, l.err = l.t.start(c.ctx, l.o)
	}
}

// startAhead starts to read the parts after the current one, as long as they are small: one alone does not keep all workers busy, and
// none of them while its rows are being written.
func (c *chain) startAhead() {
	ahead := c.o.Workers + 1
	if m := c.o.MaxMemory; m > 0 {
		ahead = int(min(int64(ahead), m/(8*maxSingle))) // a part takes less than three times maxSingle
	}
	if c.o.SlowStart {
		ahead = 0
	}
	for k := range ahead {
		if k == len(c.queue) && !c.find() || !c.queue[k].small {
			return
		}
		l := c.queue[k]
		if l.in != nil {
			continue
		}
		if c.start(l); l.err != nil { // next returns it when all before it has been read
			return
		}
		if p, ok := l.in.batches.(*onePass); ok {
			p.pass.Begin()
		}
	}
}

// recoded returns a batch of a file as one of the table.
func (c *chain) recoded(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	columns := slices.Clone(rec.Columns())
	for i, r := range c.current.as {
		if r == nil {
			continue
		}
		mem := &values.Counting{Allocator: c.o.Alloc}
		err := source.Guard(func() error {
			columns[i] = r.Apply(columns[i], mem)
			return nil
		})
		if err != nil {
			return nil, err
		}
		defer columns[i].Release()
		c.total[i].CopiedBytes += mem.Bytes
	}
	return array.NewRecordBatch(c.schema, columns, rec.NumRows()), nil
}

// leave adds up what became of a table's columns and moves on to the next table.
func (c *chain) leave() {
	c.total = c.report()
	c.in.Release()
	c.in = nil
}

func (c *chain) close() {
	if c.in != nil {
		c.leave()
	}
	for _, l := range c.queue {
		if l.in != nil {
			l.in.Release()
		}
	}
	c.queue, c.ended = nil, true
	if c.shared != nil {
		c.shared.Close()
		c.shared = nil
	}
}

func (c *chain) report() []ColumnReport {
	out := append([]ColumnReport{}, c.total...)
	if c.in == nil {
		return out
	}
	addReports(out, c.in.Report())
	return out
}

// addReports adds the reports of further rows to those of the rows before.
func addReports(total, more []ColumnReport) {
	for i, col := range more {
		total[i].CopiedBytes += col.CopiedBytes
		total[i].NullCount += col.NullCount
		if total[i].Note == nil {
			total[i].Note = col.Note
		}
		if total[i].Reason == "" { // mapped in all files before this one
			total[i].Delivery, total[i].Reason = col.Delivery, col.Reason
		}
	}
}
