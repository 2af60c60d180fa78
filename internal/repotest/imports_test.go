package repotest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/h5arrow/h5arrow"

// layers are prefixes of packages, from the bottom up; the longest one that matches a package is its layer. One that ends
// in a slash is only for packages below it. A package may import packages of its own layer and of lower ones.
var layers = []string{
	"h5/h5err",
	"arrowmap/convention/pickle",
	"nullbitmap",
	"internal/records",
	"h5/source",
	"h5/filter",
	"h5/filter/encode",
	"h5/internal",
	"h5",
	"h5/chunk",
	"h5/check",
	"h5/write/internal",
	"h5/write/flat",
	"h5/write",
	"h5/repack",
	"h5/libhdf5", // the C library
	"h5/plugins",
	"h5/h5test",
	"dtype",
	"arrowmap/convention/internal/object",
	"arrowmap/convention/internal/unit",
	"arrowmap/convention", // the language of descriptions
	"arrowmap/convention/internal",
	"arrowmap/convention/", // a package for each convention, or for a family of them
	"arrowmap/convention/detect",
	"arrowmap/layout",
	"arrowmap/predicate",
	"arrowmap/internal",
	"arrowmap",
	"arrowmap/internal/tabletest",
	"arrowmap/metadata",
	"arrowmap/fileset",
	"arrowmap/stats",
	"arrowmap/vaexutil",
	"arrowmap/cdata",
	"ipc",
	"ipc/parquet",
	"ipc/flight/internal/h2", "ipc/flight/internal/dialect", "ipc/flight/catalog",
	"ipc/flight",
	"cmd",
	"examples",
	"internal/repotest",
}

// fenced are packages of other modules and the only ones of this module that may import them. With deep, the other packages
// must not depend on them indirectly either.
var fenced = []struct {
	path    string
	allowed []string
	deep    bool
}{
	{"github.com/apache/arrow-go", []string{"h5/source/remote/azure", "dtype", "arrowmap", "ipc", "cmd", "examples"}, true}, // azblob needs it
	{"gonum.org/v1/hdf5", []string{"h5/libhdf5"}, false},
	{"gonum.org/v1/plot", []string{"cmd"}, false},
	{"google.golang.org/grpc", []string{"ipc/flight"}, false},
	{"google.golang.org/grpc", []string{"ipc/flight", "ipc/parquet", "cmd", "examples"}, true}, // arrow-go's Parquet needs it
	{"github.com/duckdb", []string{"cmd", "examples"}, true},
	{"github.com/marcboeker", []string{"cmd"}, true},
	{"github.com/aws", []string{"h5/source/remote/s3", "cmd"}, true},
	{"github.com/Azure", []string{"h5/source/remote/azure", "cmd"}, true},
	{"golang.org/x/oauth2", []string{"h5/source/remote/gcs", "cmd"}, true},
}

// confined are packages of ours that import no others of ours than these.
var confined = map[string][]string{
	"ipc/flight":             {"arrowmap", "h5/h5err", "h5/source", "ipc", "ipc/internal/sink", "ipc/flight/internal/h2", "ipc/flight/internal/dialect", "ipc/flight/catalog"},
	"ipc/flight/internal/h2": {"h5/source"},
}

// bare are packages that need nothing but the standard library, this module and what is listed here.
var bare = map[string][]string{
	"nullbitmap":             {"golang.org/x/sys/cpu"},
	"internal/records":       {"golang.org/x/sys/cpu"},
	"ipc/flight/internal/h2": nil,
}

type pkg struct {
	ImportPath string
	Imports    []string // of the package, not of its tests
	Deps       []string
	Standard   bool
}

// list returns the packages of this module and the import paths of the standard library that they use.
func list(t *testing.T, tags string) (ours []pkg, std map[string]bool) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", "-tags", tags, module+"/...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	std = map[string]bool{"C": true, "unsafe": true}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return ours, std
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard {
			std[p.ImportPath] = true
		} else if _, ok := inModule(p.ImportPath); ok {
			ours = append(ours, p)
		}
	}
}

// inModule returns the path relative to this module, and reports whether the package is part of it.
func inModule(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
}

// layer returns the index in layers, -1 for none.
func layer(path string) int {
	best := -1
	for i, l := range layers {
		if under(path, l) && (best < 0 || len(l) > len(layers[best])) {
			best = i
		}
	}
	return best
}

func TestImports(t *testing.T) {
	for _, tags := range []string{"", "libhdf5,libdeflate,libzstd,duckdb_arrow"} {
		ours, std := list(t, tags)
		if len(ours) == 0 {
			t.Fatal("go list found no packages")
		}
		for _, p := range ours {
			name, _ := inModule(p.ImportPath)
			at := layer(name)
			if at < 0 {
				t.Errorf("%s is not in the table of layers", name)
				continue
			}
			for _, path := range p.Imports {
				if other, ok := inModule(path); ok {
					if to := layer(other); to > at {
						t.Errorf("%s imports %s, which is in a higher layer", name, other)
					}
					if allowed, ok := confined[name]; ok && !slices.Contains(allowed, other) {
						t.Errorf("%s imports %s: of this module only %s are allowed", name, other, strings.Join(allowed, ", "))
					}
				} else if allowed, ok := bare[layers[at]]; ok && !std[path] && !slices.Contains(allowed, path) {
					t.Errorf("%s imports %s: beside the standard library only %q are allowed", name, path, allowed)
				}
				if layers[at] == "nullbitmap" && strings.HasPrefix(path, module) && layer(strings.TrimPrefix(path, module+"/")) != at {
					t.Errorf("%s imports %s: it is a leaf", name, path)
				}
			}
			for _, f := range fenced {
				if slices.ContainsFunc(f.allowed, func(a string) bool { return under(name, a) }) {
					continue
				}
				paths := p.Imports
				if f.deep {
					paths = p.Deps
				}
				for _, path := range paths {
					if under(path, f.path) {
						t.Errorf("%s depends on %s: only %s may", name, path, strings.Join(f.allowed, ", "))
						break
					}
				}
			}
		}
	}
}
