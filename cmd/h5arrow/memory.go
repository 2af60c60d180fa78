package main

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// defaultMemory is used where the system does not tell how much there is.
const defaultMemory = 2 << 30

// maxMemory is the ceiling for a run: what was asked for, or a quarter of what the machine or its control group grants.
func maxMemory(asked size) int64 {
	if asked > 0 {
		return int64(asked)
	}
	if n := grantedMemory("/"); n > 0 {
		return n / 4
	}
	return defaultMemory
}

// limitMemory makes the garbage collector keep to n bytes, and returns what undoes that.
func limitMemory(n int64) (undo func()) {
	old := debug.SetMemoryLimit(n)
	return func() { debug.SetMemoryLimit(old) }
}

// grantedMemory is the least of the machine's memory and the limits of this process's control groups, 0 when nothing is
// known. It looks below root.
func grantedMemory(root string) int64 {
	least := int64(0)
	take := func(n int64, ok bool) {
		if ok && n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	take(machineMemory(filepath.Join(root, "proc/meminfo")))
	groups, err := os.Open(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return least
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
	return least
}

func machineMemory(name string) (int64, bool) {
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

// readNumber reads a file that holds a number. "max" is none.
func readNumber(name string) (int64, bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}
