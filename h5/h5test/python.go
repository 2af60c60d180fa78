package h5test

import (
	"os"
	"os/exec"
	"strings"
)

// Python returns the Python interpreter that H5ARROW_PYTHON names, if it has the given packages; make venv makes one that
// has them all. Otherwise it returns "", and the test should be skipped; if H5ARROW_REQUIRE_ALL is 1, it has failed.
func Python(tb TB, packages ...string) string {
	tb.Helper()
	py := os.Getenv("H5ARROW_PYTHON")
	if py != "" && exec.Command(py, "-c", "import "+strings.Join(append([]string{"sys"}, packages...), ", ")).Run() == nil {
		return py
	}
	if os.Getenv("H5ARROW_REQUIRE_ALL") == "1" {
		tb.Errorf("H5ARROW_PYTHON does not name a Python with %s", strings.Join(packages, ", "))
	}
	return ""
}
