package control

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/crossfade-db/crossfade/ledger"
)

// The headers of a message to a webhook. The signature is the hexadecimal
// HMAC-SHA256, under the secret, of the timestamp, a dot and the body; compare
// it in constant time, and refuse timestamps that are minutes old. The key is
// the same each time that one message is sent.
const (
	TimestampHeader = "Crossfade-Timestamp"
	SignatureHeader = "Crossfade-Signature"
	KeyHeader       = "Idempotency-Key"
)

// Signature returns what the signature header of a message holds: "v1=" and
// the signature. timestamp is the text of the timestamp header.
func Signature(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(timestamp + ".")) // hash.Hash never returns an error
	_, _ = mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// maxAttempts is how often a message is sent before it is given up: with the
// waits between, for about three hours.
const maxAttempts = 16

// againAfter is how long to wait after a number of failed attempts.
func againAfter(attempts int) time.Duration {
	return min(time.Second<<min(attempts, 20), 30*time.Minute)
}

// deliverFor bounds the sending in one tick: what is left is sent in the next.
const deliverFor = 20 * time.Second

// deliver sends the messages whose time has come.
func (c *Controller) deliver(ctx context.Context, d ledger.Duty) error {
	due, err := c.store.DueWebhooks(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, 0, len(due))
	began := time.Now()
	for _, w := range due {
		if time.Since(began) > deliverFor {
			break
		}
		state, problem := ledger.WebhookDelivered, ""
		if err := c.send(ctx, w); err != nil {
			state, problem = ledger.WebhookWaiting, err.Error()
			if w.Attempts+1 >= maxAttempts {
				state = ledger.WebhookGivenUp
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, c.store.WebhookTried(ctx, d, w.ID, state, problem, againAfter(w.Attempts)))
	}
	return errors.Join(append(errs, c.store.PruneWebhooks(ctx))...)
}

// send posts one message. Its errors hold neither the URL, which may carry a
// token, nor the secret.
func (c *Controller) send(ctx context.Context, w ledger.Webhook) error {
	secret := c.cfg.Env(w.SecretEnv)
	if secret == "" {
		return fmt.Errorf("the variable %s, which holds the secret, is not set in the controller's environment", w.SecretEnv)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader([]byte(w.Body)))
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(TimestampHeader, timestamp)
	request.Header.Set(SignatureHeader, Signature([]byte(secret), timestamp, []byte(w.Body)))
	request.Header.Set(KeyHeader, w.Key)
	response, err := c.cfg.HTTP.Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the answer was %d", response.StatusCode)
	}
	return nil
}
