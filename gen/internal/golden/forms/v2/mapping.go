package v2

import (
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/gen/internal/golden/forms"
	"github.com/crossfade-db/crossfade/gen/internal/golden/forms/money"
	"github.com/crossfade-db/crossfade/gen/internal/golden/forms/v2/queries"
)

type mapping struct{}

func (mapping) ArticleFromRow(row queries.GetArticleRow) (status forms.Status, price int64, err error) {
	price, err = money.Cents(row.Article.Price)
	return forms.Status(row.Article.Status), price, err
}

func (mapping) SaveParams(a forms.Article) (status queries.FormsV2Status, price pgtype.Numeric, authorName, authorEmail string, err error) {
	return queries.FormsV2Status(a.Status), money.Numeric(a.Price), a.Author.Name, a.Author.Email, nil
}

func (m mapping) SaveAllParams(_ string, a forms.Article) (status queries.FormsV2Status, price pgtype.Numeric, authorName, authorEmail string, err error) {
	return m.SaveParams(a)
}

// ImportParams takes the first author: the statement of an import cannot look for one.
func (mapping) ImportParams(_ string, a forms.Article) (status queries.FormsV2Status, price pgtype.Numeric, authorID int64, err error) {
	return queries.FormsV2Status(a.Status), money.Numeric(a.Price), 1, nil
}
