package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// rounded keeps four decimals of a ratio and four digits of everything else: less than any noise met so far.
func rounded(unit string, value float64) float64 {
	if unit == Ratio {
		return math.Round(value*1e4) / 1e4
	}
	return significant(value, 4)
}

func significant(value float64, digits int) float64 {
	if value == 0 || math.IsInf(value, 0) || math.IsNaN(value) {
		return value
	}
	text := strconv.FormatFloat(value, 'e', digits-1, 64)
	short, _ := strconv.ParseFloat(text, 64) // what FormatFloat wrote
	return short
}

// figure is a value as tables show it, with its unit unless that is said elsewhere.
func figure(unit string, value float64) string {
	switch unit {
	case Ratio:
		return ratio(value)
	case Nanos:
		return nanos(value)
	case RowsPerSec:
		return grouped(value) + "/s"
	default:
		return plain(value)
	}
}

// ratio shows three decimals, or as many as the value has when those are fewer or were rounded to four.
func ratio(value float64) string {
	if value >= 10 {
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return strconv.FormatFloat(value, 'f', 3, 64)
}

// nanos shows three digits in the unit that suits them.
func nanos(value float64) string {
	size := math.Abs(value)
	unit, by := "ns", 1.0
	switch {
	case size >= 0.9995*float64(time.Second):
		unit, by = "s", float64(time.Second)
	case size >= 0.9995*float64(time.Millisecond):
		unit, by = "ms", float64(time.Millisecond)
	case size >= 0.9995*float64(time.Microsecond):
		unit, by = "\u00b5s", float64(time.Microsecond)
	}
	return padded(value/by) + " " + unit
}

// padded shows three digits also where the last are zeros.
func padded(value float64) string {
	value = significant(value, 3)
	decimals := 2
	for _, limit := range []float64{10, 100} {
		if math.Abs(value) >= limit {
			decimals--
		}
	}
	return strconv.FormatFloat(value, 'f', decimals, 64)
}

// plain shows three digits, and all those before the point.
func plain(value float64) string {
	if math.Abs(value) >= 1000 {
		return grouped(value)
	}
	return strconv.FormatFloat(significant(value, 3), 'f', -1, 64)
}

// grouped shows a whole number in groups of three digits.
func grouped(value float64) string {
	digits := strconv.FormatFloat(math.Abs(math.Round(value)), 'f', 0, 64)
	var b strings.Builder
	if value <= -0.5 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
