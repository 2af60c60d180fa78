package memory

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGranted(t *testing.T) {
	const meminfo = "MemTotal:       16384 kB\nMemFree: 1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing":   {nil, 0},
		"machine":   {map[string]string{"proc/meminfo": meminfo}, 16 << 20},
		"unlimited": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 16 << 20},
		"own group": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "4096\n"}, 4096},
		"outer group": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
			"sys/fs/cgroup/a/memory.max": "8192\n"}, 8192},
		"container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/memory.max": "4096\n"}, 4096},
		"version 1": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/x\n4:memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "12288\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1\n"}, 12288},
		"larger":  {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "9223372036854771712\n"}, 16 << 20},
		"garbage": {map[string]string{"proc/meminfo": "MemTotal: x kB\n", "proc/self/cgroup": "x\n::\n"}, 0},
	} {
		root := t.TempDir()
		for path, text := range c.files {
			full := filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := granted(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := Max(123); got != 123 {
		t.Error(got)
	}
	if got := Max(0); got <= 0 {
		t.Error(got)
	}
}
