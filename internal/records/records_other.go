//go:build !amd64 || purego

package records

// blockRows is the multiple of rows that kernels take.
const blockRows = 8

// blockColumns is the number of columns of a width that transpose takes at once, 1 for none.
func blockColumns(int) int { return 1 }

// transpose gathers as many leading rows of columns next to each other as vector instructions can, and returns their number.
func transpose(_ [][]byte, _ []int, _ int, _ []byte, _, _, _ int) int { return 0 }

// gatherVector gathers as many leading elements as assembly can, and returns their number.
func gatherVector(_, _ []byte, _, _, _ int) int { return 0 }
