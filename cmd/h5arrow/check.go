package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// checkFlags are the flags of check.
type checkFlags struct {
	reading
	deep    bool
	json    bool
	workers flags.Positive
}

func (a *app) checkCommand() *cobra.Command {
	o := &checkFlags{}
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Find defects",
		Long: `check walks everything in a file. It prints a line for each defect, with its place, and for each unsupported feature. With
--deep it also decodes all chunks and reads all columns.

With --untrusted, what the strict rules for files of unknown origin refuse is an error too. --json prints an object for each file,
with a verdict by the usual rules and one by the strict ones, and a stable code for each finding.

Exit status: 3 if there is a defect, else 4 if something is unsupported, else 0.`,
		Example: `  h5arrow check data.h5
  h5arrow check --deep *.h5`,
		Args: argCount(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.check(o, args) },
	}
	cmd.Flags().BoolVar(&o.deep, "deep", false, "decode all chunks and read all columns")
	cmd.Flags().BoolVar(&o.json, "json", false, "print a line of JSON for each file, with verdicts and codes")
	o.reading.add(cmd)
	cmd.Flags().Var(&o.workers, "workers", "number of decoding goroutines (default: one for each processor)")
	return cmd
}

func (a *app) check(o *checkFlags, args []string) error {
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit)()
	names, err := o.expand(a.ctx, args)
	if err != nil {
		return err
	}
	defer o.keep()()
	for _, name := range names {
		c := &checking{app: a, o: o, memory: limit, printed: map[string]*finding{}}
		if err := c.file(name); err != nil {
			return err
		}
		a.status = worse(a.status, c.status)
	}
	return nil
}

// worse returns the more important status: a defect, then something that could not be checked, then something unsupported.
func worse(a, b int) int {
	for _, s := range []int{exitCorrupt, exitFailed, exitUnsupported} {
		if a == s || b == s {
			return s
		}
	}
	return 0
}

// maxLines is the maximum number of defects of a file that are printed.
const maxLines = 10000

// checking is the check of one file.
type checking struct {
	*app
	o       *checkFlags
	memory  int64
	status  int
	lines   [exitUnsupported + 1]int // by status
	printed map[string]*finding
	failed  error // of stdout
	report  report
	profile string // by which the file is being checked
	second  bool   // by another profile than that of the exit status
}

func (c *checking) file(name string) error {
	profile := usual
	if c.o.strict(name) {
		profile = untrusted
	}
	if err := c.by(profile, &c.o.reading, name, c.o.deep); err != nil || !c.o.json {
		return err
	}
	if profile == usual {
		strict := c.o.reading
		c.second = true
		strict.untrusted, strict.plugins, strict.external = true, false, nil
		if err := c.by(untrusted, &strict, name, false); err != nil {
			return err
		}
	}
	return c.printReport(name)
}

// by checks a file by the rules of a profile.
func (c *checking) by(profile string, r *reading, name string, deep bool) error {
	c.profile = profile
	c.report.start(profile)
	in, err := r.open(c.ctx, []string{name})
	if err != nil {
		if h5err.Is(err, h5err.Corrupt) || h5err.Is(err, h5err.Unsupported) || h5err.Is(err, h5err.Limit) {
			c.found(err)
			return c.failed
		}
		return err
	}
	defer in.close()
	f := in.files[0]
	counts, err := check.File(c.ctx, f.H5(), check.Options{Deep: deep, Workers: int(c.o.workers), MaxMemory: c.memory / 4}, c.found)
	if err != nil {
		return err
	}
	if err := c.columns(f, deep); err != nil {
		return err
	}
	if err := in.unchanged(); err != nil {
		return err
	}
	if c.report.Counts == nil {
		c.report.Counts = &counts
	}
	if !c.o.quiet && !c.o.json && c.failed == nil {
		c.failed = c.print(in.names[0] + ": " + c.verdict(counts))
	}
	return h5err.In(c.failed, "stdout", "")
}

// found prints one defect, unless it was found before: there may be several paths to it.
func (c *checking) found(err error) {
	line := withMemory(flagText(h5err.In(err, "", "").(*h5err.Error)), c.app.memory)
	key := line
	if e, ok := errors.AsType[*h5err.Error](err); ok && e.Offset >= 0 {
		key = fmt.Sprint(e.File, e.Object, e.Offset)
	}
	code, decision := check.Classify(err)
	c.report.decide(c.profile, decision)
	if before := c.printed[key]; before != nil {
		before.by(c.profile)
		return
	}
	if c.failed != nil {
		return
	}
	if !c.second {
		c.count(err)
	}
	if len(c.printed) == maxLines {
		c.report.Truncated = true
		return
	}
	f := newFinding(err, code, c.profile)
	c.printed[key] = f
	if c.report.Findings = append(c.report.Findings, f); c.o.json {
		return
	}
	if c.failed = c.print(line); c.failed == nil && len(c.printed) == maxLines {
		c.failed = c.print("more defects are counted, but not printed")
	}
}

// count counts a defect for the exit status.
func (c *checking) count(err error) {
	status := kindStatus(h5err.KindOf(err))
	if status == exitUsage {
		status = exitCorrupt // of the file, not of the command line
	}
	c.lines[status]++
	c.status = worse(c.status, status)
}

// columns describes the file as inspect does. That finds what contradicts a convention and what Arrow has no type for.
func (c *checking) columns(f *arrowmap.File, deep bool) error {
	each := contents{file: f}
	if err := each.walk(f.H5().Root()); err != nil {
		c.found(err)
	}
	for _, d := range each.datasets {
		if d.err != nil {
			c.found(d.err)
		}
	}
	tables, err := f.Tables()
	if err != nil {
		c.found(err)
	}
	for _, t := range tables {
		sound := true
		for _, col := range t.Columns() {
			if col.Err != nil {
				c.found(col.Err)
				sound = false
			}
		}
		if err := t.Lengths(); err != nil {
			c.found(err)
			sound = false
		}
		if sound && deep {
			if err := c.read(t); err != nil {
				return err
			}
		}
	}
	return c.ctx.Err()
}

// read reads a table to find its errors.
func (c *checking) read(t *arrowmap.Table) error {
	r, err := t.Reader(c.ctx, arrowmap.WithMaxMemory(c.memory/2), arrowmap.WithWorkers(int(c.o.workers)))
	if err != nil {
		c.found(err)
		return c.ctx.Err()
	}
	defer r.Release()
	for r.Next() {
	}
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	if r.Err() != nil {
		c.found(r.Err())
	}
	return nil
}

func (c *checking) verdict(n check.Counts) string {
	parts := []string{text.Plural(n.Groups, "group"), text.Plural(n.Datasets, "dataset"), text.Plural(n.Attributes, "attribute")}
	if c.o.deep {
		parts = append(parts, text.Plural(n.Chunks, "chunk"))
	}
	verdict := "no defects"
	if n := c.lines[exitCorrupt]; n > 0 {
		verdict = text.Plural(n, "defect")
	}
	if n := c.lines[exitUnsupported]; n > 0 {
		verdict += fmt.Sprintf(", %d unsupported", n)
	}
	if n := c.lines[exitFailed]; n > 0 {
		verdict += fmt.Sprintf(", %d could not be checked", n)
	}
	return strings.Join(parts, ", ") + ": " + verdict
}
