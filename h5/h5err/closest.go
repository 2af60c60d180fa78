package h5err

import "strings"

// Bounds of Closest, whose cost grows with the product of lengths.
const (
	maxClosestName  = 100
	maxClosestNames = 10000
)

// Closest returns the name that a misspelled one most likely means: one that differs in the case of letters only, or in few
// letters, the first of those that differ least. It returns "" where there is none, and looks at the first 10,000 names.
func Closest(misspelled string, names []string) string {
	if len(misspelled) > maxClosestName {
		return ""
	}
	want := []rune(strings.ToLower(misspelled))
	best, closest := len(want)/3+1, "" // more differences make another name
	for _, name := range names[:min(len(names), maxClosestNames)] {
		if len(name) > maxClosestName || name == misspelled {
			continue
		}
		if d := distance(want, []rune(strings.ToLower(name))); d < best || d == best && closest == "" && d < len(want) {
			best, closest = d, name
		}
	}
	return closest
}

// distance is the least number of letters to insert, to delete, to replace or to exchange with the next that makes b of a.
func distance(a, b []rune) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for k := range last {
		last[k] = k
	}
	for i := range a {
		now[0] = i + 1
		for k := range b {
			cost := 1
			if a[i] == b[k] {
				cost = 0
			}
			now[k+1] = min(last[k+1]+1, now[k]+1, last[k]+cost)
			if i > 0 && k > 0 && a[i] == b[k-1] && a[i-1] == b[k] {
				now[k+1] = min(now[k+1], before[k-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// List names things for a message: the first n, and "..." where there are more.
func List(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}
