// Package tree shows what is in a file as a tree: groups, tables, datasets and links.
package tree

import (
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
)

// Node is an object or a link of a file.
type Node struct {
	Name     string
	Style    text.Style
	What     string // what it is, or where it leads
	Kind     string // in the singular: what is left out is counted by it
	Children []*Node
	Folded   bool // its children are counted, not shown
}

// Bounds of what is shown unless all is asked for.
const (
	shown    = 30 // members of a group that has more than MaxShown
	MaxShown = 40 // later members are counted by their kinds: their nodes need nothing else
	maxDepth = 24 // a deeper object is counted, so that lines stay short
	maxName  = 40
)

// Show shows the nodes below root, which has no line itself. It leaves out members of large groups unless all is set.
func Show(s *text.Screen, root *Node, all bool) error {
	return show(s, root, "", 0, all)
}

func show(s *text.Screen, n *Node, indent string, depth int, all bool) error {
	members := n.Children
	if !all && len(members) > MaxShown {
		members = members[:shown]
	}
	width := 0
	for _, m := range members {
		width = max(width, min(text.Width(text.Printable(m.Name)), maxName))
	}
	for _, m := range members {
		name := text.CutMiddle(text.Printable(m.Name), maxName)
		pad := strings.Repeat(" ", width-text.Width(name)+2)
		what, fold := m.What, m.Folded && !all && len(m.Children) > 0 && !bad(m)
		if fold {
			what = count(m.Children) + " (--all lists them)"
		}
		if what == "" {
			pad = ""
		}
		if err := s.Line(text.Span{Text: indent}, text.Span{Text: name, Style: m.Style}, text.Span{Text: pad},
			text.Span{Text: what, Style: whatStyle(m.Style)}); err != nil {
			return err
		}
		if fold {
			continue
		}
		if depth == maxDepth && len(m.Children) > 0 {
			if err := s.Line(text.Span{Text: indent + "  … " + count(m.Children) + " and what is below", Style: text.Dim}); err != nil {
				return err
			}
			continue
		}
		if err := show(s, m, indent+"  ", depth+1, all); err != nil {
			return err
		}
	}
	if left := n.Children[len(members):]; len(left) > 0 {
		return s.Line(text.Span{Text: indent + "… " + count(left) + " more (--all lists them)", Style: text.Dim})
	}
	return nil
}

// bad reports whether something below a node is broken.
func bad(n *Node) bool {
	return slices.ContainsFunc(n.Children, func(c *Node) bool { return c.Style == text.Bad || bad(c) })
}

func whatStyle(name text.Style) text.Style {
	switch name {
	case text.Name:
		return text.Plain
	case text.Bad:
		return text.Bad
	}
	return text.Dim
}

// count says how many nodes of each kind there are, in the order in which the kinds appear.
func count(nodes []*Node) string {
	var kinds []string
	number := map[string]int{}
	for _, n := range nodes {
		if number[n.Kind]++; number[n.Kind] == 1 {
			kinds = append(kinds, n.Kind)
		}
	}
	for i, k := range kinds {
		kinds[i] = text.Plural(number[k], k)
	}
	return strings.Join(kinds, ", ")
}
