package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
)

// child is main of the processes that the test starts. It returns an exit status.
func child(role string) int {
	var s settings
	err := json.Unmarshal([]byte(os.Getenv(envSettings)), &s)
	if err == nil {
		switch role {
		case roleMigrate:
			err = accounts.Migrate(context.Background(), s.DSN)
		case roleApplication:
			err = (&application{out: newOutput(), pins: map[int64]pin{}, holds: map[int64]chan struct{}{}}).run(s)
		case roleOperator:
			err = operate(s)
		default:
			err = fmt.Errorf("there is no role %q", role)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		return 1
	}
	return 0
}

// output writes lines of JSON.
type output struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func newOutput() *output { return &output{encoder: json.NewEncoder(os.Stdout)} }

func (o *output) say(r reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.encoder.Encode(r) // nobody listens any more: the input ends as well
}

// application is a process that does what it is asked for.
type application struct {
	out     *output
	process *accounts.Process

	mu    sync.Mutex
	pins  map[int64]pin
	holds map[int64]chan struct{}
}

type pin struct {
	ctx     context.Context //nolint:containedctx // of a user's request, which lasts over several lines
	release func()
}

// run returns when its input ends: the test is gone.
func (a *application) run(s settings) error {
	started := make(chan error, 1)
	requests := make(chan request)
	go func() {
		var err error
		a.process, err = accounts.StartProcess(context.Background(), accounts.ProcessConfig{
			Name: s.Name, DSN: s.DSN, LeaseTTL: s.Lease, NoWorker: s.NoWorker, Sink: accounts.Findings{Notice: func(r compare.Record) {
				if !s.Silent {
					a.out.say(reply{Finding: fmt.Sprintf("%+v", r)})
				}
			}},
		})
		a.out.say(reply{Ready: err == nil})
		started <- err
		for r := range requests {
			go a.serve(r)
		}
	}()
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		var r request
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if r.Go > 0 {
			close(a.hold(r.Go))
			continue
		}
		requests <- r
	}
	select {
	case err := <-started:
		return err
	default:
		return nil
	}
}

func (a *application) hold(op int64) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.holds[op] == nil {
		a.holds[op] = make(chan struct{})
	}
	return a.holds[op]
}

func (a *application) serve(r request) {
	t := &accounts.Turn{
		Session: a.process.Session, Op: r.Op, Tenant: r.Tenant, Keys: r.Keys, Made: r.Made, Outside: r.Outside,
		Random: rand.New(rand.NewPCG(r.Seed, uint64(r.Op))), //nolint:gosec // not a secret
	}
	stage := a.process.Stage(r.Tenant)
	ctx, cancel := a.context(r)
	if o, ok := accounts.Operations.Named(r.What); ok {
		o.Run(ctx, t)
	} else {
		err := a.process.Accounts.Delete(ctx, r.Tenant, accounts.Write{Account: accounts.Account{ID: r.Key}})
		if err != nil && !errors.Is(err, accounts.ErrNone) {
			t.Outcome, t.Err = accounts.Failed, err.Error()
		}
	}
	cancel()
	a.out.say(reply{Answer: &answer{Op: r.Op, Stage: stage, Answer: t.Answer}})
}

// context is the one of a request, with everything that is to go wrong in it.
func (a *application) context(r request) (context.Context, context.CancelFunc) {
	ctx, cancel := a.pinned(r)
	if r.Hold || r.Stay > 0 {
		d := accounts.Delay{Stay: r.Stay}
		if r.Hold {
			d.Between = func(context.Context) {
				proceed := a.hold(r.Op)
				a.out.say(reply{Holding: r.Op})
				<-proceed
			}
		}
		ctx = accounts.WithDelay(ctx, d)
	}
	if r.Fault != nil {
		side := a.process.Authority(r.Tenant)
		if !r.Fault.Authority {
			side = side.Other()
		}
		ctx = accounts.WithFault(ctx, accounts.Fault{Side: side, Kind: r.Fault.Kind})
	}
	if r.Timeout == 0 {
		return ctx, cancel
	}
	ctx, stop := context.WithTimeout(ctx, r.Timeout)
	return ctx, func() {
		stop()
		cancel()
	}
}

func (a *application) pinned(r request) (context.Context, func()) {
	if r.Pin == 0 {
		return context.Background(), func() {}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.pins[r.Pin]
	if !ok {
		p.ctx, p.release = flags.Pin(context.Background(), 0)
		a.pins[r.Pin] = p
	}
	if !r.Last {
		return p.ctx, func() {}
	}
	delete(a.pins, r.Pin)
	return p.ctx, p.release
}

// operate walks the ladder until its input ends.
func operate(s settings) error {
	pool, err := accounts.Open(s.DSN, "operator "+s.Name, 4)
	if err != nil {
		return err
	}
	out := newOutput()
	o := accounts.NewOperator(pool, rand.New(rand.NewPCG(s.Seed, 1))) //nolint:gosec // not a secret
	if len(s.Targets) > 0 {
		o.Targets = s.Targets
	}
	o.Stepped = func(up bool) { out.say(reply{Step: map[bool]string{true: "up", false: "down"}[up]}) }
	go o.Run(context.Background())
	out.say(reply{Ready: true})
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		continue
	}
	return nil
}
