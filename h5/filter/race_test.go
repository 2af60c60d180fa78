//go:build race

package filter

// underRace: everything takes ten times as long, and pools drop what they are given.
const underRace = true
