package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/plugins"
)

// parts returns the names of the C parts that this build has.
func parts() []string {
	var out []string
	for _, p := range []struct {
		name string
		in   bool
	}{{"libdeflate", filter.Libdeflate}, {"libzstd", filter.Libzstd}, {"libhdf5", plugins.Available}, {"duckdb_arrow", engine.Available}} {
		if p.in {
			out = append(out, p.name)
		}
	}
	return out
}

// version returns what --version prints.
func version() string {
	v, revision, dirty := "(devel)", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = " (changed)"
			}
		}
	}
	in := strings.Join(parts(), ", ")
	if in == "" {
		in = "none"
	}
	sql := engine.Version()
	if sql == "" {
		sql = "none"
	}
	return fmt.Sprintf("h5arrow %s%s%s\n%s %s/%s\nSQL: %s\nC parts: %s\n", v, revision, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH, sql, in)
}
