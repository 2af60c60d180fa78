package main

import (
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// parquetFlags are the flags for Parquet files.
type parquetFlags struct {
	compat *flags.Choice
	blooms []string
}

func (p *parquetFlags) add(cmd *cobra.Command) {
	p.compat = flags.Choose(cmd, "parquet-compat", "readers that a Parquet file is for: current ones, or those of format 1.0, with snappy by default",
		"latest", "1.0")
	cmd.Flags().StringSliceVar(&p.blooms, "bloom-filter", nil, "Bloom filters for these columns of a Parquet file (`a,b`; may be repeated)")
}

// options returns what the flags ask for. They are usage errors for other formats.
func (p *parquetFlags) options(cmd *cobra.Command, f *format.Format) (o format.Parquet, err error) {
	for _, name := range []string{"parquet-compat", "bloom-filter"} {
		if cmd.Flags().Changed(name) && f.Names[0] != "parquet" {
			return o, usage("--%s is for .parquet", name)
		}
	}
	o.Blooms = p.blooms
	o.Compat, err = parquet.ParseCompat(p.compat.String())
	return o, err
}
