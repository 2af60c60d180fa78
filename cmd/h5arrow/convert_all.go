package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// allTables writes every table of the inputs to its own file in a directory, which is created if needed.
func (c *conversion) allTables(names []string, dir string) error {
	e, err := c.encoder(c.format)
	if err != nil {
		return err
	}
	in, err := c.open(c.ctx, names)
	if err != nil {
		return err
	}
	defer in.close()
	tables, err := tablesByPath(in)
	if err != nil {
		return err
	}
	c.incomplete(in)
	tables = slices.DeleteFunc(tables, func(p *pathTables) bool { return p.tables[0].Groups() > 0 && !p.tables[0].Unlisted() })
	made, err := makeDir(dir)
	if err != nil {
		return err
	}
	err = c.eachTable(in, tables, dir, e)
	if err != nil && made {
		os.Remove(dir) // fails unless it is empty
	}
	return err
}

// eachTable writes the tables. One that can't be read does not stop the others: it is left out, and the exit status is that of its error.
func (c *conversion) eachTable(in *inputs, tables []*pathTables, dir string, e *format.Encoder) error {
	targets, kept, err := c.targets(in, tables, dir)
	if err != nil {
		return err
	}
	var failed []error
	written := 0
	err = c.inTurn(in, tables, func(c *conversion, i int) error {
		if kept[i] {
			c.say(c.app, []string{text.Printable(targets[i].Path() + ": kept: it is newer than the input; --force writes it again")})
			return nil
		}
		t := tables[i]
		table, err := c.join(&inputs{names: t.names}, t.tables)
		if err != nil {
			return err
		}
		return c.tableFile(in, table, targets[i], e)
	}, func(i int, err error) error {
		switch {
		case err == nil && kept[i]:
		case err == nil:
			written++
		case !c.confined(err, targets[i]):
			return err
		case withoutColumns(tables[i]), c.skip && arrowmap.OfColumn(err):
			c.leaveOut(c.app, err)
		default:
			failed = append(failed, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if written == 0 && len(failed) > 0 {
		err, failed = failed[0], failed[1:]
	}
	for _, err := range failed {
		c.leftOut(err)
		c.worsen(err)
	}
	return err
}

// targets returns the file of each table, and which of them an earlier run has written since the inputs changed: these are kept. If
// all are, the output exists already.
func (c *conversion) targets(in *inputs, tables []*pathTables, dir string) (targets []output.Target, kept []bool, err error) {
	targets, kept = make([]output.Target, len(tables)), make([]bool, len(tables))
	left, taken := 0, map[string]bool{}
	var exists error
	for i, name := range fileNames(tables, in.names[0]) {
		path := inDir(dir, name+"."+c.convertFlags.format.String())
		to, err := c.far.Target(path, c.force, in.names)
		if err != nil && in.olderThan(path) {
			exists = err
			if to, err = c.far.Target(path, true, in.names); err == nil {
				kept[i] = true
			}
		}
		if err != nil {
			return nil, nil, err
		}
		if targets[i] = to; !kept[i] {
			left++
		}
		if taken[to.Path()] { // by a link
			return nil, nil, about(to.Path(), usage("two tables would be written to this file").WithHint("write them one by one with --table"))
		}
		taken[to.Path()] = true
	}
	if left == 0 && exists != nil {
		return nil, nil, exists
	}
	return targets, kept, nil
}

// olderThan reports whether all inputs are older than a regular file. Those whose time is not known are not.
func (in *inputs) olderThan(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	for _, f := range in.files {
		if t := f.H5().Source().ModTime(); t == (time.Time{}) || t.After(info.ModTime()) {
			return false
		}
	}
	return true
}

// tableFile writes one of several tables to its file.
func (c *conversion) tableFile(in *inputs, t *chosen, to output.Target, e *format.Encoder) error {
	each := *e // a progress bar belongs to one table
	s, err := c.writeFile(in, t, to, &each)
	if err != nil {
		return err
	}
	s.Table, s.Out = text.Printable(t.Path()), text.Printable(to.Path())
	return c.report(c.out, s)
}

// confined reports whether an error concerns a single table and not the output or the whole run.
func (c *conversion) confined(err error, to output.Target) bool {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok || c.ctx.Err() != nil || e.Kind == h5err.Memory {
		return false
	}
	return e.Kind != h5err.IO || e.File != to.Path() && e.File != "stdout"
}

// fileNames returns the names of the tables' files, without suffix. Of tables that would have one name, those after the
// first get a number.
func fileNames(tables []*pathTables, input string) []string {
	names := make([]string, len(tables))
	taken := map[string]bool{}
	var again []int
	for i, t := range tables {
		names[i] = fileName(t.path, input)
		if taken[names[i]] {
			again = append(again, i)
		}
		taken[names[i]] = true
	}
	for _, i := range again {
		n := 2
		for taken[fmt.Sprintf("%s-%d", names[i], n)] {
			n++
		}
		names[i] = fmt.Sprintf("%s-%d", names[i], n)
		taken[names[i]] = true
	}
	return names
}

// fileName returns the name of a table's file: the parts of its path joined by dots. The root group has the input's name.
func fileName(path, input string) string {
	name := strings.ReplaceAll(strings.Trim(path, "/"), "/", ".")
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(input), filepath.Ext(input))
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	if strings.Trim(name, ".") == "" {
		name = "_"
	}
	return name
}

// inDir returns the path or URL of a file in a directory.
func inDir(dir, name string) string {
	if far.IsURL(dir) {
		return strings.TrimSuffix(dir, "/") + "/" + name
	}
	return filepath.Join(dir, name)
}

func makeDir(dir string) (made bool, err error) {
	if far.IsURL(dir) { // stores have none
		return false, nil
	}
	err = os.Mkdir(dir, 0o777)
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return false, about(dir, usage("--all-tables writes to a directory, this is a file"))
		}
		return false, err
	}
	if err != nil {
		return false, about(dir, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't create the directory"))
	}
	return true, nil
}
