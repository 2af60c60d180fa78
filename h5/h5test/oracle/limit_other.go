//go:build !linux

package oracle

func limitMemory(uint64) error { return nil }
