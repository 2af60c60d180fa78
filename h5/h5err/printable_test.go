package h5err_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Whatever a file calls its objects, an error about them does nothing to a terminal, and is valid UTF-8.
func TestErrorIsPrintable(t *testing.T) {
	cause := h5err.In(h5err.New(h5err.Corrupt, "bad \x1b[2J"), "in\rner", "")
	err := h5err.In(h5err.Wrap(h5err.Corrupt, cause, "column \u202ename").WithHint("try \xff"), "a\x1b]0;x\x07.h5", "/x\ny")
	if want := `a\x1b]0;x\a.h5: /x y: corrupt: column \u202ename: in\rner: corrupt: bad \x1b[2J; try \xff`; err.Error() != want {
		t.Errorf("%s, want %s", err, want)
	}
}
