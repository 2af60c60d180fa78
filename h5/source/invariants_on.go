//go:build invariants

package source

import (
	"fmt"
	"runtime"
)

const invariants = true

// watch makes a Source that is garbage while references are held end the process, with the place that opened it.
func (s *Source) watch() {
	pc := make([]uintptr, 16)
	pc = pc[:runtime.Callers(3, pc)]
	runtime.SetFinalizer(s, func(s *Source) {
		text := fmt.Sprintf("source: %s was never released (%d references); opened by", s.name, s.refs.Load())
		for frames := runtime.CallersFrames(pc); ; {
			f, more := frames.Next()
			text += fmt.Sprintf("\n\t%s %s:%d", f.Function, f.File, f.Line)
			if !more {
				break
			}
		}
		panic(text)
	})
}
