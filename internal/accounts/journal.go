package accounts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Line is an entry of the journal: a write of one side, whose transaction was
// committed.
type Line struct {
	Op      int64
	Side    string
	Kind    int
	ID      int64
	Name    string
	Balance int64
}

// TakeJournal empties the journal, and returns what was in it by operation.
func TakeJournal(ctx context.Context, pool *pgxpool.Pool) (map[int64][]Line, error) {
	lines := map[int64][]Line{}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		clear(lines)
		rows, err := tx.Query(ctx, `with gone as (delete from journal returning *)
			select op, side, kind, id, name, balance from gone order by n`)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Line])
		for _, l := range all {
			lines[l.Op] = append(lines[l.Op], l)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take the journal: %w", err)
	}
	return lines, nil
}

// Resolve holds every outcome against the journal, which each write is in
// exactly when its transaction was committed, and returns what is wrong.
// Operations of unknown outcome that are not there become failed ones.
func (h *History) Resolve(journal map[int64][]Line) (wrong []string) {
	for _, e := range h.Events {
		found := journal[e.Op]
		if e.Lost && len(found) > 0 {
			e.Acts = actsOf(found)
		}
		switch {
		case e.Maybe && len(found) == 0:
			e.Acts = nil
		case e.Outcome == Unknown && len(found) == 0:
			e.Outcome = Failed
		case e.Outcome == Failed && len(found) > 0:
			wrong = append(wrong, fmt.Sprintf("an operation whose caller was given an error took effect: %s", e))
		case e.Outcome == Happened && e.Writes() && len(found) == 0:
			wrong = append(wrong, fmt.Sprintf("an acknowledged write was never committed: %s", e))
		}
		writes, written := 0, map[string]int{}
		for _, a := range e.Acts {
			if a.writes() {
				writes++
			}
		}
		for _, l := range found {
			if written[l.Side]++; e.Outcome != Failed && written[l.Side] == writes+1 {
				wrong = append(wrong, fmt.Sprintf("an operation was committed twice on the %s side: %s", l.Side, e))
			}
		}
	}
	return wrong
}

// actsOf returns the writes of a committed operation. The side without
// authority may lack some of them, the other one has all.
func actsOf(lines []Line) []Act {
	bySide := map[string][]Act{}
	var most []Act
	for _, l := range lines {
		a := Act{Kind: ActKind(l.Kind), Key: l.ID}
		switch a.Kind {
		case ActRename:
			a.Row.Name = l.Name
		case ActAdd, ActAddAll:
			a.Row.Balance = l.Balance
		case ActDelete:
		default:
			a.Row = Row{There: true, Name: l.Name, Balance: l.Balance}
		}
		bySide[l.Side] = append(bySide[l.Side], a)
		if len(bySide[l.Side]) > len(most) {
			most = bySide[l.Side]
		}
	}
	return most
}
