package column

import (
	"fmt"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
)

// Growing returns the columns of a group that a writer lengthens together, if it was met between two of them: the file is
// open for writing, or was not closed, their datasets can grow, and each has nearly as many rows as the longest. The table
// has the rows of the shortest. Other columns of one length with it are among them; the others are left out, and the note names
// them. There are none if the columns have one length.
func Growing(g *h5.Group, columns []convention.Column) (together []convention.Column, note string) {
	sb := g.File().Superblock()
	if !sb.OpenForWriting() || EqualLengths(g, columns) == nil {
		return nil, ""
	}
	longest, block := int64(0), int64(0)
	for i := range columns {
		if rows, chunk, ok := growing(&columns[i]); ok {
			longest, block = max(longest, rows), max(block, chunk)
		}
	}
	shortest, n := longest, 0
	near := func(rows int64) bool { return rows >= longest-rows && longest-rows <= max(block, longest/8) }
	for i := range columns {
		if rows, _, ok := growing(&columns[i]); ok && near(rows) {
			shortest = min(shortest, rows)
			n++
		}
	}
	if n < 2 {
		return nil, ""
	}
	var left []string
	for i := range columns {
		c := &columns[i]
		rows, _, ok := growing(c)
		switch {
		case c.Values == nil, ok && near(rows), rows == shortest:
			together = append(together, *c)
		case len(left) < maxNamed:
			left = append(left, fmt.Sprintf("%s (%d rows)", c.Name, rows))
		case len(left) == maxNamed:
			left = append(left, "...")
		}
	}
	if len(left) > 0 {
		note = fmt.Sprintf("the table has the datasets that are lengthened together; left out: %v", left)
	}
	return together, note
}

// maxNamed bounds the number of names in a note.
const maxNamed = 8

// growing returns the rows of a column's dataset, those of its chunks, and whether it can be lengthened.
func growing(c *convention.Column) (rows, chunk int64, ok bool) {
	if c.Values == nil {
		return 0, 0, false
	}
	d := c.Values.Main()
	rows = d.Rows()
	if !d.Space().Growable() {
		return rows, 0, false
	}
	l, err := d.Layout()
	if err != nil || l.Storage != h5.StorageChunked {
		return rows, 0, false
	}
	return rows, int64(min(l.ChunkDims[0], 1<<62)), true
}
