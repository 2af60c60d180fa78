// Package trail opens many objects whose paths have most names in common.
package trail

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Trail is the way from the root of File to the object that was opened last. The next one mostly has the same parent, whose
// links need not be read again then, however many they are. It is for one goroutine.
type Trail struct {
	File *h5.File

	names   []string
	objects []h5.Object
}

// Open returns the objects on an absolute path, the one that it names last. The slice is valid until the next call.
func (t *Trail) Open(path string) ([]h5.Object, error) {
	names := strings.Split(strings.TrimPrefix(path, "/"), "/")
	same := 0
	for same < len(t.names) && same < len(names) && t.names[same] == names[same] {
		same++
	}
	t.names, t.objects = t.names[:same], t.objects[:same]
	at := t.File.Root()
	if same > 0 {
		at, _ = t.objects[same-1].(*h5.Group)
	}
	for _, n := range names[same:] {
		if at == nil {
			return nil, h5err.In(h5err.New(h5err.NotFound, "no such object"), t.File.Name(), path)
		}
		o, err := at.Open(n)
		if err != nil {
			return nil, err
		}
		t.names, t.objects = append(t.names, n), append(t.objects, o)
		at, _ = o.(*h5.Group)
	}
	return t.objects, nil
}
