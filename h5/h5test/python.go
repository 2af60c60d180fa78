package h5test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Python returns the first of the Python interpreters that H5ARROW_PYTHON lists, as PATH lists directories, that has the given
// packages; make venv makes some that have them all. Otherwise it returns "", and the test should be skipped; if H5ARROW_REQUIRE_ALL
// is 1, it has failed.
func Python(tb TB, packages ...string) string {
	tb.Helper()
	imports := "import " + strings.Join(append([]string{"sys"}, packages...), ", ")
	for _, py := range filepath.SplitList(os.Getenv("H5ARROW_PYTHON")) {
		if exec.Command(py, "-c", imports).Run() == nil {
			return py
		}
	}
	if os.Getenv("H5ARROW_REQUIRE_ALL") == "1" {
		tb.Errorf("H5ARROW_PYTHON does not list a Python with %s", strings.Join(packages, ", "))
	}
	return ""
}
