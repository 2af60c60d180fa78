package main

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/fileset"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// manifestFlags are the flags of index that are about manifests.
type manifestFlags struct {
	manifest   bool
	table      string
	union      string
	attributes []string
}

func (m *manifestFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&m.manifest, "manifest", false, "write a manifest of several files, which other commands and the Python package take as one table")
	f.StringVar(&m.table, "table", "", "with --manifest, the table at this `PATH` of each file (default: the only table)")
	f.StringVar(&m.union, "union", "", "with --manifest, how files of several schemas are one table: `by-name`")
	f.StringSliceVar(&m.attributes, "file-attributes", nil, "with --manifest, these attributes of tables or root groups as columns (`a,b`)")
}

// check refuses flags that contradict each other.
func (o *indexFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"table", "union", "file-attributes"} {
		if cmd.Flags().Changed(name) && !o.manifest {
			return usage("--%s goes with --manifest", name)
		}
	}
	switch {
	case cmd.Flags().Changed("union") && o.union != "by-name":
		return usage("--union is by-name, not %q", o.union)
	case o.manifest && (o.values || cmd.Flags().Changed("format") || o.workers > 0):
		return usage("--manifest excludes --values, --format and --workers")
	}
	return nil
}

// manifestSummary is the output of --manifest --json.
type manifestSummary struct {
	Files   int            `json:"files"`
	Rows    int64          `json:"rows"`
	Bytes   int64          `json:"bytes_out"`
	Seconds float64        `json:"seconds"`
	Notes   []string       `json:"notes,omitempty"`
	IO      *remote.Counts `json:"io,omitempty"` // of URLs
}

// writeManifest writes what opening many files as one table takes: their names, rows, schemas and attributes.
func (a *app) writeManifest(o *indexFlags, args []string) error {
	start := time.Now()
	if len(args) < 2 {
		return usage("--manifest takes files, or a pattern, and OUT")
	}
	out := args[len(args)-1]
	names, err := o.expand(a.ctx, args[:len(args)-1])
	if err != nil {
		return err
	}
	to, err := o.far.Target(out, o.force, names)
	if err != nil {
		return err
	}
	opts, err := o.options()
	if err != nil {
		return err
	}
	t, err := fileset.Open(a.ctx, names, fileset.Options{Path: o.table, Union: o.union != "", Attributes: o.attributes,
		Open: func(ctx context.Context, name string) (*arrowmap.File, error) { return o.openFile(ctx, name, opts) }})
	if err != nil {
		return err
	}
	dir := "."
	if !far.IsURL(out) {
		dir = filepath.Dir(out)
	}
	b, err := t.Manifest(a.ctx, dir)
	if err == nil {
		err = cmp.Or(a.ctx.Err(), a.outputs.Write(a.ctx, to, func(w io.Writer) error {
			_, err := w.Write(b)
			return err
		}))
	}
	if err != nil {
		return err
	}
	if !o.quiet {
		for _, note := range t.Notes() {
			a.note("%s", note)
		}
	}
	if !o.json {
		return nil
	}
	rows, err := t.Rows(a.ctx) // it is known
	if err != nil {
		return err
	}
	w := a.out
	if out == "-" {
		w = a.err
	}
	e := json.NewEncoder(text.Safe(w))
	e.SetEscapeHTML(false)
	return e.Encode(manifestSummary{len(names), rows, int64(len(b)), time.Since(start).Seconds(), t.Notes(), o.far.Counts()})
}
