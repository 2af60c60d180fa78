// Command quickstart reads a table: the README shows it.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/h5arrow/h5arrow/arrowmap"
)

func main() {
	f, err := arrowmap.Open("testdata/sample.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	t, err := f.Table("") // the file's only table
	if err != nil {
		log.Fatal(err)
	}
	if t, err = t.Select("pickup", "fare", "tip"); err != nil {
		log.Fatal(err)
	}
	r, err := t.Reader(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		fmt.Println(r.RecordBatch().NumRows(), "rows of", r.Schema().Field(2).Name)
	}
	if r.Err() != nil {
		log.Fatal(r.Err())
	}
}
