// Package garbage says when garbage is collected. It delays the first collection from when it is initialized on: what the packages
// of a large program make when they are initialized is kept until the process ends, and looking through it finds nothing to free.
package garbage

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

// firstPercent is the value of GOGC until the first collection, which is then at about 16 MB instead of 4.
const firstPercent = 400

// process is the pace of this process. Of what is initialized in main's imports this has few imports of its own, so it comes before most.
var process = start(debug.SetGCPercent, os.Getenv("GOGC") == "")

// pace is how often garbage is collected.
type pace struct {
	set func(percent int) (old int)

	mu      sync.Mutex
	percent int  // after the first collection
	delayed bool // there was none yet
}

// start returns the pace of a process, and delays its first collection if that is asked for.
func start(set func(int) int, delay bool) *pace {
	p := &pace{set: set, delayed: delay}
	if !delay {
		p.percent = set(-1)
		set(p.percent)
		return p
	}
	p.percent = set(firstPercent)
	runtime.AddCleanup(&struct{ next *int }{}, (*pace).collected, p) // the first collection frees it
	return p
}

// collected ends the delay.
func (p *pace) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.delayed {
		p.delayed = false
		p.set(p.percent)
	}
}

// change sets the percentage and returns the one that there was.
func (p *pace) change(percent int) (old int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, p.percent = p.percent, percent
	if !p.delayed {
		p.set(percent)
	}
	return old
}

// SetPercent is debug.SetGCPercent, but it has an effect after the first collection only.
func SetPercent(percent int) (old int) { return process.change(percent) }
