package apart

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// An error keeps its kind, place and advice on its way to another process.
func TestFailure(t *testing.T) {
	inner := h5err.New(h5err.Memory, "a batch").WithOption("arrowmap.WithMaxMemory", "allow more")
	for _, err := range []error{inner, h5err.In(h5err.At(h5err.Corrupt, 17, "broken"), "a.h5", "/x"), h5err.Wrap(h5err.IO, io.ErrUnexpectedEOF, "can't read")} {
		got := failureOf(err).error()
		if got.Error() != err.Error() || h5err.KindOf(got) != h5err.KindOf(err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if failureOf(nil).error() != nil {
		t.Error("no error became one")
	}
}

// A program that does not speak the protocol is an error with what it wrote.
func TestStartFails(t *testing.T) {
	exe, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	_, err = Start(2, 1<<20, func() (*exec.Cmd, error) { return exec.Command(exe, "-c", "echo out of order >&2; exit 3"), nil })
	if !h5err.Is(err, h5err.Memory) || !strings.Contains(err.Error(), "out of order") {
		t.Error(err)
	}
	if _, err := Start(2, 1<<20, func() (*exec.Cmd, error) { return nil, context.Canceled }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzFrame reads frames. What is written is read again.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("d\x02\x00\x00\x00ab"))
	f.Add([]byte("e\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for {
			before := len(b) - r.Len()
			kind, payload, err := readFrame(r)
			if err != nil {
				return
			}
			var again bytes.Buffer
			if err := writeFrame(&again, kind, payload); err != nil || !bytes.Equal(again.Bytes(), b[before:len(b)-r.Len()]) {
				t.Fatalf("%v: %q", err, again.Bytes())
			}
		}
	})
}
