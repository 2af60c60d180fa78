// Package predicate finds the rows of Arrow arrays for which conditions on columns hold, and says what statistics of rows
// leave possible.
//
// A Condition is what a person writes: a column, an operator and constants without a type. New makes a Test of it for the
// type of the column, and a Matcher applies the Test to arrays.
//
// # What holds
//
// A comparison holds for no null. Values are ordered as in SQL engines: NaN is equal to itself and greater than all other
// numbers, -0 equals 0, text is ordered by its bytes. Integers and times are compared exactly, whatever the constant: an
// integer is less than 2.5, a time in seconds is less than one with a fraction. A constant for floats is the nearest float
// of the column's width. A dictionary is compared by its values. Constants for times without a zone are in UTC.
package predicate
