package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source"
)

const packedCubes = "../../arrowmap/convention/netcdf/testdata/flat/packed.nc.gz"

// Commands read cubes as rows, from URLs too.
func TestFlatten(t *testing.T) {
	name := unpacked(t, packedCubes)
	out := filepath.Join(t.TempDir(), "a.arrow")
	expect(t, 0, "convert", "--flatten", name, out)
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	whole := expect(t, 0, "head", out, "-n", "200", "--wide")
	if n := strings.Count(whole.out, "\n"); n != 123 {
		t.Errorf("%d lines: %s", n, whole.out)
	}
	expect(t, 0, "convert", "--table", "/time,lat,lon", name, out, "--force", "--batch-rows", "11")
	if r := expect(t, 0, "head", out, "-n", "200", "--wide"); r.out != whole.out {
		t.Errorf("by its path: %s", r.out)
	}
	some := expect(t, 0, "head", "--flatten", name, "--columns", "lat,lon,co2", "--where", "lat > 0 and co2 = 402", "--rows", "1:", "-n", "3")
	if want := "   lat     lon    co2\ndouble  double  float\n    20       0    402\n    20      60    402\n    20     120    402\n"; some.out != want {
		t.Errorf("conditions: %s%s", some.out, some.err)
	}
	if r := expect(t, exitUsage, "head", "--flatten", name, "--convention", "vaex"); !strings.Contains(r.err, "only variables of netCDF can be flat") {
		t.Errorf("%s", r.err)
	}
	url := put(t, webserver.New(t), name)
	if r := expect(t, 0, "head", "--flatten", url, "-n", "200", "--wide"); r.out != whole.out {
		t.Errorf("from a URL: %s%s", r.out, r.err)
	}
}

// SQL finds the table of cells by its path.
func TestFlattenSQL(t *testing.T) {
	name := unpacked(t, packedCubes)
	if _, ok := answered(t, name, "select 1"); !ok {
		return
	}
	const sums = `select lat, count(*) n, count(distinct lon) lons, max(drift) d from "%s" where lon > 0 group by lat order by lat`
	const want = "lat,n,lons,d\n-60,25,5,29\n-20,25,5,29\n20,25,5,29\n60,25,5,29\n"
	for _, table := range []string{"/time,lat,lon", "time,lat,lon"} {
		for _, flags := range [][]string{nil, {"--flatten"}} {
			args := append([]string{"query", name, strings.ReplaceAll(sums, "%s", table), "--csv"}, flags...)
			if r := expect(t, 0, args...); r.out != want {
				t.Errorf("%q: %s%s", args, r.out, r.err)
			}
		}
	}
	if r := expect(t, 0, "query", "--flatten", name, "show tables", "--csv"); !strings.Contains(r.out, "\n\"/time,lat,lon\"\n") || strings.Contains(r.out, "\n/lat\n") {
		t.Errorf("%s", r.out)
	}
	if r := expect(t, exitUsage, "query", name, `select 1 from "time,lat"`); !strings.Contains(r.err, "does not exist") {
		t.Errorf("%s", r.err)
	}
}
