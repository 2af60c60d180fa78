// Package repotest holds the tests of the repository as a whole: who imports whom, what no file may contain, and that
// the files of testdata are those that were made.
package repotest
