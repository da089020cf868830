//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// account is the operating-system user that the server runs as. PostgreSQL refuses to run as root.
type account struct {
	name     string
	uid, gid uint32
	drop     bool // we are root and must become this user
}

// serverAccount returns the current user, or for root an unprivileged one: postgres if it exists, else nobody.
func serverAccount() (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{uid: uint32(uid), gid: uint32(os.Getegid())}, nil
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseInt(u.Uid, 10, 64) // macOS: nobody is -2
		gid, errGID := strconv.ParseInt(u.Gid, 10, 64)
		if errUID != nil || errGID != nil || uid == 0 {
			continue
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid), drop: true}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and neither a user postgres nor nobody exists: run as an ordinary user")
}

func (a account) sysProcAttr() *syscall.SysProcAttr {
	if !a.drop {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
}

// own gives a file to the account.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("give folder to user %s: %w", a.name, err)
	}
	return nil
}

// baseFolder returns the first folder for temporary files that the account can reach: root's TMPDIR may lie in a folder
// that only root enters. A folder in memory comes first if that is wanted and TMPDIR says nothing else.
func (a account) baseFolder(inMemory bool) (string, error) {
	candidates := []string{os.TempDir(), "/tmp", "/var/tmp"}
	if memory := memoryFolder(); inMemory && memory != "" && os.Getenv("TMPDIR") == "" {
		candidates = slices.Insert(candidates, 0, memory)
	}
	for _, dir := range candidates {
		abs, err := filepath.Abs(dir)
		if err != nil {
			continue
		}
		real, err := filepath.EvalSymlinks(abs)
		if err == nil && a.reaches(real) {
			return real, nil
		}
	}
	return "", fmt.Errorf("no folder for temporary files that user %q can enter, of %q: set TMPDIR to one", a.name, candidates)
}

func (a account) reaches(dir string) bool {
	if !a.drop {
		info, err := os.Stat(dir)
		return err == nil && info.IsDir()
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() || !a.enters(info) {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

func (a account) enters(info os.FileInfo) bool {
	mode := info.Mode().Perm()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case stat.Uid == a.uid:
			return mode&0o100 != 0
		case stat.Gid == a.gid:
			return mode&0o010 != 0
		}
	}
	return mode&0o001 != 0
}
