// Package flat has the form in which a writer takes values that point to others, which package write describes, and turns the
// values of a file into it.
package flat
