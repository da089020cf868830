package flags

import "context"

// Wisher reads the stage that a team's own flag system asks for. [Wishes]
// makes one of any OpenFeature client. Only the control plane asks it, and
// walks towards the answer as far as the ladder allows: a wish decides nothing.
type Wisher interface {
	// Wish returns the stage that is wished for the tenant. An error means that
	// there is no wish: the tenant stays where it is.
	Wish(ctx context.Context, tenant string) (Stage, error)
}
