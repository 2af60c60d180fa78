// Package astropy recognizes the tables that astropy writes with their metadata.
package astropy

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// metaSuffix is the end of the name of the dataset in which astropy describes the columns of the table beside it, in lines of YAML.
const metaSuffix = ".__table_column_meta__"

// Part reports whether an object is such a description of a table.
func Part(o h5.Object) bool { return strings.HasSuffix(o.Path(), metaSuffix) }

// Detect recognizes the tables that astropy writes with their metadata: a compound dataset, and lines of YAML beside
// it. A member <name>.mask of a masked column <name> says where it is missing. Columns that astropy makes of several
// others, such as times and coordinates, are given as they are stored.
func Detect(o h5.Object) ([]*convention.Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !object.IsTable(d) {
		return nil, nil
	}
	up, err := d.File().Lookup(object.Parent(d.Path()))
	g, ok := up.(*h5.Group)
	if err != nil || !ok || !object.Has(g, object.Base(d.Path())+metaSuffix) {
		return nil, nil
	}
	lines, err := object.Required(g, object.Base(d.Path())+metaSuffix)
	if err != nil {
		return nil, err
	}
	yaml, err := object.Texts(lines)
	if err != nil {
		return nil, err
	}
	meta := strings.Join(yaml, "\n")
	about := columnsOf(yaml)
	t := &convention.Table{Path: d.Path(), Object: d, Reason: "a dataset " + metaSuffix[1:] + " beside it", Metadata: map[string]string{"h5arrow.table_column_meta": meta}}
	at := map[string]int{}
	for i, m := range d.Type().Members {
		at[m.Name] = i
	}
	for i, m := range d.Type().Members {
		if of, is := strings.CutSuffix(m.Name, ".mask"); is && strings.Contains(meta, m.Name) {
			if _, has := at[of]; has {
				continue // the mask of a column
			}
		}
		p := convention.NewMember(d, i)
		if k, has := at[m.Name+".mask"]; has && strings.Contains(meta, m.Name+".mask") {
			p.Nulls = []convention.Null{{Kind: convention.NullMask, Data: d, Part: &d.Type().Members[k]}}
			if m.Type.Class == h5.ClassArray { // an entry for each item
				p.As, p.RowDims = m.Type.Base, m.Type.Dims
			}
		}
		t.Columns = append(t.Columns, convention.Column{Name: m.Name, Values: p, Metadata: about[m.Name]})
	}
	return []*convention.Table{t}, nil
}

// columnsOf takes the unit, the format and the description of each column from lines of YAML as astropy writes them:
// "- {name: a, unit: m, ...}", or an item a line. What it does not understand it leaves out.
func columnsOf(lines []string) map[string]map[string]string {
	out := map[string]map[string]string{}
	item, in := "", false
	end := func() {
		if fields := yamlFields(item); fields["name"] != "" {
			md := map[string]string{}
			for _, k := range []string{"unit", "format", "description"} {
				if fields[k] != "" {
					md[k] = fields[k]
				}
			}
			out[fields["name"]] = md
		}
		item = ""
	}
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "datatype:"):
			in = true
		case in && strings.HasPrefix(line, "- "):
			end()
			item = line[2:]
		case in && strings.HasPrefix(line, " "):
			item += "\n" + strings.TrimSpace(line)
		case in:
			end()
			in = false
		}
	}
	end()
	return out
}

// yamlFields splits "{name: a, unit: m}", or such fields on lines of their own. Values in braces are left as they are.
func yamlFields(s string) map[string]string {
	out := map[string]string{}
	s = strings.TrimSpace(s)
	flow := strings.HasPrefix(s, "{")
	if flow {
		s = strings.TrimSuffix(s[1:], "}")
	}
	depth, quote, start := 0, byte(0), 0
	add := func(end int) {
		if k, v, ok := strings.Cut(strings.TrimSpace(s[start:end]), ":"); ok {
			v = strings.TrimSpace(v)
			if i := strings.IndexByte(v, ' '); i > 0 && strings.HasPrefix(v, "!") {
				v = strings.TrimSpace(v[i:]) // a tag, such as that of units
			}
			for strings.HasPrefix(v, "{unit:") {
				v = strings.TrimSpace(strings.TrimSuffix(v[len("{unit:"):], "}"))
			}
			if len(v) > 1 && (v[0] == '\'' || v[0] == '"') && v[len(v)-1] == v[0] {
				v = v[1 : len(v)-1]
			}
			out[strings.TrimSpace(k)] = strings.Join(strings.Fields(v), " ")
		}
		start = min(end+1, len(s))
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			if i > 0 && s[i-1] == ' ' {
				quote = c
			}
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case depth == 0 && (flow && c == ',' || !flow && c == '\n'):
			add(i)
		}
	}
	add(len(s))
	return out
}
