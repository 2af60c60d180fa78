package garbage

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// The first collection ends the delay, once, with what was asked for meanwhile.
func TestPace(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // runtime.GC alone collects
	for _, c := range []struct {
		delay bool
		want  []int // what is set before the first collection, and by it
		after []int
	}{
		{true, []int{firstPercent}, []int{300}},
		{false, []int{-1, 100, 200, 300}, nil},
	} {
		current, sets, set := 100, []int{}, make(chan int, 8)
		p := start(func(percent int) int {
			old := current
			current = percent
			sets = append(sets, percent)
			set <- percent
			return old
		}, c.delay)
		if old := p.change(200); old != 100 {
			t.Errorf("delay %v: it was %d", c.delay, old)
		}
		if old := p.change(300); old != 200 {
			t.Errorf("delay %v: it was %d", c.delay, old)
		}
		if !slices.Equal(sets, c.want) {
			t.Errorf("delay %v: %v is set before the first collection", c.delay, sets)
		}
		for range c.want {
			<-set
		}
		runtime.GC()
		for _, want := range c.after {
			if got := <-set; got != want {
				t.Errorf("delay %v: the first collection sets %d", c.delay, got)
			}
		}
		p.collected()
		if old := p.change(500); old != 300 || current != 500 || len(sets) != len(c.want)+len(c.after)+1 {
			t.Errorf("delay %v: it was %d, and is %d after %v", c.delay, old, current, sets)
		}
	}
}

// live keeps what a process of this test allocates.
var live [][]byte

// A process collects nothing while its heap is small, unless its user says when to collect.
func TestDelay(t *testing.T) {
	if os.Getenv("H5ARROW_TEST_GARBAGE") != "" {
		for range 6 << 10 {
			live = append(live, make([]byte, 1<<10))
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.NumGC > 0 {
			os.Stdout.WriteString("collected\n")
		}
		return
	}
	for _, gogc := range []string{"", "100"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDelay$")
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GOGC=") }), "H5ARROW_TEST_GARBAGE=1")
		if gogc != "" {
			cmd.Env = append(cmd.Env, "GOGC="+gogc)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := strings.Contains(string(out), "collected\n"); got != (gogc != "") {
			t.Errorf("GOGC=%s: collected %v: %s", gogc, got, out)
		}
	}
}
