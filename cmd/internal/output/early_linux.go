package output

import (
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// earlyBytes is how much is written before the system is asked to bring it to the disk.
const earlyBytes = 16 << 20

// early writes to a file, and has the system bring to the disk what has been written while more is written, so that flushing the
// file in the end takes little time.
type early struct {
	f       *os.File
	written atomic.Int64
	start   chan struct{}
	done    chan struct{}
}

func writeEarly(f *os.File) *early {
	e := &early{f: f, start: make(chan struct{}, 1), done: make(chan struct{})}
	fd := int(f.Fd())
	go func() {
		defer close(e.done)
		for range e.start {
			// Only a hint: what goes wrong is reported by the flush in the end.
			_ = unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE)
		}
	}()
	return e
}

// WriteAt implements io.WriterAt.
func (e *early) WriteAt(p []byte, off int64) (int, error) {
	n, err := e.f.WriteAt(p, off)
	if e.written.Add(int64(n)) >= earlyBytes {
		e.written.Store(0)
		select {
		case e.start <- struct{}{}:
		default: // the system is still busy with what came before
		}
	}
	return n, err
}

// stop ends the early writing. The file may be closed afterwards.
func (e *early) stop() {
	close(e.start)
	<-e.done
}
