package main

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
)

// typeText spells an Arrow type, as reports of readers do.
func typeText(t arrow.DataType) string { return dtype.TypeName(t) }
