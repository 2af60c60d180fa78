package main

import (
	"errors"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// optionFlags is what a user of the command gives for each option that an error of a library names.
var optionFlags = map[h5err.Option]string{
	"arrowmap.Conventions":     "--list-conventions",
	"arrowmap.File.Datasets":   "--dataset",
	"arrowmap.File.Table":      "--table",
	"arrowmap.File.Tables":     "`h5arrow inspect`",
	"arrowmap.WithAlign":       "--align",
	"arrowmap.WithBatchRows":   "--batch-rows",
	"arrowmap.WithMaxMemory":   "--max-memory",
	"chunk.NewBudget":          "--max-memory",
	"dtype.Options.Enum":       "--enum values",
	"dtype.Options.Strings":    "--strings",
	"engine.Options.Access":    "--engine-io",
	"engine.Options.MaxMemory": "--max-memory",
	"h5.File.Walk":             "`h5arrow inspect`",
	"h5.WithExternal":          "--allow-external",
	"ipc.WithMaxMemory":        "--max-memory",
	"parquet.WithGroupRows":    "--batch-rows",
}

// errorText is the line about an error, with the flags that set the options it names.
func errorText(err error) string {
	var e *h5err.Error
	if errors.As(err, &e) {
		return e.Text(func(o h5err.Option) string { return optionFlags[o] })
	}
	return err.Error()
}
