package text

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Cell is one field of a grid.
type Cell struct {
	Text  string
	Right bool // aligned to the right
}

// Grid is text in columns. The zero value is an empty grid.
type Grid struct {
	Indent string // before each line
	Max    int    // characters of a cell, longer text is cut; 0: any
	rows   [][]Cell
	widths []int
}

// Add adds a row. It copies the text, which may be in memory that is released before Write.
func (g *Grid) Add(row []Cell) {
	var all strings.Builder
	for i := range row {
		row[i].Text = Printable(row[i].Text)
		if g.Max > 0 {
			row[i].Text = Cut(row[i].Text, g.Max)
		}
		all.WriteString(row[i].Text)
		if i == len(g.widths) {
			g.widths = append(g.widths, 0)
		}
		g.widths[i] = max(g.widths[i], utf8.RuneCountInString(row[i].Text))
	}
	rest := all.String()
	for i := range row {
		n := len(row[i].Text)
		row[i].Text, rest = rest[:n], rest[n:]
	}
	g.rows = append(g.rows, row)
}

// AddText adds a row of cells that are aligned to the left.
func (g *Grid) AddText(fields ...string) {
	row := make([]Cell, len(fields))
	for i, f := range fields {
		row[i].Text = f
	}
	g.Add(row)
}

// Rows returns the number of rows that Write would write.
func (g *Grid) Rows() int { return len(g.rows) }

// Write writes the rows and removes them. Rows that are added later have columns of at least these widths.
func (g *Grid) Write(w io.Writer) error {
	var b strings.Builder
	for _, row := range g.rows {
		line := g.Indent
		for i, c := range row {
			pad := strings.Repeat(" ", g.widths[i]-utf8.RuneCountInString(c.Text))
			if i > 0 {
				line += "  "
			}
			if c.Right {
				line += pad + c.Text
			} else {
				line += c.Text + pad
			}
		}
		_ = WriteLine(&b, strings.TrimRight(line, " ")) // a builder takes everything
	}
	g.rows = g.rows[:0]
	_, err := io.WriteString(w, b.String())
	return err
}
