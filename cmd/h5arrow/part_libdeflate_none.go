//go:build !(libdeflate && cgo)

package main

const withLibdeflate = false
