//go:build attack && linux

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// bombs are statements of a few bytes that ask for much memory or time.
var bombs = []string{
	`select length(repeat('x', 1000000000))`,
	`select length(repeat(repeat('x', 100000), 100000))`,
	`select len(range(100000000))`,
	`select unnest(range(2000000000)) order by 1 desc`,
	`select list(i) from range(10000000000) t(i)`,
	`select string_agg(i, ',') from range(10000000000) t(i)`,
	`select count(distinct hash(i)) from range(100000000000) t(i)`,
	`select count(*) from range(1000000) a, range(1000000) b, range(1000000) c where a.range + b.range = c.range + 1`,
	`with recursive r(s) as (select 'x' union all select s || s from r) select max(length(s)) from r`,
	`with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r`,
	`select lpad('x', 2000000000, 'y') || rpad('x', 2000000000, 'y')`,
	`select array_agg(a order by a.fare desc) from "sample.h5/table" a, "sample.h5/table" b`,
	`select * from "sample.h5/table" a, "sample.h5/table" b order by a.fare * b.fare`,
	`select regexp_replace(repeat('a', 50000000), '(a*)*b', 'x', 'g')`,
	`select md5(i::varchar), count(*) from range(10000000000) t(i) group by 1 order by 2`,
	`select factorial(33) from range(100000000000) t(i) where factorial(33) < i`,
	`select ` + strings.Repeat(`(`, 100000) + `1` + strings.Repeat(`)`, 100000),
	`select ` + strings.Repeat(`1 + `, 100000) + `1`,
}

// leaks are statements that would read or write something else than the tables that are served.
var leaks = []string{
	`select * from read_text('/etc/passwd')`,
	`select * from read_blob('secret/*')`,
	`select * from read_csv('secret/key.csv')`,
	`select * from 'secret/key.csv'`,
	`select * from glob('/**')`,
	`select * from "../secret/secret.h5/table"`,
	`select * from "served/../../secret/secret.h5/table"`,
	`select * from "secret.h5/table"`,
	`copy (select 1) to 'stolen.csv'`,
	`attach 'secret/x.db'`,
	`install httpfs`,
	`load httpfs`,
	`select getenv('HOME')`,
	`set enable_external_access = true`,
	`pragma enable_external_access`,
	`export database 'stolen'`,
	`select * from sniff_csv('secret/key.csv')`,
	`select * from duckdb_secrets()`,
}

// resident adds up the memory of a process and of those that it has started, in bytes.
func resident(t *testing.T, pid int) (sum int64) {
	t.Helper()
	for _, p := range append(children(t, pid), strconv.Itoa(pid)) {
		b, err := os.ReadFile("/proc/" + p + "/status")
		if err != nil {
			continue // it has ended
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "RssAnon:" {
				n, err := strconv.ParseInt(f[1], 10, 64)
				if err != nil {
					t.Error(err)
				}
				sum += n << 10
			}
		}
	}
	return sum
}

// peakOf samples the memory of a server until stop is called, which returns the largest sample.
func peakOf(t *testing.T, pid int) (stop func() int64) {
	done, result := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		peak := int64(0)
		for {
			select {
			case <-done:
				result <- peak
				return
			case <-tick.C:
				peak = max(peak, resident(t, pid))
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-result
	}
}

// sqlClient returns a function that runs a statement, and reads all of its result.
func sqlClient(t *testing.T, s *server) func(ctx context.Context, sql string) (rows int64, err error) {
	t.Helper()
	cl, err := flightsql.NewClient(s.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return func(ctx context.Context, sql string) (rows int64, err error) {
		info, err := cl.Execute(ctx, sql)
		if err != nil {
			return 0, err
		}
		for _, e := range info.Endpoint {
			r, err := cl.DoGet(ctx, e.Ticket)
			if err != nil {
				return rows, err
			}
			for r.Next() {
				rows += r.RecordBatch().NumRows()
			}
			err = r.Err()
			r.Release()
			if err != nil {
				return rows, err
			}
		}
		return rows, nil
	}
}

func shortened(sql string) string { return sql[:min(len(sql), 70)] }

// bombLimit is --max-memory of the attacked servers. A process of a statement may have 192 MiB above its share.
const (
	bombLimit     = 512 << 20
	bombProcesses = 4
	bombPeak      = bombLimit + bombProcesses*192<<20 + 128<<20 // the server itself, which has half of the limit, and what Go has not returned
)

// Statements that ask for much memory or time are refused or ended, one at a time and 36 at once, and the next statement is
// answered.
func TestAttackSQLMemory(t *testing.T) {
	if !engine.Available {
		t.Fatal("this attack needs a build with the SQL engine")
	}
	workplace(t)
	s := started(t, "sample.h5", "--sql", "--max-memory", strconv.Itoa(bombLimit), "--sql-timeout", "5s", "--sql-processes", strconv.Itoa(bombProcesses))
	ask := sqlClient(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	throw := func(sql string) (codes.Code, time.Duration) {
		since := time.Now()
		_, err := ask(ctx, sql)
		code := grpcstatus.Code(err)
		if !slices.Contains([]codes.Code{codes.OK, codes.InvalidArgument, codes.ResourceExhausted, codes.DeadlineExceeded}, code) {
			t.Errorf("%s: %v", shortened(sql), err)
		}
		return code, time.Since(since)
	}
	for _, sql := range bombs {
		stop := peakOf(t, s.Process.Pid)
		code, took := throw(sql)
		peak := stop()
		t.Logf("%-18v %6.2f s  %4d MiB  %s", code, took.Seconds(), peak>>20, shortened(sql))
		if peak > bombPeak {
			t.Errorf("%s: %d MiB, at most %d", shortened(sql), peak>>20, int64(bombPeak)>>20)
		}
		if rows, err := ask(ctx, `select count(*) from "sample.h5/table"`); err != nil || rows != 1 {
			t.Errorf("after %s: %d rows, %v", shortened(sql), rows, err)
		}
	}
	stop := peakOf(t, s.Process.Pid)
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[codes.Code]int{}
	since := time.Now()
	for _, sql := range slices.Concat(bombs, bombs) {
		wg.Go(func() {
			code, _ := throw(sql)
			mu.Lock()
			counts[code]++
			mu.Unlock()
		})
	}
	wg.Wait()
	took, peak := time.Since(since), stop()
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %v", counts[code], code))
	}
	t.Logf("%d at once: %s in %.1f s; at most %d MiB in all processes", 2*len(bombs), strings.Join(parts, ", "), took.Seconds(), peak>>20)
	if peak > bombPeak {
		t.Errorf("%d MiB, at most %d", peak>>20, int64(bombPeak)>>20)
	}
	if rows, err := ask(ctx, `select count(*) from "sample.h5/table"`); err != nil || rows != 1 {
		t.Errorf("afterward: %d rows, %v", rows, err)
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}

// Statements that read or write anything but what is served are refused, and nothing is written.
func TestAttackSQLFolder(t *testing.T) {
	if !engine.Available {
		t.Fatal("this attack needs a build with the SQL engine")
	}
	dir := workplace(t)
	for name, text := range map[string]string{"secret/key.csv": "key\nprivate\n", "secret/secret.h5": string(readFile(t, "sample.h5")), "served/sample.h5": string(readFile(t, "sample.h5"))} {
		if err := os.MkdirAll(name[:strings.Index(name, "/")], 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret/secret.h5", "served/through.h5"); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	s := started(t, "served", "--sql", "--sql-processes", "2")
	ask := sqlClient(t, s)
	for _, sql := range append(leaks, `select * from "through.h5/table"`) {
		rows, err := ask(context.Background(), sql)
		t.Logf("%-18v %s", grpcstatus.Code(err), sql)
		if rows > 0 || err != nil && grpcstatus.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %d rows, %v", sql, rows, err)
		}
		if err != nil && strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the message names a folder of the server: %v", sql, err)
		}
	}
	if rows, err := ask(context.Background(), `select count(*) from "sample.h5/table"`); err != nil || rows != 1 {
		t.Errorf("afterward: %d rows, %v", rows, err)
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
	onlyNew(t, dir, before)
}

// When the line of a token is removed from its file, its streams end and its calls are refused; others go on.
func TestAttackTokenFile(t *testing.T) {
	workplace(t)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile("tokens", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("kept\nrevoked\n")
	s := started(t, "sample.h5", "--token-file", "tokens", "--batch-rows", "100", "--send-timeout", "1m")
	with := func(token string) context.Context {
		return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
	}
	c := s.client(t)
	info, err := c.GetFlightInfo(with("kept"), &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"sample.h5"}})
	if err != nil {
		t.Fatal(err)
	}
	open := func(token string) flight.FlightService_DoGetClient {
		stream, err := s.client(t).DoGet(with(token), info.Endpoint[0].Ticket)
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	var ended, others []flight.FlightService_DoGetClient
	for range 20 {
		ended, others = append(ended, open("revoked")), append(others, open("kept"))
	}
	write("kept\n")
	since := time.Now()
	h5test.Eventually(t, time.Minute, func() bool {
		_, err := c.GetFlightInfo(with("revoked"), &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"sample.h5"}})
		return grpcstatus.Code(err) == codes.Unauthenticated
	})
	t.Logf("the file was read again after %v", time.Since(since).Round(time.Millisecond))
	for i, stream := range slices.Concat(ended, others) {
		var err error
		for err == nil {
			_, err = stream.Recv()
		}
		if want := i < len(ended); want != (grpcstatus.Code(err) == codes.Unauthenticated) || !want && err.Error() != "EOF" {
			t.Errorf("stream %d: %v", i, err)
		}
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}
