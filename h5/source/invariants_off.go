//go:build !invariants

package source

const invariants = false

func (s *Source) watch() {}
