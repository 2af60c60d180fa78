// Package repotest tests the repository as a whole: the layers and sizes of its packages, functions that no file may use,
// words that its texts avoid, what README, ARCHITECTURE and docs show, and the files of testdata.
package repotest
