// Package memory finds out how much memory a run may use.
package memory

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// unknown is the limit where the system does not say how much memory there is.
const unknown = 2 << 30

// Max returns the limit for a run in bytes: what was asked for, or, when that is 0, a quarter of what the machine or its
// control group grants.
func Max(asked int64) int64 {
	if asked > 0 {
		return asked
	}
	if n := granted("/"); n > 0 {
		return n / 4
	}
	return unknown
}

// Limit makes the garbage collector keep to n bytes until undo is called.
func Limit(n int64) (undo func()) {
	old := debug.SetMemoryLimit(n)
	return func() { debug.SetMemoryLimit(old) }
}

// granted returns the machine's memory or the lowest limit of this process's control groups, whichever is less; 0 when
// nothing is known. It looks below root.
func granted(root string) int64 {
	lowest := int64(0)
	take := func(n int64, ok bool) {
		if ok && n > 0 && (lowest == 0 || n < lowest) {
			lowest = n
		}
	}
	take(machine(filepath.Join(root, "proc/meminfo")))
	groups, err := os.Open(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return lowest
	}
	defer groups.Close() // read only: there is nothing to lose
	for lines := bufio.NewScanner(groups); lines.Scan(); {
		part := strings.SplitN(lines.Text(), ":", 3) // number:controllers:path
		if len(part) != 3 {
			continue
		}
		dir, file := "sys/fs/cgroup", "memory.max"
		if part[1] != "" {
			if part[1] != "memory" {
				continue
			}
			dir, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		// A container often sees its own group as the root, whatever the path says.
		for p := path.Clean("/" + part[2]); ; p = path.Dir(p) {
			take(readNumber(filepath.Join(root, dir, p, file)))
			if p == "/" {
				break
			}
		}
	}
	return lowest
}

func machine(name string) (int64, bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "MemTotal:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}

// readNumber reads a file that holds a number. ok is false for anything else, such as "max".
func readNumber(name string) (n int64, ok bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}
