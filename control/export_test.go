package control

import "github.com/crossfade-db/crossfade/flags"

// StandingOf is what a policy would say to hold.
func StandingOf(state *State, next flags.Policy) (flags.Standing, error) {
	return standing(state, next)
}

// DueOf is what the keeper would publish, and whose capture it would switch.
func DueOf(state *State) (flags.Standing, []flags.Side, error) {
	d, err := keeping(state)
	return d.standing, d.switches, err
}
