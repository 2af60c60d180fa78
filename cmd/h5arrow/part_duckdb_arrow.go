//go:build duckdb_arrow && cgo

package main

const withDuckDB = true
