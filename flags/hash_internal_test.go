package flags

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheHashIsRapidhashNano(t *testing.T) {
	t.Run("verification value", func(t *testing.T) { // of rapidhash_nano in SMHasher3, over 256 lengths and seeds
		var text, all []byte
		for i := range 256 {
			all = binary.LittleEndian.AppendUint64(all, hashed(ready(uint64(256-i)), string(text)))
			text = append(text, byte(i))
		}
		assert.EqualValues(t, 0x2c200dc7, uint32(hashed(unseeded, string(all)))) //nolint:gosec // its first four bytes
	})
	t.Run("vectors", func(t *testing.T) { // what the reference gives for bytes 0xff by a seed of ones
		for n, want := range map[int]uint64{
			0: 11140877522690980840, 1: 9251219562908335114, 3: 9855541361249270571, 4: 16053422642684411695,
			7: 6829848028857839105, 8: 1674115573101822818, 16: 6887163819122108532, 17: 10560720991023676734,
			32: 7526751371883728689, 33: 16786768215918839256, 48: 9745953224250731655, 49: 706321860845937056,
		} {
			assert.Equal(t, want, hashed(ready(math.MaxUint64), strings.Repeat("\xff", n)), "%d bytes", n)
		}
	})
	assert.Equal(t, unseeded, ready(0), "prepared")
}

func TestWhatIsDecidedWithoutACallIsDecidedByTheHash(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same ones in every run
	text := func(n int) string {
		all := make([]byte, n)
		for i := range all {
			all[i] = byte(random.Uint32()) //nolint:gosec // any byte
		}
		return string(all)
	}
	const longest = 110 // one more round of the hash than the rest needs
	for _, share := range []Share{1, 5000, Buckets - 1} {
		p := Policy{Migration: "m", Epoch: 1, Default: Shadow, Salt: text(20), Step: Step{To: Live, Share: share}}
		tenants, err := p.Compile()
		require.NoError(t, err)
		p.Step.Of = OfKeys
		keys, err := p.Compile()
		require.NoError(t, err)
		for n := range longest * longest {
			tenant, key := text(n/longest), text(1+n%longest)
			want, _, _ := tenants.placeAny(tenant, "")
			got, _ := tenants.Stage(tenant)
			require.Equal(t, want, got, "%q", tenant)
			got, _ = tenants.KeyStage(tenant, key)
			require.Equal(t, want, got, "%q, whatever the key", tenant)
			require.Equal(t, tenants.Bucket(tenant) < int(share), got == Live)

			want, _, _ = keys.placeAny(tenant, key)
			got, _ = keys.KeyStage(tenant, key)
			require.Equal(t, want, got, "%q of %q", key, tenant)
			require.Equal(t, keys.KeyBucket(tenant, key) < int(share), got == Live)
		}
	}
}

func TestBorderOfAShareIsWhereItsBucketBegins(t *testing.T) {
	for share := Share(1); share < Buckets; share++ {
		first := border(share)
		assert.Equal(t, uint64(share), scaled(first), "the first of the bucket")
		assert.Equal(t, uint64(share)-1, scaled(first-1), "the last of the one before")
	}
	assert.Zero(t, border(0))
	assert.Equal(t, uint64(Buckets-1), scaled(math.MaxUint64))
}

func BenchmarkHash(b *testing.B) {
	for _, text := range []string{"acme", "tenant-000000500", "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				hashed(unseeded, text)
			}
		})
	}
}
