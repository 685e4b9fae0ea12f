// Package report turns measurements into tables for terminals and into one self-contained HTML page.
//
// It draws what it is given and measures nothing: the same figures give the same bytes.
package report
