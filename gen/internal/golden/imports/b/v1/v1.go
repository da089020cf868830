// Package v1 is one of two packages of that name.
package v1

// Address is a type of which the other package has one too.
type Address struct {
	CityB  string
	hidden int
}

// Hide sets what other packages do not see.
func (a Address) Hide(n int) Address {
	a.hidden = n
	return a
}

// Hidden returns it.
func (a Address) Hidden() int { return a.hidden }
