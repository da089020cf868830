package interfaceisaconstraint

//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface{ ~int | ~string }

/* want:
customers.go:4:6: Customers: it is a constraint and not an interface of methods
*/
