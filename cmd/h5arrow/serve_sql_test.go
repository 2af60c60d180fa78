//go:build unix

package main

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
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

// onlyLeftOut reports whether all lines are about what is not served.
func onlyLeftOut(stderr string) bool {
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "h5arrow: left out: ") {
			return false
		}
	}
	return true
}
