package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// actorVariable names who changes things where --actor does not.
const actorVariable = "CROSSFADE_ACTOR"

// actorFlags say who changes something, and why: both go into the history.
type actorFlags struct{ actor, reason string }

func (f *actorFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.actor, "actor", "", "who asks for this, for the history (default $"+actorVariable+", or $USER@host)")
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the history")
}

// who returns the actor, which must not be empty.
func (a *app) who(f *actorFlags) (string, error) {
	for _, name := range []string{f.actor, a.env(actorVariable)} {
		if name = strings.TrimSpace(name); name != "" {
			return name, nil
		}
	}
	user := a.env("USER")
	if user == "" {
		user = a.env("LOGNAME")
	}
	host, err := a.host()
	if user == "" || err != nil || host == "" {
		return "", usagef("say who asks for this: --actor or %s (USER is not set)", actorVariable)
	}
	return user + "@" + host, nil
}
