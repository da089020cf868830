package interfacewithoutmethods

//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface{}

/* want:
customers.go:4:6: Customers: it has no methods
*/
