package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// contents is what inspect shows of a file. Files may have millions of objects: what is kept of each is its name and address.
type contents struct {
	file     *arrowmap.File
	below    string
	size     int64
	tables   []*arrowmap.Table
	datasets []dataset // those of a group one after the other
	aliases  map[int][]string
	links    []h5.Link // that are not hard, of the groups one after the other
	types    []*h5.NamedType
	groups   []group            // each before those below it
	problem  error              // why not all tables were found
	broken   int                // columns, datasets and other objects that can't be described
	numbers  map[uint64]int     // of datasets, by address; made when it is needed
	similar  map[string][]alike // by the path of the group
	left     []string           // headings of columns that a narrow screen left out
}

// alike are members of a group that are not described, since a table has the rows of all of them.
type alike struct {
	names []string // of members, in the file's order
	count int      // how many were passed over
	like  string   // the table
}

// group is a group, and where its members start in the lists of contents. They end where those of the next group start.
type group struct {
	in       int    // number of the group that it is in, none for the first
	name     string // the first one's is its path
	addr     uint64
	datasets int
	links    int
	types    int
}

const none = -1

// dataset is a dataset, or an object that can't be opened and may be one.
type dataset struct {
	in     int // number of the group that it is in, or none: its name is its path
	name   string
	addr   uint64
	column *arrowmap.Column // nil: it is made again when it is shown
	err    error
}

// maxDescribed is the number of datasets whose description, of about 2 KB, is kept. Those of more are made again when they are shown.
// Tests change it.
var maxDescribed = 16 << 10

// maxPath bounds the length of a path: in groups that contain one another, the length of all paths grows with the square of
// their number.
const maxPath = 64 << 10

// path returns the path of a member of group number in.
func (c *contents) path(in int, name string) string {
	if in == none {
		return name
	}
	var room [8]string
	names := append(room[:0], name)
	for ; in != none; in = c.groups[in].in {
		names = append(names, c.groups[in].name)
	}
	if names[len(names)-1] == "/" {
		names[len(names)-1] = ""
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

func (c *contents) pathOf(d *dataset) string { return c.path(d.in, d.name) }

func (c *contents) groupPath(i int) string { return c.path(c.groups[i].in, c.groups[i].name) }

// describe collects the tables and datasets of a file at and below a path. Unless all is set, groups that are rows of a table
// and have no table of their own in the list are counted only, but for the first.
func describe(f *arrowmap.File, below string, all bool) (*contents, error) {
	c := &contents{file: f, below: below, size: f.H5().Source().Size(), similar: map[string][]alike{}}
	var err error
	if below == "/" {
		c.tables, c.problem = f.Tables()
		if !all {
			c.leaveOut()
		}
		err = c.walk(f.H5().Root())
	} else {
		err = c.restrict(below)
	}
	if err != nil {
		return nil, err
	}
	c.count()
	return c, nil
}

// count counts what can't be described; a dataset that is a column too, once.
func (c *contents) count() {
	seen := map[string]bool{}
	one := func(path string) {
		if !seen[path] {
			seen[path] = true
			c.broken++
		}
	}
	for _, t := range c.tables {
		if err := t.Lengths(); broken(err) {
			one(t.Path() + "\x00")
		}
		for _, col := range t.Columns() {
			path := col.Path
			if path == "" {
				path = t.Path() + "\x00" + col.Name
			}
			if broken(col.Err) {
				one(path)
			}
		}
	}
	for i := range c.datasets {
		if d := &c.datasets[i]; broken(d.err) {
			one(c.pathOf(d))
		}
	}
	if broken(c.problem) && c.broken == 0 {
		c.broken++
	}
}

func (c *contents) restrict(below string) error {
	o, err := c.file.H5().Lookup(below)
	if err != nil {
		return err
	}
	tables, problem := c.file.Tables()
	for _, t := range tables {
		if t.Path() == below || strings.HasPrefix(t.Path(), below+"/") {
			c.tables = append(c.tables, t)
		}
	}
	e, ok := errors.AsType[*h5err.Error](problem)
	if len(tables) == 0 || ok && (e.Object == below || strings.HasPrefix(e.Object, below+"/")) {
		c.problem = problem
	}
	switch o := o.(type) {
	case *h5.Dataset:
		c.add(o, none, below, nil)
		return nil
	case *h5.Group:
		return c.walk(o)
	}
	return nil
}

// broken reports whether an error means that something can't be described, rather than that it is refused.
func broken(err error) bool {
	return err != nil && !h5err.Is(err, h5err.Unsupported) && !h5err.Is(err, h5err.Limit)
}

func (c *contents) add(d *h5.Dataset, in int, name string, err error) {
	e := dataset{in: in, name: name, err: err}
	if d != nil {
		e.addr = d.Address()
		column := c.file.Describe(d)
		if e.err = column.Err; len(c.datasets) < maxDescribed || d.File() != c.file.H5() {
			e.column = column
		}
	}
	c.datasets = append(c.datasets, e)
}

// object returns a dataset, nil if it can't be opened.
func (c *contents) object(d *dataset) *h5.Dataset {
	if d.addr == 0 {
		return nil
	}
	o, _ := c.file.H5().ObjectAt(d.addr, c.pathOf(d))
	object, _ := o.(*h5.Dataset)
	return object
}

// column returns the description of a dataset, nil if it can't be opened.
func (c *contents) column(d *dataset) *arrowmap.Column {
	if d.column != nil {
		return d.column
	}
	if object := c.object(d); object != nil {
		return c.file.Describe(object)
	}
	return nil
}

// leaveOut notes the groups that are rows of tables, but for the first of each table, where the groups are too many for tables
// of their own.
func (c *contents) leaveOut() {
	for _, t := range c.tables {
		if parent, names := t.StackedGroups(); len(names) > detect.MaxListed {
			c.similar[parent] = append(c.similar[parent], alike{names: names[1:], like: t.Path()})
		}
	}
}

// leftOut reports whether a member of a group is only counted. It is asked about all members in the file's order.
func (c *contents) leftOut(parent, name string) bool {
	found := false
	for i := range c.similar[parent] {
		s := &c.similar[parent][i]
		if s.count < len(s.names) && s.names[s.count] == name {
			s.count++
			found = true
		}
	}
	return found
}

// inner is a group that is still to be visited.
type inner struct {
	in   int // number of the group that it is in
	name string
	addr uint64
}

// walking is a walk by walk.
type walking struct {
	*contents
	seen map[uint64]int // number of the dataset, by address
	left []inner        // the next one last
}

const isGroup = -1 // in walking.seen

// walk adds all datasets that hard links reach from a group. A dataset with several links is added once.
func (c *contents) walk(root *h5.Group) error {
	w := &walking{contents: c, seen: map[uint64]int{root.Address(): isGroup}, left: []inner{{none, root.Path(), root.Address()}}}
	for len(w.left) > 0 {
		next := w.left[len(w.left)-1]
		w.left = w.left[:len(w.left)-1]
		o, err := c.file.H5().ObjectAt(next.addr, c.path(next.in, next.name))
		g, ok := o.(*h5.Group)
		if !ok {
			c.add(nil, next.in, next.name, err)
			continue
		}
		start := len(w.left)
		if err := w.group(g, next); err != nil {
			return err
		}
		slices.Reverse(w.left[start:])
	}
	return nil
}

// group adds a group and its members. Groups among these are left to be visited.
func (w *walking) group(g *h5.Group, at inner) error {
	number := len(w.groups)
	w.groups = append(w.groups, group{at.in, at.name, at.addr, len(w.datasets), len(w.links), len(w.types)})
	links, err := g.AllLinks()
	if err != nil {
		w.add(nil, at.in, at.name, err)
	}
	for l := range links {
		switch {
		case l.Kind != h5.LinkHard:
			w.links = append(w.links, l)
		case w.leftOut(g.Path(), l.Name):
		case len(g.Path())+len(l.Name) > maxPath:
			err := h5err.New(h5err.Limit, "a path of more than %d bytes: what is below this group is not shown", maxPath)
			w.add(nil, at.in, at.name, h5err.About(err, g))
			return nil
		default:
			if err := w.member(number, l, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// member adds the target of a link of group number in, unless it was added before.
func (w *walking) member(in int, l h5.Link, g *h5.Group) error {
	path := strings.TrimSuffix(g.Path(), "/") + "/" + l.Name
	if i, ok := w.seen[l.Address]; ok {
		if i != isGroup {
			if w.aliases == nil {
				w.aliases = map[int][]string{}
			}
			w.aliases[i] = append(w.aliases[i], path)
		}
		return nil
	}
	f := w.file.H5()
	if limit := f.Limits().Links; len(w.seen) >= limit {
		return h5err.In(h5err.Over("h5.Limits.Links", 2*uint64(limit), "more than %d objects", limit), f.Name(), path)
	}
	w.seen[l.Address] = isGroup
	o, err := f.ObjectAt(l.Address, path)
	switch o := o.(type) {
	case *h5.Group:
		w.left = append(w.left, inner{in, l.Name, l.Address})
	case *h5.NamedType:
		w.types = append(w.types, o)
	case *h5.Dataset:
		w.seen[l.Address] = len(w.datasets)
		w.add(o, in, l.Name, nil)
	default:
		if err != nil {
			w.seen[l.Address] = len(w.datasets)
			w.add(nil, in, l.Name, err)
		}
	}
	return nil
}

// group opens group i again, nil if that fails.
func (c *contents) group(i int) *h5.Group {
	o, _ := c.file.H5().ObjectAt(c.groups[i].addr, c.groupPath(i))
	out, _ := o.(*h5.Group)
	return out
}

// end returns where the members of group i end.
func (c *contents) end(i int) group {
	if i+1 < len(c.groups) {
		return c.groups[i+1]
	}
	return group{datasets: len(c.datasets), links: len(c.links), types: len(c.types)}
}

// passedOver returns the groups that were only counted, in the order of their tables.
func (c *contents) passedOver() []alike {
	if len(c.similar) == 0 {
		return nil
	}
	number := make(map[string]int, len(c.tables))
	for i, t := range c.tables {
		number[t.Path()] = i
	}
	var list []alike
	for _, s := range c.similar {
		for _, a := range s {
			if a.count > 0 {
				list = append(list, a)
			}
		}
	}
	slices.SortFunc(list, func(a, b alike) int { return number[a.like] - number[b.like] })
	return list
}
