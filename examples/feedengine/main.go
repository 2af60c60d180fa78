// Command feedengine feeds an engine in its own process: the record batches of a table go through arrow-go's compute
// kernels one at a time, as they are decoded. Only the selected columns are read.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/math"

	"github.com/h5arrow/h5arrow/arrowmap"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: feedengine FILE.h5")
	}
	// The kernels run on their own goroutines, where reading a mapped file that was cut short would crash the process.
	// Without a mapping, a file that is cut short is an error.
	f, err := arrowmap.Open(os.Args[1], arrowmap.WithoutMapping())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	rides, fares, err := longRides(context.Background(), f, 5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d rides of more than 5 km, for %.2f\n", rides, fares)
}

// longRides counts the rides that are longer than a distance, and adds up their fares.
func longRides(ctx context.Context, f *arrowmap.File, distance float32) (rides int64, fares float64, err error) {
	table, err := f.Table("")
	if err != nil {
		return 0, 0, err
	}
	if table, err = table.Select("distance", "fare"); err != nil {
		return 0, 0, err
	}
	r, err := table.Reader(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer r.Release()
	for r.Next() {
		rec := r.RecordBatch()
		long, err := compute.CallFunction(ctx, "greater", nil, compute.NewDatumWithoutOwning(rec.Column(0)), compute.NewDatum(distance))
		if err != nil {
			return 0, 0, err
		}
		mask := long.(*compute.ArrayDatum).MakeArray()
		long.Release()
		kept, err := compute.FilterRecordBatch(ctx, rec, mask, compute.DefaultFilterOptions())
		mask.Release()
		if err != nil {
			return 0, 0, err
		}
		rides += kept.NumRows()
		wide, err := compute.CastArray(ctx, kept.Column(1), compute.SafeCastOptions(arrow.PrimitiveTypes.Float64))
		kept.Release()
		if err != nil {
			return 0, 0, err
		}
		fares += math.Float64.Sum(wide.(*array.Float64))
		wide.Release()
	}
	return rides, fares, r.Err()
}
