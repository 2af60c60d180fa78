package frame

import "strings"

// Links returns names of links for the names of columns: HDF5's have no slashes, and "." is the group itself.
func Links(names []string) []string {
	out := make([]string, len(names))
	taken := map[string]bool{}
	for _, n := range names {
		taken[n] = true
	}
	for i, n := range names {
		out[i] = n
		if n != "." && n != ".." && !strings.Contains(n, "/") {
			continue
		}
		link := strings.NewReplacer("/", "_", ".", "_").Replace(n)
		for taken[link] {
			link += "_"
		}
		taken[link] = true
		out[i] = link
	}
	return out
}
