package service

import (
	"os"
	"slices"
	"sync"
	"time"
)

// files are files that are read again when one of them has changed. Several goroutines may use them.
type files struct {
	names   []string
	what    string // they hold, in the log
	read    func() error
	monitor *Monitor

	mu   sync.Mutex
	seen []stamp   // of the files that were read last
	next time.Time // when they are looked at again
}

// stamp shows whether a file has changed.
type stamp struct {
	changed time.Time
	size    int64
}

// renewal is the interval at which files are looked at.
const renewal = time.Second

func stampOf(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// watch reads files for the first time.
func watch(m *Monitor, what string, read func() error, names ...string) (*files, error) {
	f := &files{names: names, what: what, read: read, monitor: m}
	f.seen = f.stamps()
	return f, read()
}

func (f *files) stamps() []stamp {
	var out []stamp
	for _, n := range f.names {
		out = append(out, stampOf(n))
	}
	return out
}

// look reads the files again if they have changed. It looks once in each interval.
func (f *files) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Before(f.next) {
		return
	}
	f.next = now.Add(renewal)
	if !slices.Equal(f.seen, f.stamps()) {
		f.again()
	}
}

// reload reads the files again.
func (f *files) reload() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.again()
}

func (f *files) again() {
	f.seen = f.stamps()
	if err := f.read(); err != nil {
		f.monitor.Event(f.what+" kept", "error", f.monitor.errorText(err))
		return
	}
	f.monitor.Event(f.what + " renewed")
}
