package oracle

import (
	"encoding/json"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
)

// State is a customer's value, or its absence: the zero State. Equal states are equal Go values.
type State struct {
	Exists    bool   `json:"exists,omitempty"`
	FullName  string `json:"full_name,omitempty"`
	Email     string `json:"email,omitempty"`
	Address   string `json:"address,omitempty"` // as JSON; empty where none is known
	Cents     int64  `json:"cents,omitempty"`
	UpdatedAt int64  `json:"updated_at,omitempty"` // microseconds since 1970
}

// StateOf returns the state of a customer that exists.
func StateOf(c customers.Customer) State {
	s := State{
		Exists: true, FullName: c.FullName, Email: c.Email, Cents: c.BalanceCents, UpdatedAt: c.UpdatedAt.UnixMicro(),
	}
	if c.Address != nil {
		text, err := json.Marshal(c.Address)
		if err != nil {
			panic("oracle: an address of texts has no JSON: " + err.Error())
		}
		s.Address = string(text)
	}
	return s
}

// Kind is what an operation does to a customer.
type Kind string

// The kinds of operations. All but Save and Read find the customer absent if it is.
const (
	Save    Kind = "save"    // makes or replaces all of it
	Replace Kind = "replace" // reads it under a lock and replaces all but the balance
	Email   Kind = "email"   // changes the email address
	Add     Kind = "add"     // adds to the balance
	Delete  Kind = "delete"
	Read    Kind = "read"
	List    Kind = "list" // of a page of customers: counted, not judged
)

// Change is what an operation means to write. Which fields count is the kind's.
type Change struct {
	Set   State `json:"set,omitzero"`
	Cents int64 `json:"cents,omitempty"` // what Add adds
}

// apply returns the state after the change, and whether the customer was there to be changed.
func (k Kind) apply(s State, c Change) (after State, found bool) {
	switch {
	case k == Save:
		return c.Set, true
	case k == Read || !s.Exists:
		return s, s.Exists
	case k == Delete:
		return State{}, true
	case k == Replace:
		c.Set.Exists, c.Set.Cents = true, s.Cents
		return c.Set, true
	case k == Email:
		s.Email = c.Set.Email
	case k == Add:
		s.Cents += c.Cents
	}
	s.UpdatedAt = c.Set.UpdatedAt
	return s, true
}
