package pgtest

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// installed are the places where packages put server programs, by pattern; scripts/ensure-postgres.sh looks in the same.
var installed = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // PostgreSQL's own packages for Red Hat
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findPrograms returns the folder that holds initdb and postgres: PGBIN, which is then the only place, or the first that
// has both of PATH and the installed places, highest version first.
func findPrograms() (string, error) {
	if bin := os.Getenv("PGBIN"); bin != "" {
		if !hasPrograms(bin) {
			return "", &NotFoundError{Looked: []string{"PGBIN=" + bin}}
		}
		return bin, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil && hasPrograms(filepath.Dir(real)) {
			return filepath.Dir(real), nil
		}
	}
	for _, pattern := range installed {
		dirs, _ := filepath.Glob(pattern) // fails on malformed patterns only
		slices.SortFunc(dirs, byVersionDescending)
		for _, dir := range dirs {
			if hasPrograms(dir) {
				return dir, nil
			}
		}
	}
	return "", &NotFoundError{Looked: append([]string{"PATH"}, installed...)}
}

func hasPrograms(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

func byVersionDescending(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) }

// versionIn reads the version out of a folder's name: 15 from /usr/lib/postgresql/15/bin, 9.6 from /usr/pgsql-9.6/bin.
// What has none, such as Postgres.app's "latest", counts as 0.
func versionIn(dir string) float64 {
	name := filepath.Base(filepath.Dir(dir))
	version, err := strconv.ParseFloat(name[strings.LastIndexAny(name, "@-")+1:], 64)
	if err != nil {
		return 0
	}
	return version
}
