package text

import (
	"io"
	"slices"
	"strings"
)

// Cell is one field of a grid.
type Cell struct {
	Text  string
	Right bool // aligned to the right
	Soft  bool // cut to softWidth or to the widest of the other cells; a row of soft cells without text is left out
	Style Style
}

// softWidth is the width that a soft cell asks for at most.
const softWidth = 20

// Grid is text in columns. The zero value is an empty grid.
type Grid struct {
	Indent string // before each line
	Max    int    // columns of a terminal that a cell takes, longer text is cut; 0: any
	rows   [][]Cell
	widths []int
	hidden []bool // columns that Fit left out
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
			g.hidden = append(g.hidden, false)
		}
		w := Width(row[i].Text)
		if row[i].Soft {
			w = min(w, softWidth)
		}
		g.widths[i] = max(g.widths[i], w)
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

const gap = "  " // between columns

// width is that of a line.
func (g *Grid) width() int {
	n, shown := Width(g.Indent), 0
	for i, w := range g.widths {
		if !g.hidden[i] {
			n += w
			shown++
		}
	}
	return n + len(gap)*max(shown-1, 0)
}

// Fit makes lines take at most n columns of a terminal: it leaves out columns, in the given order, and then cuts the widest
// cells. It returns the numbers of the columns that it left out.
func (g *Grid) Fit(n int, order ...int) (left []int) {
	all := g.width()
	for _, i := range order {
		if all <= n {
			return left
		}
		if i < len(g.hidden) && !g.hidden[i] && g.widths[i] > 0 {
			g.hidden[i] = true
			all -= g.widths[i] + len(gap)
			left = append(left, i)
		}
	}
	for over := g.width() - n; over > 0; over = g.width() - n {
		widest, second := 0, 0
		for i, w := range g.widths {
			switch {
			case g.hidden[i]:
			case w > g.widths[widest] || g.hidden[widest]:
				second, widest = g.widths[widest], i
			case i != widest:
				second = max(second, w)
			}
		}
		room := max(g.widths[widest]-over, min(second, g.widths[widest]-1), 1)
		if room >= g.widths[widest] {
			break
		}
		g.widths[widest] = room
	}
	return left
}

// Restore shows again, of the columns that Fit left out, those for which there is room, the last that Fit left out first. It returns
// the others.
func (g *Grid) Restore(n int, left []int) (out []int) {
	for _, i := range slices.Backward(left) {
		if g.width()+g.widths[i]+len(gap) <= n {
			g.hidden[i] = false
		} else {
			out = append(out, i)
		}
	}
	slices.Reverse(out)
	return out
}

// blank reports whether a row is one of soft cells of which none has text that is shown.
func (g *Grid) blank(row []Cell) bool {
	for i, c := range row {
		if !c.Soft || c.Text != "" && !g.hidden[i] {
			return false
		}
	}
	return len(row) > 0
}

// Write writes the rows to a file and removes them. Rows that are added later have columns of at least these widths.
func (g *Grid) Write(w io.Writer) error { return g.Show(&Screen{W: w}) }

// Show writes the rows to a screen and removes them.
func (g *Grid) Show(s *Screen) error {
	var b strings.Builder
	for _, row := range g.rows {
		if g.blank(row) {
			continue
		}
		b.WriteString(g.Indent)
		owed := "" // blanks that are written if something follows
		first := true
		for i, c := range row {
			if g.hidden[i] {
				continue
			}
			if !first {
				owed += gap
			}
			first = false
			t := Cut(c.Text, g.widths[i])
			pad := strings.Repeat(" ", g.widths[i]-Width(t))
			if c.Right {
				owed, pad = owed+pad, ""
			}
			if shown := strings.TrimRight(t, " "); shown != "" {
				b.WriteString(owed + s.Paint(c.Style, shown))
				owed = t[len(shown):]
			} else {
				owed += t
			}
			owed += pad
		}
		b.WriteByte('\n')
	}
	g.rows = g.rows[:0]
	_, err := io.WriteString(s.W, b.String())
	return err
}
