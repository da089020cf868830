package repo

import (
	"context"
	"fmt"

	"github.com/crossfade-db/crossfade/compare"
)

// Diff is one difference between the sides.
type Diff = compare.Diff

// CopyBy is the [Copier] of an entity with key type K and value type T, from
// methods of its repository. Generated code fills it in.
type CopyBy[R, K, T any] struct {
	// KeyText returns the canonical text of a key: equal keys have equal text
	// on both sides, and ParseKey reads it back.
	KeyText  func(K) string
	ParseKey func(string) (K, error)
	// KeyOf returns the key of a value. Without it, lists are never mixed under
	// a share of keys.
	KeyOf func(T) K
	// Get returns the value, or an error for which IsNotFound holds.
	Get func(ctx context.Context, side R, tenant string, key K) (T, error)
	// Put inserts the value or replaces all of it.
	Put func(ctx context.Context, side R, tenant string, value T) error
	// Delete removes the key; an absent one is nil or an error for which IsNotFound holds.
	Delete func(ctx context.Context, side R, tenant string, key K) error
	// KeysAfter returns up to limit keys in the side's own order, those behind
	// after; nil means from the start.
	KeysAfter func(ctx context.Context, side R, tenant string, after *K, limit int) ([]K, error)
	// IsNotFound reports whether an error says that the key is absent.
	IsNotFound func(error) bool
	Compare    compare.Func[T]
}

// Copy implements [Copier].
func (c CopyBy[R, K, T]) Copy(ctx context.Context, from, to R, tenant, text string) error {
	key, err := c.ParseKey(text)
	if err != nil {
		return fmt.Errorf("copy: read the key back: %w", err)
	}
	value, found, err := c.get(ctx, from, tenant, key)
	if err != nil {
		return fmt.Errorf("copy: read the source: %w", err)
	}
	if found {
		if err := c.Put(ctx, to, tenant, value); err != nil {
			return fmt.Errorf("copy: write the target: %w", err)
		}
		return nil
	}
	if err := c.Delete(ctx, to, tenant, key); err != nil && !c.IsNotFound(err) {
		return fmt.Errorf("copy: delete from the target: %w", err)
	}
	return nil
}

// Has implements [Copier].
func (c CopyBy[R, K, T]) Has(ctx context.Context, side R, tenant, text string) (bool, error) {
	key, err := c.ParseKey(text)
	if err != nil {
		return false, fmt.Errorf("look for a key: read it back: %w", err)
	}
	_, found, err := c.get(ctx, side, tenant, key)
	return found, err
}

// Keys implements [Copier].
func (c CopyBy[R, K, T]) Keys(ctx context.Context, side R, tenant, after string, limit int) ([]string, error) {
	var from *K
	if after != "" {
		key, err := c.ParseKey(after)
		if err != nil {
			return nil, fmt.Errorf("walk keys: read the cursor back: %w", err)
		}
		from = &key
	}
	keys, err := c.KeysAfter(ctx, side, tenant, from, limit)
	if err != nil {
		return nil, fmt.Errorf("walk keys: %w", err)
	}
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = c.KeyText(key)
	}
	return texts, nil
}

// Diff implements [Copier].
func (c CopyBy[R, K, T]) Diff(ctx context.Context, oldSide, newSide R, tenant, text string) ([]Diff, error) {
	key, err := c.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("compare a key: read it back: %w", err)
	}
	before, inOld, err := c.get(ctx, oldSide, tenant, key)
	if err != nil {
		return nil, fmt.Errorf("compare a key: read the old side: %w", err)
	}
	after, inNew, err := c.get(ctx, newSide, tenant, key)
	if err != nil {
		return nil, fmt.Errorf("compare a key: read the new side: %w", err)
	}
	switch {
	case inOld && inNew:
		return c.Compare(before, after), nil
	case inOld:
		return []Diff{{Kind: compare.KindMissing}}, nil
	case inNew:
		return []Diff{{Kind: compare.KindExtra}}, nil
	}
	return nil, nil
}

func (c CopyBy[R, K, T]) get(ctx context.Context, side R, tenant string, key K) (T, bool, error) {
	value, err := c.Get(ctx, side, tenant, key)
	switch {
	case err == nil:
		return value, true, nil
	case c.IsNotFound(err):
		var none T
		return none, false, nil
	}
	var none T
	return none, false, err
}

// NotFound implements [Copier].
func (c CopyBy[R, K, T]) NotFound(err error) bool { return c.IsNotFound(err) }
