// Package message checks the metadata of Arrow IPC messages that come from files.
package message

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Positions in the virtual tables of flatbuffers.
const (
	messageHeaderType = 6
	messageHeader     = 8
	messageBodyLength = 10
	messageMetadata   = 12
	schemaFields      = 6
	schemaMetadata    = 8
	fieldName         = 4
	fieldTypeType     = 8
	fieldType         = 10
	fieldChildren     = 14
	fieldMetadata     = 16
	timestampZone     = 6
	fixedListSize     = 4
	keyValueKey       = 4
	keyValueValue     = 6

	headerSchema  = 1
	typeTimestamp = 10
	typeFixedList = 16
)

// Verify panics unless arrow-go allocates memory in proportion to the size of a message's metadata when reading it, and has its types:
// with an error of kind Unsupported if it lacks one. It returns the length of the message's body.
func Verify(meta []byte) int64 {
	v := verifier{budget: 16 * int64(len(meta))}
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	v.metadata(root, messageMetadata)
	if root.GetByteSlot(messageHeaderType, 0) == headerSchema {
		var schema flatbuffers.Table
		root.Union(&schema, flatbuffers.UOffsetT(root.Offset(messageHeader)))
		v.metadata(schema, schemaMetadata)
		v.fields(schema, schemaFields, 0)
	}
	return root.GetInt64Slot(messageBodyLength, 0)
}

// verifier counts what will be allocated. Tables and strings may be referenced more than once, so a small message can expand
// to a huge one.
type verifier struct{ budget int64 }

func (v *verifier) spend(n int) {
	if v.budget -= int64(n); v.budget < 0 {
		panic(h5err.New(h5err.Corrupt, "it claims more than it contains"))
	}
}

// tables calls fn for each table of a vector.
func (v *verifier) tables(t flatbuffers.Table, slot flatbuffers.VOffsetT, fn func(flatbuffers.Table)) {
	o := flatbuffers.UOffsetT(t.Offset(slot))
	if o == 0 {
		return
	}
	n, at := t.VectorLen(o), t.Vector(o)
	v.spend(8 * n)
	for range n {
		fn(flatbuffers.Table{Bytes: t.Bytes, Pos: at + t.GetUOffsetT(at)})
		at += flatbuffers.SizeUOffsetT
	}
}

func text(t flatbuffers.Table, slot flatbuffers.VOffsetT) []byte {
	o := flatbuffers.UOffsetT(t.Offset(slot))
	if o == 0 {
		return nil
	}
	return t.ByteVector(o + t.Pos)
}

func (v *verifier) text(t flatbuffers.Table, slot flatbuffers.VOffsetT) {
	v.spend(len(text(t, slot)))
}

func (v *verifier) metadata(t flatbuffers.Table, slot flatbuffers.VOffsetT) {
	v.tables(t, slot, func(kv flatbuffers.Table) {
		v.text(kv, keyValueKey)
		v.text(kv, keyValueValue)
	})
}

func (v *verifier) fields(t flatbuffers.Table, slot flatbuffers.VOffsetT, depth int) {
	if depth > 64 {
		panic(h5err.New(h5err.Corrupt, "types nested more than %d deep", depth-1))
	}
	v.tables(t, slot, func(f flatbuffers.Table) {
		v.text(f, fieldName)
		v.metadata(f, fieldMetadata)
		if o := flatbuffers.UOffsetT(f.Offset(fieldType)); o != 0 {
			var of flatbuffers.Table
			f.Union(&of, o)
			switch f.GetByteSlot(fieldTypeType, 0) {
			case typeTimestamp:
				v.text(of, timestampZone)
			case typeFixedList:
				if of.GetInt32Slot(fixedListSize, 0) == 0 {
					panic(h5err.New(h5err.Unsupported, "field %.100q is a fixed_size_list of no items, a type that arrow-go lacks", text(f, fieldName)))
				}
			}
		}
		v.fields(f, fieldChildren, depth+1)
	})
}
