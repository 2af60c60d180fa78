package arrowmap_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/write"
)

// cubeFile writes a variable of (time, lat, lon) and their coordinates, of which one is NaN, or those of lat and lon only.
func cubeFile(t testing.TB, bare bool, shape ...uint64) string {
	t.Helper()
	f64 := &h5.Type{Class: h5.ClassFloat, Size: 8, Order: h5.LittleEndian, Precision: 64,
		Float: &h5.FloatFields{Sign: 63, ExpLoc: 52, ExpSize: 11, MantSize: 52, Bias: 1023, Norm: 2}}
	return written.File(t, filepath.Join(t.TempDir(), "cube.nc"), func(f *write.File) error {
		cells := uint64(1)
		var scales []*write.Dataset
		put := func(path string, s write.Spec, n uint64, value func(i int) float64) (*write.Dataset, error) {
			d, err := f.Dataset(path, s)
			if err != nil {
				return nil, err
			}
			b := make([]byte, 0, 8*n)
			for i := range int(n) {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(value(i)))
			}
			return d, d.Write(b)
		}
		for k, name := range []string{"time", "lat", "lon"} {
			cells *= shape[k]
			d, err := put("/"+name, write.Spec{Type: f64, Space: write.Shape(shape[k])}, shape[k], func(i int) float64 {
				if k == 1 && i == 3 {
					return math.NaN()
				}
				return float64(i*[]int{2, -1, 3}[k]) / 2
			})
			if bare && k == 0 {
				name = "This is a netCDF dimension but not a netCDF variable.         5"
			}
			if err == nil {
				err = d.Scale(name)
			}
			if err != nil {
				return err
			}
			scales = append(scales, d)
		}
		d, err := put("/v", write.Spec{Type: f64, Space: write.Shape(shape...), ChunkDims: []uint64{1, shape[1], shape[2]}}, cells, func(i int) float64 { return float64(i) })
		for k := 0; k < 3 && err == nil; k++ {
			err = d.Attach(k, scales[k])
		}
		return err
	})
}

// Conditions on coordinates lose no cell, and leave out slabs.
func TestCoordinatesLoseNothing(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	for _, bare := range []bool{false, true} {
		coordinatesLoseNothing(t, cubeFile(t, bare, 5, 7, 6000))
	}
}

func coordinatesLoseNothing(t *testing.T, name string) {
	t.Helper()
	f, err := arrowmap.Open(name, arrowmap.WithFlatten())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/time,lat,lon")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, column := range []string{"time", "lat", "lon"} {
		one, err := table.Select(column)
		if err != nil {
			t.Fatal(err)
		}
		all, _ := lines(t, one)
		skipped := 0
		for range 6 {
			c := randomCondition(r, column, all)
			hold := holding(t, table, []predicate.Condition{c})
			skipped += check(t, table, c, hold)
			a := r.IntN(len(all))
			part, err := table.Slice(int64(a), -1)
			if err != nil {
				t.Fatal(err)
			}
			var in []int
			for _, i := range hold {
				if i >= a {
					in = append(in, i-a)
				}
			}
			check(t, part, c, in)
		}
		if skipped == 0 && column != "lon" { // its rows are too near to each other
			t.Errorf("nothing of %s was skipped", column)
		}
	}
	for _, text := range []string{"time = 3 and lat < -1 and lon between 10 and 20", "lat = nan and time >= 2", "lat is null", "time > 100"} {
		conditions, err := predicate.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		w, err := table.Where(conditions...)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := lines(t, table, arrowmap.WithWhere(w)); len(got) != len(holding(t, table, conditions)) {
			t.Errorf("%s: %d rows", text, len(got))
		}
	}
}
