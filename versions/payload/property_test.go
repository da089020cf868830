package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/versions/payload"
)

// value draws a JSON value whose text no Go type would keep.
func value(t *rapid.T, depth int) string {
	switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); {
	case kind == 0 && depth > 0:
		return object(t, depth-1, nil)
	case kind == 1 && depth > 0:
		var all []string
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			all = append(all, value(t, depth-1))
		}
		return "[" + strings.Join(all, ",") + "]"
	case kind <= 4:
		return rapid.SampledFrom([]string{"1.10", "-0", "1E+400", "123456789012345678901234567890", "0.1e-999", "null", "true"}).Draw(t, "number")
	case kind == 5:
		return rapid.SampledFrom([]string{`"\ud800"`, `"\u0041"`, `"<&>"`, `"\/"`, `""`}).Draw(t, "escaped")
	}
	text, _ := json.Marshal(rapid.String().Draw(t, "text"))
	return string(text)
}

// object draws an object with some members and others that no struct knows.
func object(t *rapid.T, depth int, some []string) string {
	all := slices.Clone(some)
	for i := range rapid.IntRange(0, 4).Draw(t, "members") {
		all = append(all, fmt.Sprintf("%q:%s", "x"+strconv.Itoa(i), value(t, depth)))
	}
	return "{" + strings.Join(rapid.Permutation(all).Draw(t, "order"), ",") + "}"
}

func quoted(text string) string {
	all, _ := json.Marshal(text)
	return string(all)
}

// stored draws a payload of a version as an older or a newer program wrote it.
func stored(t *rapid.T) (text string, version int) {
	name := rapid.StringMatching(`[A-Za-z]{1,6}`)
	first, last := name.Draw(t, "first"), name.Draw(t, "last")
	version = rapid.IntRange(1, 5).Draw(t, "version")
	members := []string{fmt.Sprintf(`"v":%d`, version)}
	switch version {
	case 1:
		members = append(members, `"name":`+quoted(first+" "+last))
	case 2:
		members = append(members, `"first":`+quoted(first), `"last":`+quoted(last))
	default:
		var mails []string
		for range rapid.IntRange(0, 3).Draw(t, "mails") {
			mails = append(mails, object(t, 1, []string{`"address":` + quoted(name.Draw(t, "address"))}))
		}
		members = append(members, `"first":`+quoted(first), `"last":`+quoted(last), `"mails":[`+strings.Join(mails, ",")+"]")
	}
	if version < 3 && rapid.Bool().Draw(t, "has mail") {
		members = append(members, `"email":`+quoted(name.Draw(t, "email")))
	}
	return object(t, 2, members), version
}

// unknown are the members of an object that no struct knows, in their order and
// with their text.
func unknown(text []byte) (all []string) {
	dec := json.NewDecoder(bytes.NewReader(text))
	_, _ = dec.Token()
	for dec.More() {
		name, _ := dec.Token()
		var value json.RawMessage
		_ = dec.Decode(&value)
		if strings.HasPrefix(name.(string), "x") {
			all = append(all, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return all
}

func TestRoundTripsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, version := stored(t)
		p, err := v3.Decode([]byte(text))
		require.NoError(t, err)
		require.Equal(t, version, p.Stored())

		at := rapid.IntRange(0, 3).Draw(t, "at")
		change := rapid.Bool().Draw(t, "change")
		if change {
			p.Value.First = rapid.StringMatching(`[A-Z]{1,4}`).Draw(t, "new first")
		}
		written, err := v3.Encode(p, at)
		require.NoError(t, err)
		require.True(t, json.Valid(written))
		require.Equal(t, unknown([]byte(text)), unknown(written), "unknown members, in order, letter by letter")

		again, err := v3.Decode(written)
		require.NoError(t, err)
		require.Equal(t, p.Value, again.Value, "what was written is read")
		if at == 0 {
			at = 3
		}
		require.Equal(t, max(at, version), again.Stored(), "never an older version")

		// Every reader that is older reads it too, and writing it back unchanged
		// changes nothing.
		older, err := v2.Decode(written)
		require.NoError(t, err)
		same, err := v2.Encode(older, 0)
		require.NoError(t, err)
		if older.Stored() >= 2 {
			require.Equal(t, string(written), string(same))
		}
		older.Value.Last = "Changed"
		changed, err := v2.Encode(older, 0)
		require.NoError(t, err)
		newest, err := v3.Decode(changed)
		require.NoError(t, err)
		require.Equal(t, "Changed", newest.Value.Last)
		require.Equal(t, unknown(written), unknown(changed))
		require.Equal(t, again.Value.Mails, newest.Value.Mails)
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"name":"Ada Lovelace","x":{"y":[1e999,-0,"\ud800"]}}`, `{"v":2,"first":"A","last":"L"}`,
		`{"v":9,"first":"A","last":"L","mails":[{"address":"a","k":1},null,{}]}`, `{"v":3,"mails":null}`, `{"v":3,"FIRST":"a","first":"b"}`,
		"{\"v\":1,\"x\":\"\xff\"}", `{"v":1,"v":1}`, ` {} `, `[[[[`, `{"v":1,"a":[}`, `{"v":3,"x" :  [ 1 , {"a":2} ]  }`, `{"v":1,"":1}`, `{"V":1,"v":1}`,
	} {
		f.Add([]byte(seed), uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint8) {
		p, err := v3.Decode(data)
		if err != nil {
			var bad *payload.Error
			if !errors.As(err, &bad) {
				t.Fatalf("%T is not typed", err)
			}
			return
		}
		var before map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &before))
		written, err := v3.Encode(p, int(at%4))
		if err != nil {
			var bad *payload.Error
			require.ErrorAs(t, err, &bad)
			require.Equal(t, payload.KindLoss, bad.Kind)
			return
		}
		again, err := v3.Decode(written)
		require.NoError(t, err)
		require.GreaterOrEqual(t, again.Stored(), p.Stored())
		var after map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(written, &after))
		for name, text := range before {
			switch strings.ToLower(name) {
			case "v", "name", "first", "last", "email", "mails", "age":
				continue
			}
			require.Contains(t, after, name)
			require.Equal(t, string(text), string(after[name]), "nothing is lost of %q", name)
		}
		if p.Stored() >= 3 { // nothing changed, so nothing changes but space between members
			require.Equal(t, before, after)
		}
	})
}
