package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// parts are the C parts that this build has, by name.
func parts() []string {
	var out []string
	for _, p := range []struct {
		name string
		in   bool
	}{{"libdeflate", withLibdeflate}, {"libhdf5", withLibHDF5}, {"duckdb_arrow", withDuckDB}} {
		if p.in {
			out = append(out, p.name)
		}
	}
	return out
}

// version is what --version prints.
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
	return fmt.Sprintf("h5arrow %s%s%s\n%s %s/%s\nC parts: %s\n", v, revision, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH, in)
}
