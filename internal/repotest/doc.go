// Package repotest holds the tests of the repository as a whole: the layers of its packages and their sizes, what no file
// may contain, the words that its texts avoid, what README and docs show, and that the files of testdata are those that
// were made.
package repotest
