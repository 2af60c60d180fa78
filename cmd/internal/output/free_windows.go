package output

import "golang.org/x/sys/windows"

// Free returns how many bytes there are for new files in a directory. ok is false where the system does not say.
func Free(dir string) (n uint64, ok bool) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	err = windows.GetDiskFreeSpaceEx(p, &n, nil, nil)
	return n, err == nil
}
