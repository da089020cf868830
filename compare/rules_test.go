package compare_test

import (
	"reflect"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatternsNameFieldsWithEverythingBeneath(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"Name", "Name", true},
		{"Name", "Names", false},
		{"Address", "Address.City", true},
		{"Address", "Address", true},
		{"Address.City", "Address", false},
		{"Lines[*].Cents", "Lines[3].Cents", true},
		{"Lines[*].Cents", "Lines[3].ID", false},
		{"Lines[*]", "Lines[3].ID", true},
		{"Lines", "Lines[3].ID", true},
		{"Lines.Cents", "Lines[3].Cents", false},
		{"Name", "[3].Name", true},
		{"[*].Name", "[3].Name", true},
		{"[*].Name", "Name", false},
		{"Name", "[3][4].Name", true},
		{"City", "Address.City", false},
		{"Labels[*]", `Labels["a.b]"]`, true},
		{"Labels[*].X", `Labels["a.b]"].X`, true},
		{`Labels["a"]`, `Labels["a"]`, false},
		{"Lines[3]", "Lines[3]", false},
		{"*", "Anything[2].AtAll", true},
		{"*", "", true},
		{"error", "error", true},
		{"", "", false},
		{"", "Name", false},
		{".", "Name", false},
		{"Name.", "Name", false},
		{"Name.", "Name.X", false},
	} {
		rules := &compare.Rules{Ignore: []string{test.pattern}}
		got := rules.Apply([]compare.Diff{{Path: test.path, Kind: compare.KindValue}})
		assert.Equal(t, test.want, got[0].Ignored, "%q names %q", test.pattern, test.path)
	}
}

func TestPatternOfAPathIsTheNameOfItsField(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "Name": "Name", "Lines[3].Cents": "Lines[*].Cents", "[0][1]": "[*][*]", `M["a].b["].X`: "M[*].X",
		"M[#5d0f31c2a9be]": "M[*]", "M[": "M[*]", `M["`: "M[*]",
	} {
		assert.Equal(t, want, compare.Pattern(path), path)
	}
}

func TestBadRulesAreRefusedWithTheRemedy(t *testing.T) {
	customer := reflect.TypeFor[Customer]()
	for _, test := range []struct {
		promise string
		rules   compare.Rules
		want    string
	}{
		{"empty pattern", compare.Rules{Ignore: []string{""}}, `compare: rules: Ignore pattern "": it is empty: name a field, or * for everything`},
		{"unknown field", compare.Rules{Ignore: []string{"Title"}}, `compare: rules: Ignore pattern "Title": compare_test.Customer has no field Title; it has ID, Name, Seen, Address, Lines`},
		{"unknown field deeper down", compare.Rules{Safe: []string{"Address.Town"}}, `compare: rules: Safe pattern "Address.Town": compare_test.Address has no field Town; it has Street, City`},
		{"field of a list without its index", compare.Rules{Ignore: []string{"Lines.Cents"}}, `compare: rules: Ignore pattern "Lines.Cents": []compare_test.Line has elements: write [*] before Cents`},
		{"field of no struct", compare.Rules{Ignore: []string{"Name.First"}}, `compare: rules: Ignore pattern "Name.First": string has no field First`},
		{"elements of no list", compare.Rules{Ignore: []string{"Name[*]"}}, `compare: rules: Ignore pattern "Name[*]": string has no elements`},
		{"index instead of a pattern", compare.Rules{Ignore: []string{"Lines[3].Cents"}}, `compare: rules: Ignore pattern "Lines[3].Cents": [3]: rules hold for every element: write [*]`},
		{"star in a name", compare.Rules{Ignore: []string{"Na*"}}, `compare: rules: Ignore pattern "Na*": "Na*" is no field name: write names with dots between them and [*] for elements`},
		{"dot too many", compare.Rules{Ignore: []string{"Address..City"}}, `compare: rules: Ignore pattern "Address..City": "." is no field name: write names with dots between them and [*] for elements`},
		{"dot at the end", compare.Rules{Ignore: []string{"Address."}}, `compare: rules: Ignore pattern "Address.": "Address." is no field name: write names with dots between them and [*] for elements`},
		{"unclosed bracket", compare.Rules{Ignore: []string{"Lines["}}, `compare: rules: Ignore pattern "Lines[": [: rules hold for every element: write [*]`},
		{"too many differences", compare.Rules{MaxDiffs: 65}, `compare: rules: MaxDiffs is 65: give 1 to 64, or 0 for 64`},
		{"fewer than none", compare.Rules{MaxDiffs: -1}, `compare: rules: MaxDiffs is -1: give 1 to 64, or 0 for 64`},
	} {
		t.Run(test.promise, func(t *testing.T) {
			rules, err := compare.NewRules(test.rules, customer)
			assert.Nil(t, rules)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestGoodRulesAreAccepted(t *testing.T) {
	good := compare.Rules{
		Ignore: []string{"Seen", "Address", "Lines[*].Cents", "error", "Lines", "[*].Name"},
		Safe:   []string{"*"}, MaxDiffs: 3,
	}
	for _, answer := range []reflect.Type{reflect.TypeFor[[]Customer](), reflect.TypeFor[map[string]*Customer]()} {
		_, err := compare.NewRules(good, answer)
		require.NoError(t, err, answer)
	}
	_, err := compare.NewRules(compare.Rules{Ignore: []string{"Seen", "Cents"}}, nil, reflect.TypeFor[Customer](), reflect.TypeFor[Line]())
	require.NoError(t, err, "each of several types may have the field")
	_, err = compare.NewRules(compare.Rules{Ignore: []string{"Whatever"}})
	require.NoError(t, err, "without types only the form is checked")
	_, err = compare.NewRules(compare.Rules{Ignore: []string{"Any.Thing[*]"}}, reflect.TypeFor[struct{ Any any }]())
	require.NoError(t, err, "an interface may hold anything")
}

func TestRulesDoNotFollowTheSlicesTheyWereMadeFrom(t *testing.T) {
	ignore := []string{"Name"}
	rules, err := compare.NewRules(compare.Rules{Ignore: ignore})
	require.NoError(t, err)
	ignore[0] = "City"
	assert.True(t, rules.Apply([]compare.Diff{{Path: "Name"}})[0].Ignored)
}

func TestApplyingRulesChangesNothingInTheDifferences(t *testing.T) {
	diffs := compare.Values("a", "b")
	before := diffs[0]
	rules := &compare.Rules{Ignore: []string{"*"}, Safe: []string{"*"}}
	applied := rules.Apply(diffs)
	assert.Equal(t, before, diffs[0])
	assert.True(t, applied[0].Ignored)
	assert.Nil(t, rules.Apply(nil))
	assert.Nil(t, (*compare.Rules)(nil).Apply(nil))
	assert.Len(t, (*compare.Rules)(nil).Apply(diffs), 1)
}

func TestFewerDifferencesNeverChangeTheVerdict(t *testing.T) {
	diffs := []compare.Diff{
		{Path: "A", Kind: compare.KindValue, Ignored: true},
		{Path: "B", Kind: compare.KindUncomparable},
		{Path: "C", Kind: compare.KindValue},
		{Path: "D", Kind: compare.KindTruncated},
	}
	rules := &compare.Rules{MaxDiffs: 1}
	assert.Equal(t, []string{"C value", "D truncated"}, summary(rules.Apply(diffs)))
	assert.Equal(t, compare.Inconclusive, compare.Judge(rules.Apply(append(diffs[:2:2], diffs[0]))))
}
