package h5test

import (
	"os"
	"os/exec"
	"strings"
)

// Python returns a Python interpreter that has the given packages: the one that H5ARROW_ENGINES names (examples/
// requirements.txt), or H5ARROW_PYTHON (testdata/interop/requirements.txt). It is empty where neither does, and the test
// is to be skipped then; with H5ARROW_REQUIRE_ALL=1 it has failed already.
func Python(tb TB, packages ...string) string {
	tb.Helper()
	for _, name := range []string{"H5ARROW_ENGINES", "H5ARROW_PYTHON"} {
		py := os.Getenv(name)
		if py == "" {
			continue
		}
		if exec.Command(py, "-c", "import "+strings.Join(append([]string{"sys"}, packages...), ", ")).Run() == nil {
			return py
		}
	}
	if os.Getenv("H5ARROW_REQUIRE_ALL") == "1" {
		tb.Errorf("no Python with %s: set H5ARROW_ENGINES or H5ARROW_PYTHON", strings.Join(packages, ", "))
	}
	return ""
}
