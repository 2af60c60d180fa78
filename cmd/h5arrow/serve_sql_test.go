//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// Flight SQL gives what query gives, over the files of a directory.
func TestServeSQL(t *testing.T) {
	dir := workplace(t)
	if !engine.Available {
		if r := expect(t, exitUnsupported, "serve", "sample.h5", "--sql", "--listen", "127.0.0.1:0"); !strings.Contains(r.err, "duckdb_arrow") {
			t.Errorf("%q", r.err)
		}
		return
	}
	withoutHalf(t) // or the server reports them
	s := started(t, dir, "--sql")
	cl, err := flightsql.NewClient(s.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx := context.Background()
	read := func(info *flight.FlightInfo, column int) (values []string, rows int64) {
		t.Helper()
		for _, e := range info.Endpoint {
			r, err := cl.DoGet(ctx, e.Ticket)
			if err != nil {
				t.Fatal(err)
			}
			for r.Next() {
				c := r.RecordBatch().Column(column)
				for i := range c.Len() {
					values = append(values, c.ValueStr(i))
				}
				rows += int64(c.Len())
			}
			if r.Err() != nil {
				t.Fatal(r.Err())
			}
			r.Release()
		}
		return values, rows
	}
	for sql, want := range map[string]string{
		`select count(*), sum(passengers)::bigint from "sample.h5/table"`:                                  "50000",
		`select count(tip) from "/table"`:                                                                  "44039",
		`select zone from "sample.h5/table" where fare > 0 order by pickup limit 3`:                        "Harbour Castle Forum",
		`select a.vendor from "/table" a join "/table" b on a.pickup = b.pickup order by a.pickup limit 1`: "1",
	} {
		info, err := cl.Execute(ctx, sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if got, _ := read(info, 0); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", sql, got, want)
		}
	}
	info, err := cl.Execute(ctx, `select pickup, fare, zone from "sample.h5/table"`)
	if err != nil {
		t.Fatal(err)
	}
	if _, rows := read(info, 1); rows != 50000 {
		t.Errorf("%d rows", rows)
	}
	tables, err := cl.GetTables(ctx, &flightsql.GetTablesOpts{IncludeSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	if names, _ := read(tables, 2); !slices.Contains(names, "sample.h5/table") {
		t.Errorf("tables are %v", names)
	}
	for sql, code := range map[string]codes.Code{
		`selekt`:                                codes.InvalidArgument,
		`select * from nothing`:                 codes.InvalidArgument,
		`select * from read_csv('/etc/passwd')`: codes.InvalidArgument,
		`create table x as select 1`:            codes.InvalidArgument,
	} {
		if _, err := cl.Execute(ctx, sql); grpcstatus.Code(err) != code {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 || !onlyLeftOut(s.stderr.String()) {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}

// Names that SQL takes for one are changed, listed as they are and said; a name that could stand for several is refused.
func TestServeSQLNames(t *testing.T) {
	if !engine.Available {
		t.Skip("this build has no SQL engine: TestServeSQL checks what it does")
	}
	s := started(t, "testdata/sql/names.h5", "--sql", "--sql-processes", "1")
	cl, err := flightsql.NewClient(s.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx := context.Background()
	column := func(info *flight.FlightInfo, err error, column int) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		r, err := cl.DoGet(ctx, info.Endpoint[0].Ticket)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		var values []string
		for r.Next() {
			for i := range r.RecordBatch().Column(column).Len() {
				values = append(values, r.RecordBatch().Column(column).ValueStr(i))
			}
		}
		return strings.Join(values, " ")
	}
	tables, err := cl.GetTables(ctx, &flightsql.GetTablesOpts{})
	if got := column(tables, err, 2); got != "names.h5/Run_1 names.h5/run_2 names.h5/table" {
		t.Errorf("tables are %s", got)
	}
	for sql, want := range map[string]string{
		`select A_1 from "names.h5/Run_1"`:              "0 1 2",
		`select a_2 from "names.h5/run_2"`:              "110 111 112",
		`select y from table_ where x = 3`:              "1.5",
		`select matrix[2] from "names.h5/loose/matrix"`: "1 4 7 10",
	} {
		info, err := cl.Execute(ctx, sql)
		if got := column(info, err, 0); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	for sql, want := range map[string]string{
		`select * from "names.h5/run"`:      `could stand for "names.h5/Run_1" or "names.h5/run_2"`,
		`select * from "/Run"`:              `could stand for "names.h5/Run_1" or "names.h5/run_2"`,
		`select * from table`:               "table is a keyword",
		`select * from "names.h5/loose/id"`: `could stand for "names.h5/loose/ID" or "names.h5/loose/id"`,
		`select a from "names.h5/run_2"`:    `"A" is "A_1", "a" is "a_2"`,
		`select * from "../two.h5/a"`:       "does not exist",
	} {
		if _, err := cl.Execute(ctx, sql); grpcstatus.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 || !strings.Contains(s.stderr.String(), `"names.h5/Run" is "names.h5/Run_1"`) {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}

// onlyLeftOut reports whether all lines are about what is not served.
func onlyLeftOut(stderr string) bool {
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "h5arrow: left out: ") {
			return false
		}
	}
	return true
}

// TestServeSQLApart: a statement that needs too much memory ends alone, and so does one that takes too long.
func TestServeSQLApart(t *testing.T) {
	if !engine.Available {
		t.Skip("this build has no SQL engine: TestServeSQL checks what it does")
	}
	workplace(t)
	s := started(t, "sample.h5", "--sql", "--max-memory", "256MiB", "--sql-timeout", "5s")
	cl, err := flightsql.NewClient(s.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ask := func(sql string) error {
		info, err := cl.Execute(context.Background(), sql)
		if err != nil {
			return err
		}
		r, err := cl.DoGet(context.Background(), info.Endpoint[0].Ticket)
		if err != nil {
			return err
		}
		defer r.Release()
		for r.Next() {
		}
		return r.Err()
	}
	for _, c := range []struct {
		sql  string
		code codes.Code
	}{
		{`select length(repeat('x', 1000000000))`, codes.ResourceExhausted},
		{`select len(range(100000000))`, codes.ResourceExhausted},
		{`select count(*) from range(100000000000) a`, codes.DeadlineExceeded},
		{`select count(*) from "sample.h5/table"`, codes.OK},
	} {
		if err := ask(c.sql); grpcstatus.Code(err) != c.code {
			t.Errorf("%s: %v, want %v", c.sql, err, c.code)
		}
	}
	running := children(t, s.Process.Pid)
	if len(running) == 0 || len(running) > 4 {
		t.Errorf("processes %q for SQL", running)
	}
	for _, pid := range running { // as the system does when memory is short
		if n, err := strconv.Atoi(pid); err == nil {
			syscall.Kill(n, syscall.SIGKILL)
		}
	}
	h5test.Eventually(t, 10*time.Second, func() bool { return ask(`select 1`) == nil })
	running = children(t, s.Process.Pid)
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
	for _, pid := range running {
		h5test.Eventually(t, 10*time.Second, func() bool {
			_, err := os.Stat("/proc/" + pid)
			return err != nil
		})
	}
}

// children returns the processes that a process has started, on Linux.
func children(t testing.TB, pid int) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return []string{"unknown"}
	}
	found, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range found {
		out = append(out, strings.Fields(string(readFile(t, name)))...)
	}
	return out
}
