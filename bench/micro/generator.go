package micro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/gen"
)

const generating = "generating for 50 entities, warm"

const (
	entitiesTold      = 50
	entitiesInPackage = 5
	filesOfEntity     = 2 // which are generated
)

// entity is a source file with an interface of ten methods; # stands for a number that no other entity of the package
// has.
const entity = `package shop

import (
	"context"
	"errors"
	"time"
)

type Customer# struct {
	ID        int64
	Name      string
	Email     string
	Tags      []string
	Labels    map[string]string
	Address   *Address#
	UpdatedAt time.Time
}

type Address# struct{ Street, City string }

var ErrNotFound# = errors.New("customer not found")

//crossfade:entity notfound=ErrNotFound# get=Get put=Save delete=Delete keys=Keys
type Customers# interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Customer#, error)
	//crossfade:read keys=ids unordered by=ID
	GetMany(ctx context.Context, tenant string, ids []int64) ([]Customer#, error)
	//crossfade:list
	List(ctx context.Context, tenant, city string, limit int) ([]Customer#, error)
	//crossfade:list
	Count(ctx context.Context, tenant string) (int, error)
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant string, id int64) (Customer#, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, tenant string, c Customer#) error
	//crossfade:write keys=cs[].ID
	SaveAll(ctx context.Context, tenant string, cs []Customer#) error
	//crossfade:write key=id
	Rename(ctx context.Context, tenant string, id int64, name string) (bool, error)
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
`

// generator measures a run over fifty entities of which nothing has changed since the last one, in a module that can
// compile what is generated.
func generator(ctx context.Context, cfg Config) (result Result, err error) {
	dir, release, err := ownFolder()
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir), release()) }()
	entities, rounds := entitiesTold, 7
	if cfg.Quick {
		entities, rounds = entitiesInPackage, 1
	}
	if err := errors.Join(os.RemoveAll(dir), generatedModule(ctx, dir, entities)); err != nil {
		return result, err
	}
	cfg.say("%s: the first run compiles everything", generating)
	run := gen.Config{Dir: dir, Patterns: []string{"./..."}}
	for range 2 { // the first writes, the second has it compiled
		if _, err := gen.Run(ctx, run); err != nil {
			return result, fmt.Errorf("generate: %w", err)
		}
	}
	var nanos []float64
	for range rounds {
		began := time.Now()
		generated, err := gen.Run(ctx, run)
		nanos = append(nanos, float64(time.Since(began)))
		if err != nil {
			return result, fmt.Errorf("generate: %w", err)
		}
		if n := len(generated.Unchanged); n != entities*filesOfEntity {
			return result, fmt.Errorf("generate: %d files stayed as they were, not %d", n, entities*filesOfEntity)
		}
	}
	took := middle(nanos)
	cfg.say("%s: %.2f s (noise %.2f)", generating, took.value/1e9, took.noise/1e9)
	result.Rows = []report.Row{report.AtMost(generating, report.Loopback, report.Nanos, took.value, took.noise, 2e9)}
	return result, nil
}

// ownFolder returns a folder that no other run uses until release. Its name is the same in most runs, so that the
// compiler's cache knows the packages: compiling what is generated takes the longest by far.
func ownFolder() (dir string, release func() error, err error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", nil, fmt.Errorf("find a folder: %w", err)
	}
	base := filepath.Join(caches, "crossfade-bench")
	if err := os.MkdirAll(base, 0o750); err != nil {
		return "", nil, fmt.Errorf("make a folder: %w", err)
	}
	for i := range 20 {
		dir := filepath.Join(base, "generator"+strconv.Itoa(i))
		lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return "", nil, fmt.Errorf("lock a folder: %w", err)
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil { // until it is closed
			return dir, lock.Close, nil
		}
		if err := lock.Close(); err != nil {
			return "", nil, fmt.Errorf("lock a folder: %w", err)
		}
	}
	return "", nil, fmt.Errorf("lock a folder: all below %s are in use", base)
}

// generatedModule makes a module with so many entities and with the requirements of crossfade.
func generatedModule(ctx context.Context, dir string, entities int) error {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/crossfade-db/crossfade")
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("find the module of crossfade: %w: %s", err, said.String())
	}
	root := strings.TrimSpace(string(out))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return fmt.Errorf("read the module of crossfade: %w", err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return fmt.Errorf("read the module of crossfade: %w", err)
	}
	text := strings.Replace(string(mod), "module github.com/crossfade-db/crossfade", "module shop", 1) +
		"\nrequire github.com/crossfade-db/crossfade v0.0.0\n\nreplace github.com/crossfade-db/crossfade => " + root + "\n"
	files := map[string]string{"go.mod": text, "go.sum": string(sum)}
	for i := range entities {
		number := strconv.Itoa(i % entitiesInPackage)
		name := filepath.Join("p"+strconv.Itoa(i/entitiesInPackage), "customers"+number+".go")
		files[name] = strings.ReplaceAll(entity, "#", number)
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("make a package: %w", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return fmt.Errorf("write a package: %w", err)
		}
	}
	return nil
}
