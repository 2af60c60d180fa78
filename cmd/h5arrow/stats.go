package main

import (
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/stats"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/figures"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// statsFlags are the flags of stats.
type statsFlags struct {
	selection
	display
	json bool
}

func (a *app) statsCommand() *cobra.Command {
	o := &statsFlags{}
	cmd := &cobra.Command{
		Use:   "stats FILE...",
		Short: "Describe the values of a table's columns",
		Long: `stats reads a table once and prints, for each column, the number of nulls, of NaN and of different values, the minimum,
quartiles, the maximum, the mean, and a histogram from the minimum to the maximum.

NaN is counted and otherwise left out, as nulls are. Counts, minimum, maximum and mean are exact; the number of different
values is exact up to 4,096, and then an estimate with a standard error of 0.8%. Quartiles and histogram are exact up to
65,536 values, and then come from a sample of at least 32,768 of them (fewer in tables of more than 64 columns). Text is
compared bytewise. Lists and structs have rows and nulls only.`,
		Example: `  h5arrow stats data.h5
  h5arrow stats data.h5 --table /events --columns time,energy --rows 0:100000
  h5arrow stats data.h5 --json | jq '.columns[] | {name, min, max}'`,
		Args: argCount(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.stats(cmd, o, args) },
	}
	o.selection.add(cmd)
	o.addAttributes(cmd)
	o.display.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print JSON")
	for _, name := range []string{"filename", "batch-rows"} {
		_ = f.MarkHidden(name) // it fails only for a flag that does not exist
	}
	return cmd
}

func (a *app) stats(cmd *cobra.Command, o *statsFlags, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if o.filename {
		return usage("--filename is not for stats")
	}
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit)()
	names, err := o.expand(a.ctx, args)
	if err != nil {
		return err
	}
	o.withAttributes()
	in, t, err := o.openTable(a, names)
	if err != nil {
		return err
	}
	defer in.close()
	describe := func() ([]stats.Column, error) {
		return stats.Table(a.ctx, t.Table, o.readOptions(min(limit/2, 32<<20))...)
	}
	list, err := describe()
	if err != nil && o.skipBroken(a, t, err, o.readOptions(limit/2)...) {
		list, err = describe()
	}
	if err == nil {
		err = in.unchanged()
	}
	if err != nil {
		return err
	}
	if !o.json {
		return h5err.In(figures.Show(a.screen(&o.display), t.Path(), t.Rows(), list, unitsOf(t.Table)), "stdout", "")
	}
	b, err := figures.JSON(t.Path(), t.Rows(), list)
	if err == nil {
		_, err = text.Safe(a.out).Write(b)
	}
	return h5err.In(err, "stdout", "")
}

// unitsOf returns the units of the columns that can be read, which are those that statistics have.
func unitsOf(t *arrowmap.Table) []string {
	var units []string
	for _, f := range t.Schema().Fields() {
		units = append(units, rows.Units(f))
	}
	return units
}
