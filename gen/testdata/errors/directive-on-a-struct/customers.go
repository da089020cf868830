package directiveonastruct

//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Customer struct{ ID int64 }

/* want:
customers.go:4:6: Customer: //crossfade:entity stands above a type that is no interface: put it above the repository's interface
*/
