package people

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/repo/postgres"
)

// SQL is People over one table, whatever its columns for the name are.
type SQL struct {
	DB    postgres.DBTX
	Table string
	// Name is the name, in SQL, and Columns are where it is kept.
	Name, Columns string
	// Split returns the columns' values for a parameter such as $1::text.
	Split func(parameter string) string
	// Order sorts lists. Empty means by id.
	Order string
}

func (s *SQL) columns() string {
	return "tenant, id, " + s.Name + ", nickname, born, tags, visits, mood::text"
}

func scan(row pgx.CollectableRow) (p Person, err error) {
	err = row.Scan(&p.Tenant, &p.ID, &p.Name, &p.Nickname, &p.Born, &p.Tags, &p.Visits, &p.Mood)
	return p, err
}

func (s *SQL) order() string {
	if s.Order != "" {
		return " order by " + s.Order
	}
	return " order by id"
}

func (s *SQL) one(ctx context.Context, sql string, args ...any) (Person, error) {
	rows, err := s.DB.Query(ctx, sql, args...)
	if err != nil {
		return Person{}, err
	}
	p, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrNotFound
	}
	return p, err
}

func (s *SQL) many(ctx context.Context, sql string, args ...any) ([]Person, error) {
	rows, err := s.DB.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func (s *SQL) change(ctx context.Context, sql string, args ...any) error {
	tag, err := s.DB.Exec(ctx, sql, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return err
}

// Get implements People.
func (s *SQL) Get(ctx context.Context, tenant string, id int64) (Person, error) {
	return s.one(ctx, "select "+s.columns()+" from "+s.Table+" where tenant = $1 and id = $2", tenant, id)
}

// Find implements People.
func (s *SQL) Find(ctx context.Context, tenant string, ids ...int64) ([]Person, error) {
	return s.many(ctx, "select "+s.columns()+" from "+s.Table+" where tenant = $1 and id = any($2) order by id", tenant, ids)
}

// Lock implements People.
func (s *SQL) Lock(ctx context.Context, tenant string, id int64) (Person, error) {
	return s.one(ctx, "select "+s.columns()+" from "+s.Table+" where tenant = $1 and id = $2 for update", tenant, id)
}

// List implements People.
func (s *SQL) List(ctx context.Context, tenant, prefix string, limit int) ([]Person, int, error) {
	where := " from " + s.Table + " where tenant = $1 and starts_with(" + s.Name + ", $2)"
	var total int
	if err := s.DB.QueryRow(ctx, "select count(*)"+where, tenant, prefix).Scan(&total); err != nil {
		return nil, 0, err
	}
	found, err := s.many(ctx, "select "+s.columns()+where+s.order()+" limit $3", tenant, prefix, limit)
	return found, total, err
}

// All implements People.
func (s *SQL) All(ctx context.Context, tenant string) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		all, err := s.many(ctx, "select "+s.columns()+" from "+s.Table+" where tenant = $1 order by id", tenant)
		if err != nil {
			yield(Person{}, err)
			return
		}
		for _, p := range all {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// Each implements People.
func (s *SQL) Each(ctx context.Context, tenant string, each func(Person) error) error {
	for p, err := range s.All(ctx, tenant) {
		if err == nil {
			err = each(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Add implements People.
func (s *SQL) Add(ctx context.Context, p Person) (Person, error) {
	return s.one(ctx, "insert into "+s.Table+" (tenant, nickname, born, tags, visits, mood, "+s.Columns+
		") values ($1, $2, $3, $4, $5, $6, "+s.Split("$7::text")+") returning "+s.columns(),
		p.Tenant, p.Nickname, p.Born, tags(p.Tags), p.Visits, p.Mood, p.Name)
}

func tags(tags []string) []string {
	if tags == nil {
		return []string{}
	}
	return tags
}

// Save implements People.
func (s *SQL) Save(ctx context.Context, p Person) error {
	_, err := s.DB.Exec(ctx, "insert into "+s.Table+" (tenant, id, nickname, born, tags, visits, mood, "+s.Columns+
		") values ($1, $2, $3, $4, $5, $6, $7, "+s.Split("$8::text")+") on conflict (tenant, id) do update set (nickname, born, tags, visits, mood, "+
		s.Columns+") = row($3, $4, $5, $6, $7, "+s.Split("$8::text")+")",
		p.Tenant, p.ID, p.Nickname, p.Born, tags(p.Tags), p.Visits, p.Mood, p.Name)
	return err
}

// Visit implements People.
func (s *SQL) Visit(ctx context.Context, tenant string, id int64) (visits int64, err error) {
	err = s.DB.QueryRow(ctx, "update "+s.Table+" set visits = visits + 1 where tenant = $1 and id = $2 returning visits", tenant, id).Scan(&visits)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrNotFound
	}
	return visits, err
}

// Rename implements People.
func (s *SQL) Rename(ctx context.Context, tenant string, id int64, name string) error {
	return s.change(ctx, "update "+s.Table+" set ("+s.Columns+") = row("+s.Split("$3::text")+") where tenant = $1 and id = $2", tenant, id, name)
}

// Delete implements People.
func (s *SQL) Delete(ctx context.Context, tenant string, id int64) error {
	return s.change(ctx, "delete from "+s.Table+" where tenant = $1 and id = $2", tenant, id)
}

// Keys implements People.
func (s *SQL) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	rows, err := s.DB.Query(ctx, "select id from "+s.Table+" where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3", tenant, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
