package h5_test

import (
	"fmt"
	"log"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func Example() {
	f, err := h5.Open("../testdata/vds_a.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	err = f.Walk(func(o h5.Object) error {
		d, ok := o.(*h5.Dataset)
		if !ok {
			return nil
		}
		l, err := d.Layout()
		if err != nil {
			return err
		}
		filters, err := d.Filters()
		if err != nil {
			return err
		}
		chunks, err := d.Chunks()
		if err != nil {
			return err
		}
		fmt.Println(d.Path(), d.Type(), d.Space().Dims, l.Storage, l.ChunkDims, len(filters), "filters,", len(chunks), "chunks")
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// /data i32le [10] contiguous [] 0 filters, 0 chunks
	// /grid i32le [2 5] chunked [2 2] 1 filters, 3 chunks
}

// The bytes of a contiguous dataset, in place in the file.
func ExampleDataset_Layout() {
	f, err := h5.Open("../testdata/vds_b.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/data")
	if err != nil {
		log.Fatal(err)
	}
	d := o.(*h5.Dataset)
	l, err := d.Layout()
	if err != nil {
		log.Fatal(err)
	}
	raw := make([]byte, l.Size)
	if _, err := f.Source().ReadAt(raw, l.Offset); err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Type().Order.Binary().Uint32(raw[4:]))
	// Output: 101
}

func ExampleAttribute_Floats() {
	f, err := h5.Open("../testdata/old.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/attributes")
	if err != nil {
		log.Fatal(err)
	}
	a, err := o.Attribute("matrix")
	if err != nil {
		log.Fatal(err)
	}
	if v, ok := a.Floats(); ok {
		fmt.Println(a.Space().Dims, v)
	}
	// Output: [2 3] [0 1 2 3 4 5]
}

// Errors say where something is wrong, and whose fault it is.
func ExampleFile_Lookup() {
	f, err := h5.Open("../testdata/old.h5", h5.WithExternal(h5.External{Only: true}))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for _, p := range []string{"/links/soft", "/links/loop", "/links/outside"} {
		o, err := f.Lookup(p)
		if err != nil {
			fmt.Println(p, h5err.KindOf(err))
			continue
		}
		fmt.Println(o.Path(), o.(*h5.Dataset).Type())
	}
	// Output:
	// /links/soft i32le
	// /links/loop not found
	// /links/outside unsupported
}

func ExampleGroup_Links() {
	f, err := h5.Open("../testdata/old.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/links")
	if err != nil {
		log.Fatal(err)
	}
	links, err := o.(*h5.Group).Links()
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range links {
		fmt.Println(l.Kind, l.Name)
	}
	// Output:
	// hard alias
	// soft dangling
	// hard empty
	// hard group_alias
	// soft loop
	// external outside
	// external outside_dangling
	// soft relative
	// hard root
	// soft soft
}
