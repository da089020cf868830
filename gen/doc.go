// Package gen reads annotated Go interfaces and writes, beside each file that
// declares one, the routed repository (customers_routed.go) and the typed
// comparators of its results (customers_compare.go). For the versions that
// crossfade.yaml names it writes each version's repository over sqlc's queries
// or a GORM model (customers_version.go).
//
// Generated methods are one call each into package repo, where all behaviour
// lives. The package imports none of the packages that its output uses, never
// changes a file that does not carry its own first line, and writes nothing at
// all while anything is wrong with its input: then every problem is reported
// at once, with file and line.
//
// # Directives
//
// A directive is a line of a doc comment that begins with //crossfade: without
// a space. A " //" after it begins a remark. Above the interface:
//
//	//crossfade:entity notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys [tenant=NAME|none] [name=NAME]
//
//	get=, put=, delete=, keys=   the methods by which a key is copied from side to side (below)
//	notfound=                    how a side tells that a key is not there: an error variable, an error type, a
//	                             func(error) bool, each of this package or as pkg.Name; or nil, where get returns a
//	                             nil pointer or (T, false, nil)
//	tenant=                      the parameter that is the tenant; a parameter called tenant or tenantID if it is not
//	                             given; none for an entity without tenants
//	name=                        what mismatches and counters call the entity; the interface's name if it is not given
//
// Above each method exactly one of these:
//
//	//crossfade:read (key=KEY | keys=KEYS)... [unordered [by=FIELD]]   reads the rows of named keys
//	//crossfade:list [unordered [by=FIELD]]                            reads rows by predicate
//	//crossfade:lock (key=KEY | keys=KEYS)... | all                    reads and locks until the transaction ends
//	//crossfade:write (key=KEY | keys=KEYS)... | all                   writes named keys, or by predicate (all)
//	//crossfade:create (key=KEY | keys=KEYS)...                        inserts rows whose keys the database makes
//	//crossfade:stream                                                 hands out rows while it reads them
//
// Each of them takes tenant=PATH where the tenant of that method stands
// elsewhere, such as tenant=c.TenantID.
//
// PATH is the name of a parameter, followed by fields, or methods without
// arguments, of what it is: id, c.ID, c.Key().ID. Embedded fields need not be
// spelled out. KEY is a PATH, or several with commas between them for a
// composite key: key=region,id. KEYS is the same with [] behind the slice that
// holds the keys: keys=cs[].ID; a slice of keys needs none: keys=ids. Several
// key= and keys= add up: a transfer between two rows says key=from key=to.
// Where a create says result, that is the method's result, or the first of
// several: key=result.ID, keys=result[].ID. A create may also name what the
// side fills in: key=c.ID, where c is a pointer, or keys=cs[].ID.
//
// A pointer in a PATH that is nil makes the call return a *repo.KeyError; no
// side is called.
//
// unordered says that the order of the result, a slice, means nothing; by=
// names a field by which elements of both sides are matched.
//
// # Methods
//
// The first parameter is a context.Context, the last result is an error. There
// may be any number of results before it, and variadic parameters. Arguments
// and results are plain values: a function, a channel, an io.Reader or a
// transaction cannot be given to two sides. A stream takes anything, since it
// runs on one side only and is never compared; it returns one iter.Seq2[T,
// error], or takes a func(T) error or func(T) bool and returns an error.
//
// Interfaces may embed others, of other packages too. Directives stand where a
// method is written; where that is out of reach, the method is written once
// more in the annotated interface, which is allowed in Go, with a directive.
// An interface with type parameters is instantiated first:
//
//	//crossfade:entity ...
//	type Customers interface{ Store[Customer, uuid.UUID] }
//
// Test files, and files that build constraints leave out, are not read. The
// constraint of a source file is repeated in what is generated from it.
//
// # Keys and tenants
//
// A key has one canonical text, the same on both sides, from which locks,
// records and backfill work. It is a string, an integer or a bool, or a type
// over one of them (always by value, even if the type has a String method); a
// github.com/google/uuid.UUID; a type with String() string and
// UnmarshalText([]byte) error; or a struct of such fields. Several parts are
// joined by repo.CompositeKey. A type with a method Equal or Cmp, such as
// time.Time or a decimal, has no canonical text, since equal values may have
// different text. All methods of an entity use the same key types. A tenant
// has one part.
//
// # Copying
//
// Backfill, repair and creates copy a key from side to side by four methods:
//
//	get      a read: (ctx, tenant, key) (T, error), or (T, bool, error)
//	put      a write that inserts the value or replaces all of it: (ctx, tenant, T or *T) error
//	delete   a write: (ctx, tenant, key) error; absent is no error, or the notfound= one
//	keys     a list: (ctx, tenant, after *K, limit int) ([]K, error), up to limit keys behind
//	         after, which is nil at the start, in an order of the side's own
//
// A composite key may be taken as one struct K or as its parts. Further results
// of put and delete are dropped.
//
// # Queueing
//
// A write that returns an error and nothing else is queued (Op.Queue): what its
// sides send may wait, as far as nobody asks what it returned, and travels with
// COMMIT. The comment of the generated method says so, or why not: a result has to
// be read, or a key that the database makes. See package repo/postgres.
//
// # Cloning
//
// An operation's CloneArgs and CloneResult are set where a value can share
// memory that its holder may change: it is, or has in exported or embedded
// fields, a slice, map, pointer or interface. What a struct keeps in unexported
// fields (time.Time, decimal.Decimal) is its own business.
//
// # Comparators
//
// DiffT is generated for each exported type T of the package that a read
// returns, and unexported functions for everything else that is in it. Struct
// tags are those of package compare. Fields of the package's own types are
// compared whether exported or not, those of other packages if exported. A
// type with Equal(T) bool or Cmp(T) int is compared by it, unless its fields
// carry tags; time.Time as an instant. Interfaces, pointers that lead back to
// the type that holds them, and what is ignored are compared by reflection,
// which reads no tags. Locks are left out, and structs that hold one are never
// copied. A DiffT of the right shape that the package declares by hand is
// used instead of a generated one.
//
// # Versions
//
// crossfade.yaml (package gen/config) is looked for from the folder of the run
// upwards to the module's root. A version is generated for when its package or
// its entity's matches the patterns; without patterns, in the file's own
// folder, everything that it names is. The generated type Repository has what
// methods written by hand need: q and db over sqlc, orm over GORM, and m, the
// Mapper. A method of Repository that another file of the package declares is
// left out, and so is New. A version with neither sqlc: nor gorm: is written by
// hand; only its New is looked at.
//
// What agrees in name, but for case and underscores, and in type is copied; the
// tenant is called tenant or tenant_id. A type over a plain one (type Level int
// over int) is converted; types over string, numbers of other widths, pointers
// against values and the types of pgtype never are. A parameter limit of type
// int goes into an int32 or int64 called limit, and a larger one asks for that
// many rows. Whatever else a row, a domain struct or a query needs is one result
// of a method of Mapper, so that a field that is added does not compile before
// it is mapped: SaveParams for what the query of Save takes, CustomerFromRow for
// what a row lacks, RowFromCustomer for a model, AddBalanceResult for a result
// that is no row. Structs inside of structs, and lists of them, are converted in
// the same way where both sides name them alike. mapping.go is written once,
// with methods that return an error; Result.Unwritten lists those that are left.
//
// Over sqlc a method is answered by the query that is called like it, with or
// without the entity's name before or behind it (Get: Get, GetCustomer; List:
// ListCustomers; Keys: CustomerKeys), or by the one that methods: names. No row
// of a :one, and no row met by an :execrows or :execresult of a method that has
// one key and returns an error alone, is the notfound= error. An :exec stays
// one that can be queued. Of a batch the first error counts. Children that a
// second query reads are put together by hand, with the generated conversions.
//
// Over GORM the methods of get=, put=, delete= and keys= are generated. Columns
// are named as the tag column: says or as GORM's own naming strategy does. get
// preloads all associations, lists of children by their primary key; put
// replaces the row, the time stamps that the application gives included, and
// what belongs to it, and brings a softly deleted row back; what hooks,
// serializers and default: do is GORM's. Children are deleted and inserted anew.
package gen
