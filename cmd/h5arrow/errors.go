package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The exit statuses.
const (
	exitFailed      = 1 // while running: no such file, I/O, disk full, memory
	exitUsage       = 2
	exitCorrupt     = 3
	exitUnsupported = 4
	exitInterrupted = 130
)

// exitStatus returns the exit status for an error. Before a verb has started, errors of other types come from parsing the
// command line.
func exitStatus(err error, started bool) int {
	if e, ok := errors.AsType[*h5err.Error](err); ok {
		return kindStatus(e.Kind)
	}
	if !started {
		return exitUsage
	}
	return exitFailed
}

func kindStatus(k h5err.Kind) int {
	switch k {
	case h5err.Argument, h5err.NotFound:
		return exitUsage
	case h5err.Corrupt:
		return exitCorrupt
	case h5err.Unsupported, h5err.Limit:
		return exitUnsupported
	}
	return exitFailed
}

func usage(format string, args ...any) *h5err.Error {
	return h5err.New(h5err.Argument, format, args...)
}

// about returns an error about a file.
func about(file string, err *h5err.Error) error { return h5err.In(err, file, "") }

// optionFlags maps the options that errors of libraries name to flags and commands.
var optionFlags = map[h5err.Option]string{
	"azure.New":                     "--anonymous",
	"gcs.New":                       "--anonymous",
	"s3.New":                        "--anonymous",
	"arrowmap.Conventions":          "--list-conventions",
	"arrowmap.File.Datasets":        "--dataset",
	"arrowmap.File.Table":           "--table",
	"arrowmap.Union":                "--union by-name",
	"arrowmap.File.Tables":          "`h5arrow inspect`",
	"arrowmap.WithAlign":            "--align",
	"arrowmap.WithBatchRows":        "--batch-rows",
	"arrowmap.WithMaxMemory":        "--max-memory",
	"chunk.NewBudget":               "--max-memory",
	"dtype.Options.Enum":            "--enum values",
	"dtype.Options.Strings":         "--strings",
	"encode.Parse":                  "--compression",
	"engine.Options.Access":         "--engine-io",
	"engine.Options.MaxMemory":      "--max-memory",
	"h5.Limits.AttributeSize":       "--limit attribute-size=N",
	"h5.Limits.Chunks":              "--limit chunks=N",
	"h5.Limits.DecodedBytes":        "--limit decoded-bytes=N",
	"h5.Limits.Elements":            "--limit elements=N",
	"h5.Limits.Expansion":           "--limit expansion=N",
	"h5.Limits.HeapObjects":         "--limit heap-objects=N",
	"h5.Limits.Links":               "--limit links=N",
	"h5.Limits.Messages":            "--limit messages=N",
	"h5.Limits.Nesting":             "--limit nesting=N",
	"h5.Limits.Rank":                "--limit rank=N",
	"h5.File.Walk":                  "`h5arrow inspect`",
	"h5.WithExternal":               "--allow-external",
	"ipc.WithMaxMemory":             "--max-memory",
	"output.Check":                  "--force",
	"output.NewBound":               "--max-output",
	"parquet.WithGroupRows":         "--batch-rows",
	"spool.Copy":                    "--spool",
	"remote.WithDownload":           "--download",
	"tablewriter.Options.ChunkRows": "--chunk-rows",
	"tablewriter.Options.Path":      "--table",
}

// errorText returns the line about an error. It names flags instead of options.
func errorText(err error) string {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok {
		return err.Error()
	}
	line := flagText(e)
	if e.Rule != "" || e.Kind == h5err.Limit && far.IsURL(e.File) {
		line += "; if you trust the file, allow it with --untrusted=false"
	}
	return line
}

// flagText returns the text of an error, with flags instead of options.
func flagText(e *h5err.Error) string {
	return e.Text(func(o h5err.Option) string { return optionFlags[o] })
}

// withMemory adds to a message that names --max-memory how much it is.
func withMemory(message string, limit int64) string {
	if limit == 0 {
		return message
	}
	is := strconv.FormatInt(limit, 10)
	if limit >= 1<<20 {
		is = strconv.FormatInt(limit>>20, 10) + "MiB"
	}
	return strings.Replace(message, "with --max-memory", "with --max-memory (it is "+is+")", 1)
}
