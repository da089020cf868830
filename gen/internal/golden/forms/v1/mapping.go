package v1

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/gen/internal/golden/forms"
	"github.com/crossfade-db/crossfade/gen/internal/golden/forms/money"
	"github.com/crossfade-db/crossfade/gen/internal/golden/forms/v1/queries"
)

type mapping struct{}

func (mapping) ArticleFromRow(row queries.FormsV1Article) (status forms.Status, note *string, price int64, author forms.Author, written time.Time, err error) {
	if row.Note.Valid {
		note = &row.Note.String
	}
	price, err = money.Cents(row.Price)
	return forms.Status(row.Status), note, price, forms.Author{Name: row.AuthorName, Email: row.AuthorEmail}, row.Written.Time, err
}

func (mapping) SaveParams(a forms.Article) (status queries.FormsV1Status, note pgtype.Text, price pgtype.Numeric, authorName, authorEmail string, written pgtype.Timestamptz, err error) {
	if a.Note != nil {
		note = pgtype.Text{String: *a.Note, Valid: true}
	}
	return queries.FormsV1Status(a.Status), note, money.Numeric(a.Price), a.Author.Name, a.Author.Email, pgtype.Timestamptz{Time: a.Written, Valid: true}, nil
}

func (mapping) ArchiveParams(_ string, before time.Time) (beforeValue pgtype.Timestamptz, err error) {
	return pgtype.Timestamptz{Time: before, Valid: true}, nil
}

func (mapping) KeysParams(_ string, after *int64, _ int) (afterValue pgtype.Int8, err error) {
	if after == nil {
		return pgtype.Int8{}, nil
	}
	return pgtype.Int8{Int64: *after, Valid: true}, nil
}
