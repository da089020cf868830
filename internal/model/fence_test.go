package model

// The fence as a table: what it does, clause by clause. The model
// interprets it for its agents, and TestFenceTableIsTheSQL for calls on
// PostgreSQL.

// lockName is a lock of the ledger.
type lockName uint8

const (
	epochOf lockName = iota
	tenantOf
	keyOf
)

// clause is one line of the fence.
type clause struct {
	text string
	// when says for which calls the clause counts; nil means for all.
	when func(fenceCall) bool
	// take is a lock to be taken, try in the form that never waits.
	take                 lockName
	exclusive, try, lock bool
	// isolation refuses transactions that are not READ COMMITTED, and inForce
	// those whose decision is no longer the ledger's.
	isolation, inForce bool
	// mark tells the triggers of capture what was locked.
	mark bool
}

// fenceCall is what the fence is told.
type fenceCall struct {
	keys    keySet
	allKeys bool
}

type keySet uint8

const (
	nullKeys keySet = iota // a plain read inside a transaction
	noKeys                 // a create whose key the database makes
	oneKey
	manyKeys // more than can be locked one by one
)

// fence is what package internal/fence makes.
var fence = []clause{
	{text: "the transaction is READ COMMITTED, or XF002", isolation: true},
	{text: "the epoch's lock, shared, tried: XF001 when it is held or awaited exclusively", lock: true, take: epochOf, try: true},
	{
		text: "the tenant's lock, exclusive, where the keys are not known or too many", lock: true, take: tenantOf, exclusive: true,
		when: func(c fenceCall) bool { return c.allKeys || c.keys == manyKeys },
	},
	{
		text: "the tenant's lock, shared, where they are known", lock: true, take: tenantOf,
		when: func(c fenceCall) bool { return !c.allKeys && (c.keys == noKeys || c.keys == oneKey) },
	},
	{
		text: "the key's lock, exclusive", lock: true, take: keyOf, exclusive: true,
		when: func(c fenceCall) bool { return !c.allKeys && c.keys == oneKey },
	},
	{text: "epoch and policy are the ledger's, read after the locks, or XF001", inForce: true},
	{
		text: "where there is capture, the mark of the keys that are locked", mark: true,
		when: func(c fenceCall) bool { return c.allKeys || c.keys != nullKeys },
	},
}

// outcome is what became of a call.
type outcome uint8

const (
	granted outcome = iota
	notInForce
	notReadCommitted
	waiting
)

func (o outcome) String() string {
	return [...]string{"granted", "XF001", "XF002", "waits"}[o]
}

// fenceWorld is where a fence is called.
type fenceWorld interface {
	readCommitted() bool
	inForce() bool
	// conflict reports whether another transaction holds or awaits a lock so
	// that it cannot be had now.
	conflict(l lockName, exclusive bool) bool
	hold(l lockName, exclusive bool)
	mark()
}

// callFence runs the clauses from one on, until one refuses or waits, and
// returns where it waits.
func callFence(clauses []clause, from int, call fenceCall, w fenceWorld) (outcome, int) {
	for i := from; i < len(clauses); i++ {
		c := &clauses[i]
		switch {
		case c.when != nil && !c.when(call):
		case c.isolation && !w.readCommitted():
			return notReadCommitted, i
		case c.inForce && !w.inForce():
			return notInForce, i
		case c.mark:
			w.mark()
		case !c.lock:
		case !w.conflict(c.take, c.exclusive):
			w.hold(c.take, c.exclusive)
		case c.try:
			return notInForce, i
		default:
			return waiting, i
		}
	}
	return granted, 0
}
