// Command h5arrow provides HDF5 files as Apache Arrow.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // labels of columns may be times in a zone
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
