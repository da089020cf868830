package chaos

import (
	"os"
	"testing"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(envRole); role != "" {
		os.Exit(child(role))
	}
	os.Exit(pgtest.Main(m))
}
