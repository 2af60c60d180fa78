package nullbitmap

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
)

// TestFaultIsRecoverable: a file that is truncated while it is mapped must not kill the process in a kernel. The fault has
// to arrive as a panic that the caller, who set debug.SetPanicOnFault, can recover.
func TestFaultIsRecoverable(t *testing.T) {
	page := os.Getpagesize()
	eq, in, fl := must(Equal(make([]byte, 8))), must(OutsideInt(2, BigEndian, 1, 2)), must(OutsideFloat(4, LittleEndian, 1, 2))
	for _, k := range available() {
		for name, read := range map[string]func(mapped []byte){
			"mask":     func(b []byte) { k.apply(setIsNull, make([]byte, len(b)/8), 0, b, Overwrite) },
			"sentinel": func(b []byte) { k.apply(eq, make([]byte, len(b)), 0, b, Overwrite) },
			"range":    func(b []byte) { k.apply(in, make([]byte, len(b)), 0, b, Overwrite) },
			"floats":   func(b []byte) { k.apply(fl, make([]byte, len(b)), 0, b, Overwrite) },
			"strided":  func(b []byte) { k.applyStrided(eq, make([]byte, len(b)), 0, b, 9, len(b)/9, Overwrite) },
			"expand":   func(b []byte) { k.toInts(make([]byte, len(b)*8), 1, 1, SetIsNull, b, 0) },
			"blend":    func(b []byte) { k.writeSentinel(make([]byte, len(b)*8), []byte{1}, b, 0) },
			"count":    func(b []byte) { CountNulls(b, 0, len(b)*8) },
		} {
			f, err := os.Create(filepath.Join(t.TempDir(), "mapped"))
			if err == nil {
				err = f.Truncate(int64(3 * page))
			}
			if err != nil {
				t.Fatal(err)
			}
			mapped, err := syscall.Mmap(int(f.Fd()), 0, 3*page, syscall.PROT_READ, syscall.MAP_SHARED)
			if err != nil {
				t.Fatal(err)
			}
			read(mapped)
			if err := f.Truncate(int64(page)); err != nil {
				t.Fatal(err)
			}
			recovered := func() (r any) {
				defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
				defer func() { r = recover() }()
				read(mapped)
				return nil
			}()
			if _, ok := recovered.(interface{ Addr() uintptr }); !ok {
				t.Errorf("%s, %s: recovered %v, want a fault with its address", k.name, name, recovered)
			}
			if err := syscall.Munmap(mapped); err != nil {
				t.Error(err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
