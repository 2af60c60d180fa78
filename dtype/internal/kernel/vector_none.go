package kernel

// swapVector swaps as many leading bytes as vector instructions do well, and returns their number.
func swapVector(dst, src []byte, width int) int { return 0 }
