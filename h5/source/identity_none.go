//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package source

import "os"

// identify returns the zero value: it is not known which version of a file this is.
func identify(*os.File) Identity { return Identity{} }
