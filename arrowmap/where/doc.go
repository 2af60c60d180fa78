// Package where reads the rows of a table for which simple conditions hold.
//
// A Filter is conditions on columns, all of which hold for a row that is chosen. Its text is that of SQL:
//
//	fare > 10.5 and zone in ('Dock', 'Forum') and tip is not null and "my column" between 1 and 3
//
// Numbers, texts, booleans and times are compared with constants; times are written as text in the forms of ISO 8601, in UTC,
// or as numbers of the column's unit, as durations always are. A constant is first rounded to the type of a column of
// floats. A comparison with a null does not hold. Columns of dictionaries are compared
// by their labels; columns of other types only with null. NaN is greater than all numbers, as in SQL engines.
//
// The columns that conditions use are read first. The others are read for the rows from the first to the last one that
// each batch has, and not at all where it has none.
package where
