package apart

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// slack is for the stacks of threads and the heap's arenas, which the system counts when they are reserved.
const slack = 192 << 20

// limitData bounds the memory that this process may have beside what it has now. Mapped files do not count.
func limitData(n int64) error {
	now, err := dataBytes()
	if err != nil {
		return h5err.Wrap(h5err.IO, err, "the memory of this process")
	}
	limit := uint64(now + n + slack)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return h5err.Wrap(h5err.IO, err, "can't limit the memory of this process")
	}
	return nil
}

// dataBytes returns VmData: what RLIMIT_DATA bounds.
func dataBytes() (int64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, b, _ = bytes.Cut(b, []byte("\nVmData:"))
	b, _, _ = bytes.Cut(b, []byte(" kB"))
	kib, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	return kib << 10, err
}
