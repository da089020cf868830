package gormtx

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Opener makes *gorm.DB sessions on handles. It holds no connection and needs
// no closing. It may be used by any number of goroutines.
type Opener struct{ template *gorm.DB }

// New returns an Opener whose sessions share the template's naming strategy,
// logger, callbacks, plugins, settings and conditions. The template's own
// connections are not used, so that the application's *gorm.DB will do; one
// without connections is made by [Dialector].
//
// A nil template means GORM's defaults, but for two: errors are translated
// (TranslateError), and nothing is logged, as a log would show values.
//
// A template of another dialect than PostgreSQL's, or one with an error, is an
// error.
func New(template *gorm.DB) (*Opener, error) {
	if template == nil {
		var err error
		template, err = gorm.Open(Dialector(), &gorm.Config{TranslateError: true, Logger: logger.Discard})
		if err != nil {
			return nil, fmt.Errorf("gormtx.New: make the default template: %w", err)
		}
	}
	switch {
	case template.Config == nil || template.Statement == nil || template.Dialector == nil:
		return nil, errors.New("gormtx.New: the template is not open: make it with gorm.Open")
	case template.Error != nil:
		return nil, fmt.Errorf("gormtx.New: the template has an error: %w", template.Error)
	case template.Name() != "postgres":
		return nil, fmt.Errorf("gormtx.New: the template is one for %s: use gorm.io/driver/postgres", template.Name())
	}
	// A copy of its own: conditions that the caller chains later stay out.
	return &Opener{template: template.Session(&gorm.Session{Context: template.Statement.Context})}, nil
}

// Dialector returns GORM's dialector for PostgreSQL without any connection, to
// make a template for [New] from:
//
//	template, err := gorm.Open(gormtx.Dialector(), &gorm.Config{NamingStrategy: naming})
//
// Statements on the template itself fail with [ErrUnbound].
func Dialector() gorm.Dialector {
	return gormpostgres.New(gormpostgres.Config{Conn: unbound{}})
}

// DB returns a session on the handle. It is cheap (no connection, no statement,
// no goroutine) and lives as long as the handle; like the handle of a
// transaction it is not for concurrent use, while one on a pool is. Statements
// run with the ctx of WithContext, as ever.
//
// On a pool (anything that has pgx's BeginTx) transactions are real ones. On
// everything else, and on a connection that is in a transaction, they are
// savepoints. With a nil handle the session carries an error.
func (o *Opener) DB(db postgres.DBTX) *gorm.DB {
	pool, joined := poolOn(db)
	session := o.template.Session(&gorm.Session{
		Context:                o.template.Statement.Context, // also makes the statement the session's own
		SkipDefaultTransaction: joined,
	})
	session.ConnPool = pool
	session.PrepareStmt = false
	session.Statement.ConnPool = pool
	if db == nil {
		_ = session.AddError(errors.New("gormtx: Opener.DB was given a nil handle"))
	}
	return session
}

// beginner is a handle that opens transactions: a pool or a connection.
type beginner interface {
	postgres.DBTX
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// poolOn returns what a session on the handle runs on, and whether it joins a
// transaction in progress.
func poolOn(db postgres.DBTX) (pool gorm.ConnPool, joined bool) {
	b, ok := db.(beginner)
	if !ok || inTransaction(db) {
		return &transaction{statements: statements{q: db, inTx: true}}, true
	}
	return &starter{statements: statements{q: b}, begin: b}, false
}

func inTransaction(db postgres.DBTX) bool {
	conn, ok := db.(*pgx.Conn)
	if of, has := db.(interface{ Conn() *pgx.Conn }); has {
		conn, ok = of.Conn(), true
	}
	return ok && conn != nil && conn.PgConn().TxStatus() != 'I'
}
