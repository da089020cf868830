package payload_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/versions/payload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	personV1 struct {
		Name  string `json:"name"`
		Email string `json:"email,omitempty"`
	}
	personV2 struct {
		First string `json:"first"`
		Last  string `json:"last"`
		Email string `json:"email,omitempty"`
	}
	mail struct {
		Address string `json:"address"`
	}
	personV3 struct {
		First string   `json:"first"`
		Last  string   `json:"last"`
		Mails []mail   `json:"mails"`
		Age   *float64 `json:"age,omitempty"`
	}
)

var errBoom = errors.New("boom: secret")

func up2(p personV1) (personV2, error) {
	if p.Name == "boom" {
		return personV2{}, errBoom
	}
	first, last, _ := strings.Cut(p.Name, " ")
	return personV2{First: first, Last: last, Email: p.Email}, nil
}

func down2(p personV2) (personV1, error) {
	return personV1{Name: p.First + " " + p.Last, Email: p.Email}, nil
}

func up3(p personV2) (personV3, error) {
	v3 := personV3{First: p.First, Last: p.Last, Mails: []mail{}}
	if p.Email != "" {
		v3.Mails = append(v3.Mails, mail{p.Email})
	}
	return v3, nil
}

func down3(p personV3) (personV2, error) {
	v2 := personV2{First: p.First, Last: p.Last}
	if len(p.Mails) > 0 {
		v2.Email = p.Mails[0].Address
	}
	return v2, nil
}

var (
	v1 = payload.First[personV1]("person", nil)
	v2 = payload.Next(v1, up2, down2)
	v3 = payload.Next(v2, up3, down3)
)

func TestReadersSeeTheNewestStructWhateverWasStored(t *testing.T) {
	want := personV3{First: "Ada", Last: "Lovelace", Mails: []mail{{"ada@example.com"}}}
	for stored, text := range map[int]string{
		1: `{"v":1,"name":"Ada Lovelace","email":"ada@example.com"}`,
		2: `{"v":2,"first":"Ada","last":"Lovelace","email":"ada@example.com"}`,
		3: `{"v":3,"first":"Ada","last":"Lovelace","mails":[{"address":"ada@example.com"}]}`,
		4: ` { "v" : 4 , "first":"Ada","last":"Lovelace","mails":[{"address":"ada@example.com","since":1815}]}`,
	} {
		p, err := v3.Decode([]byte(text))
		require.NoError(t, err)
		assert.Equal(t, want, p.Value)
		assert.Equal(t, stored, p.Stored())
	}
}

func TestWhatIsUnknownIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		stored string
		change func(*personV3)
		at     int
		want   string
	}{
		"nothing changed": {
			stored: `{ "x" : 1e999, "v":3, "first":"Ada","last":"L" ,"mails":[], "y":{"b":[1.10, 2],"a":"\ud800"}}`,
			want:   `{"x":1e999,"v":3,"first":"Ada","last":"L","mails":[],"y":{"b":[1.10, 2],"a":"\ud800"}}`,
		},
		"one member changed": {
			stored: `{"big":123456789012345678901234567890.10,"v":3,"first":"Ada","z":null,"last":"L","mails":[],"a":true}`,
			change: func(p *personV3) { p.First = "Eve" },
			want:   `{"big":123456789012345678901234567890.10,"v":3,"first":"Eve","z":null,"last":"L","mails":[],"a":true}`,
		},
		"an older program changes a newer payload": {
			stored: `{"v":9,"first":"Ada","family":"Lovelace","mails":[{"address":"a@x","kind":"work"},{"address":"b@x","kind":"home"}]}`,
			change: func(p *personV3) { p.Mails[1].Address = "c@x" },
			at:     2,
			want:   `{"v":9,"first":"Ada","family":"Lovelace","mails":[{"address":"a@x","kind":"work"},{"address":"c@x","kind":"home"}]}`,
		},
		"elements that moved keep theirs": {
			stored: `{"v":3,"first":"A","last":"L","mails":[{"address":"a@x","k":1},{"address":"b@x","k":2}]}`,
			change: func(p *personV3) { p.Mails = []mail{{"new@x"}, p.Mails[1], p.Mails[0]} },
			want:   `{"v":3,"first":"A","last":"L","mails":[{"address":"new@x"},{"address":"b@x","k":2},{"address":"a@x","k":1}]}`,
		},
		"elements that went take theirs along": {
			stored: `{"v":3,"first":"A","last":"L","mails":[{"address":"a@x","k":1},{"address":"b@x","k":2}]}`,
			change: func(p *personV3) { p.Mails = p.Mails[1:] },
			want:   `{"v":3,"first":"A","last":"L","mails":[{"address":"b@x","k":2}]}`,
		},
		"an older payload is written at the newest version": {
			stored: `{"trace":"00-1","v":1,"name":"Ada L","email":"a@x"}`,
			want:   `{"trace":"00-1","v":3,"first":"Ada","last":"L","mails":[{"address":"a@x"}]}`,
		},
		"or at the version where writers are held": {
			stored: `{"trace":"00-1","v":1,"email":"a@x","name":"Ada L"}`,
			change: func(p *personV3) { p.First = "Eve" },
			at:     2,
			want:   `{"trace":"00-1","v":2,"email":"a@x","first":"Eve","last":"L"}`,
		},
		"or stays as it is": {
			stored: `{"trace":"00-1","v":1,"email":"a@x","name":"Ada L"}`,
			at:     1,
			want:   `{"trace":"00-1","v":1,"email":"a@x","name":"Ada L"}`,
		},
		"a hold never takes a version back": {
			stored: `{"v":3,"first":"A","last":"L","mails":[]}`,
			change: func(p *personV3) { p.Last = "M" },
			at:     1,
			want:   `{"v":3,"first":"A","last":"M","mails":[]}`,
		},
		"members in other letters are the struct's": {
			stored: `{"v":3,"FIRST":"Ada","last":"L","mails":[]}`,
			change: func(p *personV3) { p.First = "Eve" },
			want:   `{"v":3,"FIRST":"Eve","last":"L","mails":[]}`,
		},
		"an empty member gives way": {
			stored: `{"v":2,"first":"A","last":"L","mails":null,"email":""}`,
			want:   `{"v":3,"first":"A","last":"L","mails":[],"email":""}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := v3.Decode([]byte(c.stored))
			require.NoError(t, err)
			if c.change != nil {
				c.change(&p.Value)
			}
			got, err := v3.Encode(p, c.at)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

func TestWhatWouldBeLostIsNotWritten(t *testing.T) {
	for name, c := range map[string]struct {
		stored string
		change func(*personV3)
		says   string
	}{
		"a new member takes an unknown one's name": {stored: `{"v":1,"name":"A L","mails":"secret"}`, says: `the name of "mails", which is new`},
		"changed elements among others": {
			stored: `{"v":3,"first":"A","last":"L","mails":[{"address":"a@x","k":1},{"address":"b@x"}]}`,
			change: func(p *personV3) { p.Mails = []mail{{"secret"}} },
			says:   `elements of "mails" with unknown members`,
		},
		"two spellings": {
			stored: `{"v":3,"first":"A","FIRST":"B","last":"L","mails":[]}`,
			change: func(p *personV3) { p.First = "secret" },
			says:   `"first" stands there twice`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := v3.Decode([]byte(c.stored))
			require.NoError(t, err)
			if c.change != nil {
				c.change(&p.Value)
			}
			got, err := v3.Encode(p, 0)
			assert.Nil(t, got)
			is(t, err, payload.KindLoss, c.says)
		})
	}
	// What a version moved takes what was unknown inside it to no place.
	type inV1 struct {
		Home struct{ Street string } `json:"home"`
	}
	type inV2 struct{ Street string }
	s := payload.Next(payload.First[inV1]("address", nil), func(a inV1) (inV2, error) { return inV2{a.Home.Street}, nil }, nil)
	p, err := s.Decode([]byte(`{"v":1,"home":{"Street":"S","floor":3}}`))
	require.NoError(t, err)
	_, err = s.Encode(p, 0)
	is(t, err, payload.KindLoss, `an unknown member of "home" has no place any more`)
}

func is(t *testing.T, err error, kind payload.Kind, says string) {
	t.Helper()
	var bad *payload.Error
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, kind, bad.Kind)
	assert.ErrorContains(t, err, says)
	assert.NotContains(t, err.Error(), "secret", "values are not for errors")
}

func TestBadPayloadsAreTypedErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		kind payload.Kind
		says string
	}{
		"nothing":             {"", payload.KindMalformed, "not JSON"},
		"half":                {`{"v":1`, payload.KindMalformed, "not JSON"},
		"trailing":            {`{"v":1}{}`, payload.KindMalformed, "not JSON"},
		"an array":            {`[1]`, payload.KindMalformed, "no object"},
		"null":                {`null`, payload.KindMalformed, "no object"},
		"UTF-8":               {"{\"v\":1,\"name\":\"secret\xff\"}", payload.KindMalformed, "not UTF-8"},
		"twice":               {`{"v":1,"v":2}`, payload.KindMalformed, "two members of one name"},
		"twice, escaped":      {`{"v":1,"\u0076":2}`, payload.KindMalformed, "two members of one name"},
		"twice, deep":         {`{"v":1,"x":[{"secret":1,"secret":2}]}`, payload.KindMalformed, "two members of one name"},
		"deep":                {`{"v":1,"x":` + strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6) + `}`, payload.KindMalformed, "more than 100 levels"},
		"no version":          {`{"name":"secret"}`, payload.KindVersion, `no member "v"`},
		"version zero":        {`{"v":0}`, payload.KindVersion, "whole number from 1 up"},
		"negative":            {`{"v":-1}`, payload.KindVersion, "whole number"},
		"fraction":            {`{"v":1.0}`, payload.KindVersion, "whole number"},
		"exponent":            {`{"v":1e0}`, payload.KindVersion, "whole number"},
		"text":                {`{"v":"secret"}`, payload.KindVersion, "whole number"},
		"huge":                {`{"v":123456789012345678901234567890}`, payload.KindVersion, "whole number"},
		"another type":        {`{"v":1,"name":{"secret":1}}`, payload.KindUnreadable, `member "name": string cannot hold object`},
		"number out of range": {`{"v":3,"age":1e999}`, payload.KindUnreadable, `member "age": float64 cannot hold number`},
		"the application's":   {`{"v":1,"name":"boom"}`, payload.KindUp, "make version 2 of version 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v3.Decode([]byte(c.text))
			is(t, err, c.kind, c.says)
			assert.ErrorContains(t, err, "payload person")
		})
	}
	_, err := v3.Decode([]byte(`{"v":1,"name":"boom"}`))
	assert.ErrorIs(t, err, errBoom)
}

func TestSchemaIsValidatedAtStart(t *testing.T) {
	type clash struct {
		V int `json:"v"`
	}
	for name, c := range map[string]struct {
		check func() error
		says  string
	}{
		"no name":            {payload.First[personV1]("", nil).Check, "no name"},
		"no function":        {payload.Next[personV1, personV2](v1, nil, down2).Check, "no function leads from version 1 to version 2"},
		"stays":              {payload.Next(payload.Next[personV1, personV2](v1, nil, nil), up3, down3).Check, "no function leads from version 1 to version 2"},
		"nothing before":     {payload.Next[personV1](nil, up2, down2).Check, "begin with First"},
		"clash":              {payload.First[clash]("clash", nil).Check, `has a member "v"`},
		"no object":          {payload.First[[]int]("list", nil).Check, "does not become a JSON object"},
		"no JSON":            {payload.First[func()]("func", nil).Check, "write the struct as JSON"},
		"Unversioned":        {payload.First[personV1]("person", &payload.Config{Unversioned: -1}).Check, "versions begin at 1"},
		"Unversioned beyond": {payload.First[personV1]("person", &payload.Config{Unversioned: 2}).Check, "the newest one known is 1"},
	} {
		t.Run(name, func(t *testing.T) { assert.ErrorContains(t, c.check(), c.says) })
	}
	require.NoError(t, v3.Check())
	_, err := payload.First[clash]("clash", nil).Decode([]byte(`{"v":1}`))
	is(t, err, payload.KindSchema, "has a member")
	assert.Equal(t, "person", v3.Name())
	assert.Equal(t, 3, v3.Newest())
}

func TestFieldAndUnversionedAreChosen(t *testing.T) {
	cfg := &payload.Config{Field: "schema", Unversioned: 2}
	s := payload.Next(payload.First[personV1]("person", cfg), up2, nil)
	p, err := s.Decode([]byte(`{"first":"A","last":"L","v":"mine"}`))
	require.NoError(t, err)
	got, err := s.Encode(p, 0)
	require.NoError(t, err)
	letterByLetter(t, `{"schema":2,"first":"A","last":"L","v":"mine"}`, got)
}

func TestWritersAreHeldUntilTheyAreAllowed(t *testing.T) {
	allowed := map[string]bool{"new": true}
	limit := payload.Until(2, 3, func(_ context.Context, tenant string) (bool, error) {
		if tenant == "unknown" {
			return true, errBoom
		}
		return allowed[tenant], nil
	})
	p := payload.New(personV3{First: "A", Last: "L", Mails: []mail{{"a@x"}}})
	got, err := v3.EncodeFor(t.Context(), p, "old", limit)
	require.NoError(t, err)
	letterByLetter(t, `{"v":2,"first":"A","last":"L","email":"a@x"}`, got)
	got, err = v3.EncodeFor(t.Context(), p, "new", limit)
	require.NoError(t, err)
	letterByLetter(t, `{"v":3,"first":"A","last":"L","mails":[{"address":"a@x"}]}`, got)
	_, err = v3.EncodeFor(t.Context(), p, "unknown", limit)
	is(t, err, payload.KindVersion, "ask which version may be written")
	assert.ErrorIs(t, err, errBoom)
	_, err = v3.EncodeFor(t.Context(), p, "", func(context.Context, string) (int, error) { return 0, nil })
	is(t, err, payload.KindVersion, "the limit says no version")
	got, err = v3.EncodeFor(t.Context(), p, "", func(context.Context, string) (int, error) { return 9, nil })
	require.NoError(t, err)
	assert.Contains(t, string(got), `"v":3`)
	_, err = v3.Encode(p, 4)
	is(t, err, payload.KindVersion, "versions 1 to 3 can be written")
	_, err = payload.Next(v2, up3, nil).Encode(p, 2)
	is(t, err, payload.KindDown, "no function leads from version 3 back to version 2")
}

func letterByLetter(t *testing.T, want string, got []byte) {
	t.Helper()
	assert.Equal(t, want, string(got))
}

func TestDataOfTheCallerIsItsOwn(t *testing.T) {
	data := []byte(`{"v":3,"first":"A","last":"L","mails":[],"x":1}`)
	p, err := v3.Decode(data)
	require.NoError(t, err)
	clear(data)
	got, err := v3.Encode(p, 0)
	require.NoError(t, err)
	assert.True(t, json.Valid(got))
	assert.Contains(t, string(got), `"x":1`)
}
