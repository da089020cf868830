package peers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldmigration"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	ldclient "github.com/launchdarkly/go-server-sdk/v7"
	"github.com/launchdarkly/go-server-sdk/v7/ldcomponents"
	"github.com/launchdarkly/go-server-sdk/v7/testhelpers/ldtestdata"

	"github.com/crossfade-db/crossfade/flags"
)

// startTimeout bounds the start of LaunchDarkly's client, which reads its flags from memory.
const startTimeout = 10 * time.Second

// migrationFlag is the key of the one flag.
const migrationFlag = "customers-v2"

// stages are LaunchDarkly's names of the rungs.
var stages = map[flags.Stage]ldmigration.Stage{
	flags.Old: ldmigration.Off, flags.Dual: ldmigration.DualWrite, flags.Shadow: ldmigration.Shadow,
	flags.Live: ldmigration.Live, flags.RampDown: ldmigration.RampDown, flags.New: ldmigration.Complete,
}

// LaunchDarkly is a client of github.com/launchdarkly/go-server-sdk/v7 that stands at one stage. It reads its flag from
// ldtestdata and sends no events, so that it needs no network; a real one would also record an event for each
// operation.
type LaunchDarkly struct {
	client     *ldclient.LDClient
	consistent atomic.Int64
	differing  atomic.Int64
}

// NewLaunchDarkly starts a client whose migration flag has everybody at the stage. Close ends it.
func NewLaunchDarkly(stage flags.Stage) (*LaunchDarkly, error) {
	name, ok := stages[stage]
	if !ok {
		return nil, fmt.Errorf("start LaunchDarkly's client: no stage of its own for %s", stage)
	}
	data := ldtestdata.DataSource()
	data.Update(data.Flag(migrationFlag).ValueForAll(ldvalue.String(string(name))))
	client, err := ldclient.MakeCustomClient("no-sdk-key", ldclient.Config{
		DataSource:       data,
		Events:           ldcomponents.NoEvents(),
		DiagnosticOptOut: true,
		Logging:          ldcomponents.NoLogging(),
	}, startTimeout)
	if err != nil {
		if client != nil {
			err = errors.Join(err, client.Close())
		}
		return nil, fmt.Errorf("start LaunchDarkly's client: %w", err)
	}
	return &LaunchDarkly{client: client}, nil
}

// Close stops the client.
func (l *LaunchDarkly) Close() error {
	if err := l.client.Close(); err != nil {
		return fmt.Errorf("close LaunchDarkly's client: %w", err)
	}
	return nil
}

// Consistency returns how many comparisons found both sides equal, and how many did not.
func (l *LaunchDarkly) Consistency() (equal, differing int64) {
	return l.consistent.Load(), l.differing.Load()
}

// payload is what the migrator hands to both functions: it knows no context of Go's.
type payload struct {
	ctx context.Context //nolint:containedctx // the migrator has no other way
	i   int
}

var errNoPayload = errors.New("the migrator was not given a payload of this package")

// LaunchDarklyRead reads through the migrator for the tenant. Both results are compared by same, every time: the flag has
// no check ratio. Both sides are read at once if parallel, which is the migrator's default and pays where the network
// takes longer than a switch between goroutines; one after the other if not.
func LaunchDarklyRead[T any](l *LaunchDarkly, tenant string, parallel bool, before, after Read[T], same func(a, b T) bool) (Variant, error) {
	order := ldmigration.Serial
	if parallel {
		order = ldmigration.Concurrent
	}
	compare := ldclient.MigrationComparisonFn(func(a, b any) bool {
		x, okX := a.(T)
		y, okY := b.(T)
		equal := okX && okY && same(x, y)
		if equal {
			l.consistent.Add(1)
		} else {
			l.differing.Add(1)
		}
		return equal
	})
	unused := func(any) (any, error) { return nil, errors.New("this migrator only reads") }
	migrator, err := ldclient.Migration(l.client).
		Read(reading(before), reading(after), &compare).
		Write(unused, unused).
		ReadExecutionOrder(order).
		Build()
	if err != nil {
		return nil, fmt.Errorf("build LaunchDarkly's migrator: %w", err)
	}
	return func(ctx context.Context, i int) error {
		result := migrator.Read(migrationFlag, ldcontext.New(tenant), ldmigration.Off, payload{ctx: ctx, i: i})
		if err := result.GetError(); err != nil {
			return err
		}
		if _, ok := result.GetResult().(T); !ok {
			return fmt.Errorf("LaunchDarkly's migrator returned a %T", result.GetResult())
		}
		return nil
	}, nil
}

func reading[T any](read Read[T]) ldclient.MigrationImplFn {
	return func(p any) (any, error) {
		call, ok := p.(payload)
		if !ok {
			return nil, errNoPayload
		}
		return read(call.ctx, call.i)
	}
}

// LaunchDarklyWrite writes through the migrator for the tenant: at a stage that writes both sides, first the side with
// authority and then the other one, each in a transaction of its own. An error of either side is the operation's.
func LaunchDarklyWrite(l *LaunchDarkly, tenant string, before, after Write) (Variant, error) {
	unused := func(any) (any, error) { return nil, errors.New("this migrator only writes") }
	migrator, err := ldclient.Migration(l.client).
		Read(unused, unused, nil).
		Write(writing(before), writing(after)).
		Build()
	if err != nil {
		return nil, fmt.Errorf("build LaunchDarkly's migrator: %w", err)
	}
	return func(ctx context.Context, i int) error {
		result := migrator.Write(migrationFlag, ldcontext.New(tenant), ldmigration.Off, payload{ctx: ctx, i: i})
		authority, other := result.GetAuthoritativeResult(), result.GetNonAuthoritativeResult()
		if err := authority.GetError(); err != nil || other == nil {
			return err
		}
		return other.GetError()
	}, nil
}

func writing(write Write) ldclient.MigrationImplFn {
	return func(p any) (any, error) {
		call, ok := p.(payload)
		if !ok {
			return nil, errNoPayload
		}
		return struct{}{}, write(call.ctx, call.i)
	}
}
