//go:build cgo

package cdata

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// StreamFromPtr returns the struct ArrowArrayStream at an address that came from C as a number.
func StreamFromPtr(at uintptr) *Stream { return *(**Stream)(unsafe.Pointer(&at)) }

// ArrayFromPtr returns the struct ArrowArray at an address that came from C as a number.
func ArrayFromPtr(at uintptr) *Array { return cdata.ArrayFromPtr(at) }

// SchemaFromPtr returns the struct ArrowSchema at an address that came from C as a number.
func SchemaFromPtr(at uintptr) *Schema { return cdata.SchemaFromPtr(at) }
