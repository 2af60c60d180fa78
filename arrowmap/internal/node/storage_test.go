package node

import (
	"math"
	"testing"
)

// A share of the largest number does not overflow.
func TestShare(t *testing.T) {
	const max = math.MaxInt64
	if got := share(max, max-1, max); got != max-1 {
		t.Errorf("share %d", got)
	}
}
