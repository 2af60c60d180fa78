//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// client runs a program that is given the address of a server of sample.h5, and compares what it prints.
func client(t *testing.T, want string, program string, args ...string) {
	t.Helper()
	s := started(t, workplace(t)+"/sample.h5", "--sql", "--quiet")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(args, s.address)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if string(out) != want {
		t.Errorf("it printed\n%s\nwant\n%s", out, want)
	}
	s.end(t, syscall.SIGTERM)
}

// The driver of ADBC prepares every statement, and asks for catalogs, names and schemas.
func TestADBC(t *testing.T) {
	if !engine.Available {
		return // there is no Flight SQL
	}
	py := h5test.Python(t, "adbc_driver_flightsql", "pyarrow")
	if py == "" {
		t.Skip("no Python with adbc_driver_flightsql")
	}
	client(t, adbcPrints, py, "-B", absolute(t, "testdata/clients/adbc.py"))
}

// The driver of JDBC needs all of SqlInfo, and empty results for keys. scripts/jars.sh fetches it.
func TestJDBC(t *testing.T) {
	if !engine.Available {
		return
	}
	jar := os.Getenv("H5ARROW_JDBC_JAR")
	java, err := exec.LookPath("java")
	if _, e := os.Stat(jar); e != nil || err != nil {
		if os.Getenv("H5ARROW_REQUIRE_ALL") == "1" {
			t.Errorf("H5ARROW_JDBC_JAR does not name the driver, or there is no java: %q, %v", jar, err)
		}
		t.Skip("no java, or no driver")
	}
	client(t, jdbcPrints, java, "--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", jar, absolute(t, "testdata/clients/Clients.java"))
}

// absolute is the path of a file beside the test before workplace changes the directory.
func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

const adbcPrints = `values: [(1, 1), (2, 6)]
numbered: [('éa',)]
types: [(1.5, None, b'\x00\xff')]
named: [(4,)]
rows: [(3,), (1,)]
again: [[(1,)], [(2,)], [(3,)]]
prepared: 1: int64, 2: string
schema: f: float
objects: [('memory', [('main', 1)])]
catalog: memory main
names: True 11
table types: ['TABLE']
info: h5arrow
error: ProgrammingError
error: ProgrammingError
error: ProgrammingError
`

const jdbcPrints = `getters: true []
dialect: " \ truetruetruefalsetruetruefalse 0 truetrue
keys: 0000
catalogs: 111
tables: 110
columns: true1
values: 2
values: 1
text: 3
count: 50000
`
