package readmetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// helpTimeout ends a program that does its work instead of printing its help.
const helpTimeout = 30 * time.Second

// programs builds programs of the module, each once, and asks them for their help.
type programs struct {
	root string // the module's folder
	temp string // where the programs go

	mu    sync.Mutex
	built map[string]error
}

func (p *programs) build(pkg string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := filepath.Join(p.temp, strings.ReplaceAll(pkg, "/", "-"))
	err, known := p.built[pkg]
	if !known {
		err = goBuild(p.root, "-o", path, "./"+pkg)
		if p.built == nil {
			p.built = map[string]error{}
		}
		p.built[pkg] = err
	}
	return path, err
}

// help returns what a program prints for these arguments and --help, which both cobra and package flag answer only after
// they have accepted every flag before it.
func (p *programs) help(pkg string, args []string) (string, error) {
	path, err := p.build(pkg)
	if err != nil {
		return "", err
	}
	return askHelp(path, args, os.Environ())
}

func askHelp(path string, args, env []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), helpTimeout)
	defer cancel()
	at := slices.Index(args, "--") // what follows is no flag
	if at < 0 {
		at = len(args)
	}
	cmd := exec.CommandContext(ctx, path, slices.Insert(slices.Clone(args), at, "--help")...)
	cmd.Env = env
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", errors.New("it does not answer --help")
	}
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
		return "", fmt.Errorf("not accepted (%w): %s", err, first)
	}
	return string(output), nil
}

// compile builds source as the only file of a new folder below dir, without writing into the module: the go command
// lays the file over it.
func (p *programs) compile(dir, source string) error {
	file, err := os.CreateTemp(p.temp, "readme-*.go")
	if err != nil {
		return err
	}
	_, err = file.WriteString(source)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	folder := filepath.Join(dir, "readmeprogram")
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(p.root, folder, "main.go"): file.Name()},
	})
	if err != nil {
		return err
	}
	overlayFile := file.Name() + ".json"
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return err
	}
	return goBuild(p.root, "-overlay", overlayFile, "-o", os.DevNull, "./"+filepath.ToSlash(folder))
}

func goBuild(dir string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-buildvcs=false"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, strings.TrimSpace(stderr.String()))
	}
	return nil
}
