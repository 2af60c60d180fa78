//go:build !amd64 || purego

package nullbitmap

// available returns all sets that this machine runs.
func available() []*kernels { return []*kernels{portableKernels()} }
