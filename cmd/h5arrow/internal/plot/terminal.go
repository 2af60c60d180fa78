package plot

import (
	"math"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/dtype"
)

// Height is the number of lines of a drawing on a terminal.
const Height = 16

// Columns returns the width of the drawing on a screen.
func Columns(s *text.Screen) int {
	if s.Width == 0 {
		return 80 - margin
	}
	return min(max(s.Width-margin, 10), 200)
}

// margin is what labels of the y axis and the frame take.
const margin = 14

// Show draws bins on a screen.
func (b *Bins) Show(s *text.Screen) error {
	if err := b.title(s); err != nil {
		return err
	}
	lines, top, bottom := b.bars(), text.Count(b.Max()), "0"
	if b.Y.Name != "" {
		lines, top, bottom = b.shades(), b.Y.Label(b.Y.High), b.Y.Label(b.Y.Low)
	}
	for i, line := range lines {
		label := ""
		switch i {
		case 0:
			label = top
		case len(lines) - 1:
			label = bottom
		}
		label = text.Cut(label, margin-3)
		label = strings.Repeat(" ", margin-3-text.Width(label)) + label + " │"
		if err := s.Line(text.Span{Text: label, Style: text.Dim}, text.Span{Text: strings.TrimRight(line, " "), Style: text.Link}); err != nil {
			return err
		}
	}
	width := text.Width(lines[0])
	frame := strings.Repeat(" ", margin-2) + "└" + strings.Repeat("─", width)
	low, high := b.X.Label(b.X.Low), b.X.Label(b.X.High)
	gap := max(width-text.Width(low)-text.Width(high), 1)
	for _, line := range []string{frame, strings.Repeat(" ", margin-1) + low + strings.Repeat(" ", gap) + high} {
		if err := s.Line(text.Span{Text: line, Style: text.Dim}); err != nil {
			return err
		}
	}
	return nil
}

// title writes what is drawn.
func (b *Bins) title(s *text.Screen) error {
	what := text.Plural(b.Rows, "row") + " of " + b.X.described()
	if b.Y.Name != "" {
		what = text.Plural(b.Rows, "row") + ": " + b.Y.described() + " over " + b.X.described()
	}
	if b.Left > 0 {
		what += ", " + text.Count(b.Left) + " of them null or not finite"
	}
	return s.Line(text.Span{Text: what, Style: text.Bold})
}

// described returns the name of an axis, with its type and unit.
func (a *Axis) described() string {
	what := a.Name + " (" + dtype.TypeName(a.Type)
	if a.Unit != "" {
		what += ", " + a.Unit
	}
	return what + ")"
}

// bars returns the lines of a histogram, the top first.
func (b *Bins) bars() []string {
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	wide := max(1, min(4, 60/len(b.Counts))) // few bins are drawn wider
	lines := make([]string, Height)
	for i := range lines {
		var line strings.Builder
		for _, n := range b.Counts {
			eighths := int(math.Ceil(float64(n) / float64(b.Max()) * Height * 8))
			at := min(max(eighths-8*(Height-1-i), 0), 8)
			line.WriteString(strings.Repeat(string(blocks[at]), wide))
		}
		lines[i] = line.String()
	}
	return lines
}

// shades returns the lines of a density, the top first: the shade grows with the logarithm of the count.
func (b *Bins) shades() []string {
	levels := []rune(" ·░▒▓█")
	scale := float64(len(levels)-2) / max(math.Log(float64(b.Max())), 1e-9)
	lines := make([]string, b.Y.Bins)
	for i := range lines {
		row := b.Counts[(b.Y.Bins-1-i)*b.X.Bins:][:b.X.Bins]
		var line strings.Builder
		for _, n := range row {
			level := 0
			if n > 0 {
				level = 1 + int(math.Log(float64(n))*scale+1e-9)
			}
			line.WriteRune(levels[min(level, len(levels)-1)])
		}
		lines[i] = line.String()
	}
	return lines
}

// shownLabels is the number of labels that are drawn.
const shownLabels = 20

// shownLabel returns a label that can be seen.
func shownLabel(label string) string {
	if strings.TrimSpace(label) == "" {
		return `"` + label + `"`
	}
	return label
}

// ShowLabels draws the number of rows of each label as bars.
func ShowLabels(s *text.Screen, name string, rows, nulls int64, labels []Label) error {
	what := text.Plural(rows, "row") + " of " + name + ", " + text.Plural(len(labels), "label")
	if nulls > 0 {
		what += ", " + text.Plural(nulls, "null")
	}
	if err := s.Line(text.Span{Text: what, Style: text.Bold}); err != nil || len(labels) == 0 {
		return err
	}
	g := text.Grid{Indent: "  ", Max: 40}
	room, widest := 40, 0
	for _, l := range labels[:min(len(labels), shownLabels)] {
		widest = max(widest, min(text.Width(text.Printable(shownLabel(l.Text))), g.Max))
	}
	if s.Width > 0 {
		room = max(min(room, s.Width-widest-text.Width(text.Count(labels[0].Count))-6), 4)
	}
	for i, l := range labels {
		if i == shownLabels {
			break
		}
		bar := strings.Repeat("█", int(math.Ceil(float64(l.Count)/float64(labels[0].Count)*float64(room))))
		g.Add([]text.Cell{{Text: shownLabel(l.Text)}, {Text: text.Count(l.Count), Right: true}, {Text: bar, Style: text.Link}})
	}
	if s.Width > 0 {
		g.Fit(s.Width)
	}
	if err := g.Show(s); err != nil || len(labels) <= shownLabels {
		return err
	}
	others := int64(0)
	for _, l := range labels[shownLabels:] {
		others += l.Count
	}
	return s.Line(text.Span{Text: "  " + text.Plural(others, "row") + " of " + text.Plural(len(labels)-shownLabels, "other label"), Style: text.Dim})
}
