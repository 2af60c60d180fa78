package source

import "time"

// Identity is what a version of a local file differs by from all other files of this machine, and from its own other versions. It can be
// compared.
type Identity struct {
	Device, Number uint64 // of the file
	Size           int64
	Modified       int64 // nanoseconds since 1970
	Changed        int64 // the same, of its contents or of what describes it; programs can't set it
}

// settled is how long a file is left alone before its times are relied on. Clocks of file systems are coarse, and a program that has mapped
// a file changes its times at the first write after the system wrote the pages to the disk, which it does within half a minute.
const settled = time.Minute

// Identity returns what identifies the version of the file at Open. It is false where the system can't say, of what is not a local file, and
// of a file that was changed within a minute before Open: its times may not show the next change.
func (s *Source) Identity() (Identity, bool) {
	f, ok := s.b.(*local)
	if !ok || s.live.Load() || f.id == (Identity{}) {
		return Identity{}, false
	}
	latest := max(f.id.Modified, f.id.Changed)
	return f.id, f.opened.Sub(time.Unix(0, latest)) >= settled
}
