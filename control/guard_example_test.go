package control_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"iter"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// A guardrail is judged by a pure function over what the fleet measured.
func ExampleJudge() {
	rule := ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 1000}
	e := &control.Evidence{Policy: flags.Policy{Default: flags.Shadow}, At: time.Now()}
	e.Calls[flags.OldSide][control.Served][control.Reads].Calls = 20_000
	e.Calls[flags.NewSide][control.Compared][control.Reads].Calls = 999
	fmt.Println(control.Judge(rule, e).Verdict)
	e.Calls[flags.NewSide][control.Compared][control.Reads] = control.Series{Calls: 20_000, Failed: 400}
	f := control.Judge(rule, e)
	fmt.Println(f.Verdict)
	fmt.Println(f.Numbers)
	// Output:
	// inconclusive
	// violated
	// reads: 400 of 20000 failed on the new side and 0 of 20000 on the old side, a difference of 2% (threshold 1%)
}

// A receiver of a webhook checks the signature over the timestamp and the body.
func ExampleSignature() {
	secret, timestamp, body := []byte("secret"), "1767225600", []byte(`{"event":"guardrail-violated"}`)
	header := control.Signature(secret, timestamp, body) // as the message brings it
	fmt.Println(subtle.ConstantTimeCompare([]byte(header), []byte(control.Signature(secret, timestamp, body))) == 1)
	// Output: true
}

// An application runs a controller in its own process, and has it walk the
// tenants towards the stages that its flag system wishes.
func ExampleNewController() {
	run := func(ctx context.Context, store *ledger.Store, client *openfeature.Client, tenants func(context.Context) iter.Seq2[string, error]) error {
		controller, err := control.NewController(control.New(store, nil), &control.ControllerConfig{
			Wishes: []control.WishSource{{
				Migration: "customers-v2", Wisher: flags.Wishes(client, "customers-v2", nil), Tenants: tenants,
			}},
		})
		if err != nil {
			return err
		}
		return controller.Run(ctx)
	}
	_ = run
}
