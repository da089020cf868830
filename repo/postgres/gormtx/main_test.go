package gormtx_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, migrate)) }

func migrate(ctx context.Context, dsn string) error {
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, tables); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	return nil
}

const tables = `
create table authors (
	id bigserial primary key,
	name text not null unique,
	rating double precision check (rating >= 0),
	created_at timestamptz not null default now(),
	deleted_at timestamptz);
create table books (
	id bigserial primary key,
	author_id bigint not null references authors,
	title text not null);
create table notes_v1 (tenant text, id text, text text not null, primary key (tenant, id));
create table notes_v2 (tenant text, id text, text text not null, primary key (tenant, id));
create table tags (name text primary key);
create table book_tags (book_id bigint references books, tag_name text references tags, primary key (book_id, tag_name));
create type mood as enum ('glad', 'sad');
create domain cents as bigint;
create table things (
	id uuid primary key,
	flag boolean, small smallint, num integer, big bigint,
	f4 real, f8 double precision, amount numeric(30, 10), free numeric, price cents,
	label text, short varchar(20), fixed char(6), feeling mood,
	raw bytea, doc jsonb, plain json, markup xml,
	born date, at timestamptz, local timestamp, clock time, span interval,
	ints bigint[], names text[], ids uuid[], address inet, number oid);`
