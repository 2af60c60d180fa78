package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/output"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/indexfile"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// indexFlags are the flags of index.
type indexFlags struct {
	reading
	force   bool
	json    bool
	workers flags.Positive
}

func (a *app) indexCommand() *cobra.Command {
	o := &indexFlags{}
	cmd := &cobra.Command{
		Use:   "index FILE [OUT]",
		Short: "Write an index with which conditions skip rows",
		Long: `index reads all tables of a file once and writes, for each zone of rows of each column of numbers, times, booleans and text,
its least and greatest value and its nulls. query, and head and convert with --where, then skip zones in which no row can match. They
use FILE` + indexfile.Suffix + ` without being asked if it fits: an index of another file, of one that was changed since, or of values that
are read with other options is not used.`,
		Example: `  h5arrow index data.h5
  h5arrow index data.h5 indexes/data` + indexfile.Suffix,
		Args: argCount(1, 2, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.index(o, args) },
	}
	f := cmd.Flags()
	o.reading.add(cmd)
	f.Var(&o.workers, "workers", "number of decoding goroutines (default: one for each processor)")
	f.BoolVar(&o.force, "force", false, "overwrite OUT")
	f.BoolVar(&o.json, "json", false, "print a summary as JSON")
	return cmd
}

func (a *app) index(o *indexFlags, args []string) error {
	start := time.Now()
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit)()
	out := args[0] + indexfile.Suffix
	switch {
	case len(args) > 1:
		out = args[1]
	case far.IsURL(args[0]):
		return about(far.Name(args[0]), usage("give a file for the index"))
	}
	to, err := output.Check(out, o.force, args[:1])
	if err != nil {
		return err
	}
	in, err := o.open(a.ctx, args[:1])
	if err != nil {
		return err
	}
	defer in.close()
	b, err := in.files[0].BuildIndex(a.ctx, arrowmap.WithMaxMemory(limit/2), arrowmap.WithWorkers(int(o.workers)))
	if err != nil {
		return err
	}
	err = a.outputs.Write(a.ctx, to, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil || !o.json {
		return err
	}
	e := json.NewEncoder(text.Safe(a.out))
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Bytes   int     `json:"bytes_out"`
		Seconds float64 `json:"seconds"`
	}{len(b), time.Since(start).Seconds()})
}

// indexUse is the flag that chooses an index.
type indexUse struct{ name string }

func (u *indexUse) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&u.name, "index", "", "the index of the file (`INDEX`, by default FILE"+indexfile.Suffix+" if it fits; none: no index)")
}

// apply makes the inputs use their indexes. An index that was named must fit; another one is only mentioned if it does not.
func (u *indexUse) apply(in *inputs) error {
	if u.name == "none" {
		return nil
	}
	if u.name != "" && len(in.files) > 1 {
		return usage("--index is for one file")
	}
	for i, f := range in.files {
		name := u.name
		if name == "" {
			if far.IsURL(in.names[i]) {
				continue
			}
			name = in.names[i] + indexfile.Suffix
		}
		b, err := indexfile.Read(name)
		if err == nil {
			err = f.UseIndex(b)
		}
		if u.name == "" {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				in.unused = append(in.unused, h5err.In(err, name, ""))
			}
			continue
		}
		if err != nil {
			return h5err.In(err, name, "")
		}
	}
	return nil
}
