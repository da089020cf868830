package crossfadetest_test

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests in testdata/planted fail, each where it should.
func TestPlantedMistakesAreFoundWhereTheyDoHarm(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./testdata/planted").CombinedOutput()
	require.Error(t, err, "the planted mistakes passed")
	said := string(output)
	failed := map[string][]string{}
	for _, match := range regexp.MustCompile(`--- FAIL: (\w+)/(\S+) `).FindAllStringSubmatch(said, -1) {
		failed[match[1]] = append(failed[match[1]], match[2])
	}
	assert.Equal(t, []string{"dual", "shadow", "live", "rampdown", "new"}, failed["TestStagesLostName"],
		"a name that is lost is seen as soon as both sides are written")
	assert.Equal(t, []string{"shadow", "live", "rampdown", "new"}, failed["TestStagesOrder"],
		"an order is seen as soon as lists are compared")
	assert.Contains(t, failed["TestFleetCache"], "live-rampdown", "an update that a cache loses")
	assert.NotContains(t, failed["TestFleetCache"], "old-dual", "the cache has no authority there")
	assert.Contains(t, failed["TestFleetBypass"], "dual-shadow", "a write past the key's lock and the other side")
	assert.Contains(t, said, "the sides differ in 1 keys")
	assert.Contains(t, said, `Name: value: old "Bo Eva Ek", new "Bo Ek"`, "values that are marked safe are shown")
	assert.Contains(t, said, `people.List of tenant "acme"`, "the operation is named")
	if t.Failed() {
		t.Log(said)
	}
}
