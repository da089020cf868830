package workload

import "time"

// Rows that are read and rows that are written lie apart, so that reads compare equal sides whatever writes did.

// readRow returns the tenant and id of a row to read.
func (a *App) readRow(i int) (tenant string, id int64) {
	i %= a.Rows / 2
	return a.tenants[i%Tenants], int64(i)
}

// writeRow returns the tenant and id of a row to write.
func (a *App) writeRow(i int) (tenant string, id int64) {
	i = a.Rows/2 + i%(a.Rows/2)
	return a.tenants[i%Tenants], int64(i)
}

// Keys is how many rows are read, and as many others are written.
func (a *App) Keys() int { return a.Rows / 2 }

// writtenAt is the time that all writes carry.
var writtenAt = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
