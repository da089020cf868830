// Package config reads crossfade.yaml, which names an application's entities
// and the versions of each:
//
//	version: 1
//	entities:
//	  - name: customers                     # what the ledger calls it
//	    package: ./internal/customers       # where its annotated interface is
//	    interface: Customers                # may be left out where the package has one
//	    versions:                           # oldest first
//	      - name: v1
//	        package: ./internal/customers/v1
//	        gorm: {model: CustomerRow}      # over a GORM model of that package
//	      - name: v2
//	        package: ./internal/customers/v2
//	        sqlc: {package: ./internal/customers/v2/queries}
//	        methods: {Get: GetCustomerByID} # only where names differ
//	      - name: v3
//	        package: ./internal/customers/v3 # neither: written by hand
//
// It is the only reader of that file. Every value knows where it stands, so
// that what is found out later can be reported there. What is wrong with the
// file comes back all at once, each with its position, what was expected and
// the smallest fix.
//
// The package reads no Go code, runs nothing and knows no database: whether an
// interface or a query exists is for package gen to find out.
package config
