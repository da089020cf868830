// Package fence is the fence: the two statements that go before everything that
// acts on a decision in a transaction. The first takes the locks, the second
// looks, in a snapshot that is younger than the locks, whether the decision's
// policy is in force still. They are prepared statements and no function of the
// ledger, as PL/pgSQL prepares every expression anew in each transaction, which
// costs more than the locks.
//
// The package makes their texts and arguments, and sends nothing.
package fence

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// MaxKeys is how many keys are locked one by one. Whoever has more locks the
// whole tenant.
const MaxKeys = 256

// Call is one use of the fence.
//
// The locks are taken in this order: the epoch's, shared, in its try form (a
// drain that waits for it means the same as another epoch); the tenant's, shared,
// or exclusive for all keys and for more than [MaxKeys]; the keys'.
//
// The statements fail with SQLSTATE XF001 where the policy is no longer in force
// (decide again), XF002 where the transaction is not READ COMMITTED, XF003 where
// the ledger does not know the migration.
type Call struct {
	Migration int32
	Tenant    string
	// Guarded is false for a decision without a policy: there is no epoch to
	// lock and none to compare, and the isolation level is not looked at.
	Guarded bool
	Epoch   int64
	Policy  [16]byte
	// Lock takes the tenant's and the keys' locks. False is for a plain read,
	// which only joins the epoch.
	Lock bool
	Keys []string
	All  bool // the keys are not known: those of the whole tenant
	// Look asks for the stale records of the keys, or of the tenant.
	Look bool
	// Makes says that the database will make the keys, and that they are copied
	// to the other side afterwards.
	Makes bool
	// Joined says that the transaction is the application's: what an operation
	// before told the triggers of capture is taken back.
	Joined bool
	// Timeouts are the statement, lock and idle timeout in milliseconds, for a
	// transaction that begins with the call; the lock timeout bounds the call's
	// own waiting. Nil leaves them as they are.
	Timeouts []any
}

// Statement is a text and its arguments.
type Statement struct {
	SQL  string
	Args []any
}

// Statements returns the statements, which are to be sent in this order and
// separately, so that the second has a snapshot of its own. The first says
// nothing, and is missing where there is no lock to be taken and no timeout to
// be set. The row of the second says whether triggers of capture look for the
// mark that it set, and, with Look, has the stale records as
// crossfade.stale_records returns them.
func (c Call) Statements() []Statement {
	if locks := c.lockStatement(); locks.SQL != "" {
		return []Statement{locks, c.checkStatement()}
	}
	return []Statement{c.checkStatement()}
}

func (c Call) lockStatement() Statement {
	how := c.locks()
	sent := Statement{SQL: lockTexts[lock{c.Guarded, c.Timeouts != nil, how}]}
	sent.Args = append(make([]any, 0, len(c.Timeouts)+4), c.Timeouts...)
	if c.Guarded || how != lockNothing {
		sent.Args = append(sent.Args, c.Migration)
	}
	if c.Guarded {
		sent.Args = append(sent.Args, c.Epoch)
	}
	if how != lockNothing {
		sent.Args = append(sent.Args, c.Tenant)
	}
	switch how {
	case lockKey:
		sent.Args = append(sent.Args, c.Keys[0])
	case lockKeys:
		sent.Args = append(sent.Args, c.Keys)
	}
	return sent
}

func (c Call) checkStatement() Statement {
	text := check{guarded: c.Guarded, look: c.Look, joined: c.Joined, one: len(c.Keys) == 1, mark: c.marks()}
	sent := Statement{SQL: checkTexts[text], Args: append(make([]any, 0, 6), c.Migration)}
	if c.Guarded {
		sent.Args = append(sent.Args, c.Epoch, pgtype.UUID{Bytes: c.Policy, Valid: true})
	}
	if text.tenant() {
		sent.Args = append(sent.Args, c.Tenant)
	}
	switch {
	case !text.keys():
	case text.one:
		sent.Args = append(sent.Args, c.Keys[0])
	case c.Keys == nil:
		sent.Args = append(sent.Args, []string{})
	default:
		sent.Args = append(sent.Args, c.Keys)
	}
	if c.Look {
		sent.Args = append(sent.Args, c.All)
	}
	return sent
}

// how says which locks a call takes besides the epoch's.
type how uint8

const (
	lockNothing how = iota
	lockShared      // the tenant's, shared
	lockKey
	lockKeys
	lockTenant // exclusive
)

func (c Call) locks() how {
	switch {
	case !c.Lock:
		return lockNothing
	case c.All || len(c.Keys) > MaxKeys:
		return lockTenant
	case len(c.Keys) == 0:
		return lockShared
	case len(c.Keys) == 1:
		return lockKey
	}
	return lockKeys
}

// mark is what the triggers of capture, where there are any, are told of what is
// locked: migration, kind, tenant and keys. A mark of kind keys covers those
// keys, of kind all the whole tenant, and of kind made nothing: the keys will be
// made by the database, and their rows are recorded and never refused. Nothing
// is marked where nothing is locked.
type mark uint8

const (
	markNothing mark = iota
	markKeys
	markAll
	markMade
)

func (c Call) marks() mark {
	switch {
	case !c.Lock:
		return markNothing
	case c.Makes:
		return markMade
	case c.All || len(c.Keys) == 0:
		return markAll
	}
	return markKeys
}

func (m mark) String() string {
	return [...]string{markNothing: "", markKeys: "keys", markAll: "all", markMade: "made"}[m]
}

type lock struct {
	guarded, timed bool
	how            how
}

type check struct {
	guarded, look, joined, one bool
	mark                       mark
}

func (c check) tenant() bool { return c.look || c.mark != markNothing }
func (c check) keys() bool   { return c.look || c.mark == markKeys }

var (
	lockTexts  = map[lock]string{}
	checkTexts = map[check]string{}
)

func init() {
	bools := []bool{false, true}
	for _, guarded := range bools {
		for _, other := range bools {
			for how := lockNothing; how <= lockTenant; how++ {
				l := lock{guarded, other, how}
				lockTexts[l] = l.text()
			}
			for n := range 1 << 4 {
				c := check{guarded: guarded, look: other, joined: bools[n&1], one: bools[n>>1&1], mark: mark(n >> 2)}
				checkTexts[c] = c.text()
			}
		}
	}
}

// parameters numbers the parameters of a text.
type parameters int

func (p *parameters) next() string {
	*p++
	return "$" + strconv.Itoa(int(*p))
}

// text lists what is to be done in the order in which it is to be done:
// PostgreSQL computes the columns of a row from left to right.
func (l lock) text() string {
	var columns []string
	var n parameters
	if l.timed {
		for _, name := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
			columns = append(columns, "set_config('"+name+"', "+n.next()+", true)")
		}
	}
	migration := ""
	if l.guarded || l.how != lockNothing {
		migration = n.next()
	}
	if l.guarded {
		epoch := n.next()
		refuse := "crossfade.refuse(" + migration + ", " + epoch + ")"
		columns = append(columns, "case when current_setting('transaction_isolation') <> 'read committed' then "+refuse+
			" when not pg_try_advisory_xact_lock_shared((1 << 28) | "+migration+", ("+epoch+"::bigint)::integer) then "+refuse+" end")
	}
	if l.how == lockNothing {
		return selected(columns)
	}
	tenant := n.next()
	shared := "_shared"
	if l.how == lockTenant {
		shared = ""
	}
	columns = append(columns, "pg_advisory_xact_lock"+shared+numbered(2, "crossfade.tenant_hash("+migration+", "+tenant+")"))
	switch l.how {
	case lockKey:
		columns = append(columns, "pg_advisory_xact_lock"+numbered(3, "crossfade.key_hash("+migration+", "+tenant+", "+n.next()+")"))
	case lockKeys:
		columns = append(columns, "crossfade.lock_keys("+migration+", "+tenant+", "+n.next()+")")
	}
	return selected(columns)
}

// numbered are the two halves of a lock's number.
func numbered(kind int, hash string) string {
	return "(crossfade.lock_high(" + strconv.Itoa(kind) + ", " + hash + "), crossfade.lock_low(" + hash + "))"
}

func selected(columns []string) string {
	if len(columns) == 0 {
		return ""
	}
	return "select " + strings.Join(columns, ", ")
}

// text sets the mark where the migration is captured, and otherwise takes that of
// another operation away.
func (c check) text() string {
	var n parameters
	migration := n.next()
	where := "m.id = " + migration
	otherwise := "false"
	if c.guarded {
		epoch, policy := n.next(), n.next()
		where += " and m.epoch = " + epoch + " and m.policy_id = " + policy
		otherwise = "crossfade.refuse(" + migration + ", " + epoch + ")"
	}
	var tenant, keys string
	if c.tenant() {
		tenant = n.next()
	}
	if c.keys() {
		if keys = n.next(); c.one {
			keys = "array[" + keys + "::text]"
		}
	}
	unmarked := "false"
	if c.joined {
		unmarked = "case when current_setting('crossfade.mark', true) <> '' then set_config('crossfade.mark', '', true) is null else false end"
	}
	captured := unmarked
	if c.mark != markNothing {
		mark := "array[" + migration + "::integer::text, '" + c.mark.String() + "', " + tenant + "::text]"
		if c.mark == markKeys {
			mark += " || " + keys
		}
		captured = "case when m.captured then set_config('crossfade.mark', (" + mark + ")::text, true) is not null else " + unmarked + " end"
	}
	columns := []string{"coalesce((select " + captured + " from crossfade.migrations m where " + where + "), " + otherwise + ")"}
	if c.look {
		columns = append(columns, "crossfade.stale_records("+migration+", "+tenant+", "+keys+", "+n.next()+")")
	}
	return selected(columns)
}
