package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// databases knows the databases that this server's user created. The zero value is ready to use.
type databases struct {
	mu      sync.Mutex
	prefix  string            // put before names on a given server, where they must be unique
	created map[string]string // name as asked for → name on the server
	number  int
}

// add returns the name on the server for a new database. An empty name draws one.
func (d *databases) add(name string) (asked, real string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name == "" {
		d.number++
		name = fmt.Sprintf("test_%d", d.number)
	}
	if d.created == nil {
		d.created = map[string]string{}
	}
	if _, taken := d.created[name]; taken {
		return "", "", fmt.Errorf("database %s was created already", name)
	}
	d.created[name] = d.prefix + name
	return name, d.prefix + name, nil
}

// real returns the name on the server; a name that is none of ours, such as template0, stands for itself.
func (d *databases) real(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if real, ok := d.created[name]; ok {
		return real
	}
	return name
}

func (d *databases) ours(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.created[name]
	return ok
}

func (d *databases) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.created, name)
}

func (d *databases) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.created))
}

// CreateDatabase creates a database and returns its DSN. An empty name draws one; an empty template means PostgreSQL's
// own. On a given server the database gets a prefix of this run's, so that names cannot meet those of others; template
// and DropDatabase take the name without it. The database goes with the server.
func (s *Server) CreateDatabase(ctx context.Context, name, template string) (dsn string, err error) {
	_, dsn, err = s.create(ctx, name, template)
	return dsn, err
}

func (s *Server) create(ctx context.Context, name, template string) (asked, dsn string, err error) {
	asked, real, err := s.databases.add(name)
	if err != nil {
		return "", "", err
	}
	statement := "create database " + quote(real)
	if template != "" {
		statement += " template " + quote(s.databases.real(template))
	}
	if err := s.maintain(ctx, statement); err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) { // otherwise it may exist, and stays known
			s.databases.forget(asked)
		}
		return "", "", fmt.Errorf("create database %s: %w", real, err)
	}
	dsn, err = withDatabase(s.url, real)
	return asked, dsn, err
}

// DropDatabase drops a database that CreateDatabase made, ending the sessions in it. A name that it did not make is an
// error, and nothing is dropped.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	if !s.databases.ours(name) {
		return fmt.Errorf("drop database %s: it was not created here", name)
	}
	real := s.databases.real(name)
	if err := s.maintain(ctx, "drop database if exists "+quote(real)+" with (force)"); err != nil {
		return fmt.Errorf("drop database %s: %w", real, err)
	}
	s.databases.forget(name)
	return nil
}

// maintain runs one statement in the maintenance database. A template that somebody is just leaving is tried again.
func (s *Server) maintain(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const tries = 5
	for try := 1; ; try++ {
		_, err = conn.Exec(ctx, statement)
		var inUse *pgconn.PgError
		if err == nil || try == tries || !errors.As(err, &inUse) || inUse.Code != "55006" { // object_in_use
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// withDatabase returns dsn with another database, in either form that PostgreSQL knows.
func withDatabase(dsn, database string) (string, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(database)
		return dsn + " dbname='" + value + "'", nil // the last one counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("the URL is malformed") // err would show the password
	}
	u.Path, u.RawPath = "/"+database, ""
	query := u.Query()
	query.Del("dbname")
	query.Del("database")
	u.RawQuery = query.Encode()
	return u.String(), nil
}
