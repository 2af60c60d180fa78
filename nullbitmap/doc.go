// Package nullbitmap turns every spelling of "missing" into Arrow validity bitmaps, and back.
//
// A validity bitmap has one bit a value, least significant bit first: value i is bit i%8 of byte i/8. A 1 bit is a valid
// value, a 0 bit a null.
package nullbitmap
