//go:build !(libhdf5 && cgo)

package main

const withLibHDF5 = false
