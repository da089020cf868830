package flags

import (
	"fmt"
	"regexp"
	"strconv"
)

// Buckets is the number of buckets that tenants fall into: a share is a whole
// number of 1/10,000.
const Buckets = 10_000

// Share is a part of all tenants in 1/10,000.
type Share int

// ShareError says why a percentage cannot be used.
type ShareError struct{ Text string }

func (e *ShareError) Error() string {
	return fmt.Sprintf("percentage %q: use 0 to 100 with at most two decimals, such as 12.5 or 0.01", e.Text)
}

// shareForm is a decimal number without sign or exponent, with an optional
// percent sign; zeros behind the second decimal change nothing.
var shareForm = regexp.MustCompile(`^ *([0-9]{1,3})(?:\.([0-9]{1,2})0*)? ?%? *$`)

// ParseShare reads a percentage such as "5", "12.5" or "0.01%". Anything
// outside 0 to 100 or finer than 0.01 is a [*ShareError].
func ParseShare(text string) (Share, error) {
	parts := shareForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, &ShareError{Text: text}
	}
	hundredths := parts[1] + (parts[2] + "00")[:2]
	n, err := strconv.Atoi(hundredths)
	if err != nil || n > Buckets {
		return 0, &ShareError{Text: text}
	}
	return Share(n), nil
}

// String returns the share as a percentage, such as "12.5%".
func (s Share) String() string {
	return strconv.FormatFloat(float64(s)/100, 'f', -1, 64) + "%"
}
