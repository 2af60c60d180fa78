package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
)

// planFlags are the flags of plan.
type planFlags struct {
	selection
	splits flags.Positive
	bytes  flags.Size
	json   bool
}

func (a *app) planCommand() *cobra.Command {
	o := &planFlags{}
	cmd := &cobra.Command{
		Use:   "plan FILE...",
		Short: "Divide a table for several readers",
		Long: `plan divides the rows of a table into splits, which several processes or machines can read: each with its file, and
with --table (or --stack) and --rows as printed. Splits end where chunks end, so that no chunk is decoded twice, and do
not depend on the machine. They are those of the endpoints of Arrow Flight.

BYTES is about what the rows take in memory, STORED what is read of the file for them.`,
		Example: `  h5arrow plan data.h5
  h5arrow plan 'runs/*.h5' --table /events --splits 16 --json`,
		Args: argCount(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.plan(cmd, o, args) },
	}
	f := cmd.Flags()
	f.Var(&o.splits, "splits", "number of splits, at most; each further file may add one")
	f.Var(&o.bytes, "split-bytes", "approximate size of a split in memory (default: 128MiB, or what --splits leaves)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.selection.add(cmd)
	for _, name := range []string{"filename", "workers", "batch-rows"} { // they change nothing here
		_ = f.MarkHidden(name) // it fails only for a flag that does not exist
	}
	return cmd
}

// planned is a split as plan --json prints it.
type planned struct {
	File        string `json:"file"`
	Table       string `json:"table"`
	Rows        string `json:"rows"`
	Bytes       int64  `json:"bytes"`
	StoredBytes int64  `json:"stored_bytes"`
}

func (a *app) plan(cmd *cobra.Command, o *planFlags, args []string) error {
	defer memory.Limit(a.maxMemory(o.memory))()
	if err := o.check(cmd); err != nil {
		return err
	}
	names, err := o.expand(a.ctx, args)
	if err != nil {
		return err
	}
	in, t, err := o.openTable(a, names)
	if err != nil {
		return err
	}
	defer in.close()
	splits, err := t.Splits(arrowmap.WithSplitCount(int(o.splits)), arrowmap.WithSplitBytes(int64(o.bytes)), arrowmap.WithStoredBytes())
	if err != nil {
		return err
	}
	list := make([]planned, len(splits))
	for i, s := range splits {
		list[i] = planned{s.File, t.Path(), fmt.Sprintf("%d:%d", s.FileFrom, s.FileFrom+s.To-s.From), s.Bytes, s.StoredBytes}
	}
	if o.json {
		e := json.NewEncoder(text.Safe(a.out))
		e.SetEscapeHTML(false)
		return e.Encode(list)
	}
	g := text.Grid{}
	g.AddText("FILE", "TABLE", "ROWS", "BYTES", "STORED")
	for _, s := range list {
		g.AddText(s.File, s.Table, s.Rows, text.Count(s.Bytes), text.Count(s.StoredBytes))
	}
	return g.Write(a.out)
}
