package servers

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// cacheDir returns the folder that keeps installations between tests.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "rowdelta")
	return dir, os.MkdirAll(dir, 0o755)
}

// installing runs f while no other process on this machine installs anything: neither apt-get nor Maven's local
// repository likes company.
func installing(f func() error) error {
	dir, err := cacheDir()
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(dir, "install.lock"))
	if err != nil {
		return err
	}
	return errors.Join(f(), unlock())
}

// cached returns the folder of the installation that recipe describes. If it is absent, fill makes it: in a folder beside
// it, which gets its name only when fill is done. A changed recipe is another installation.
func cached(name, recipe string, fill func(dir string) error) (string, error) {
	root, err := cacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(recipe))
	dir := filepath.Join(root, fmt.Sprintf("%s-%x", name, sum[:6]))
	if exists(dir) {
		return dir, nil
	}
	err = installing(func() error {
		if exists(dir) { // another process was first
			return nil
		}
		next, err := os.MkdirTemp(root, name+".part-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(next)
		if err := fill(next); err != nil {
			return err
		}
		if err := os.Rename(next, dir); err != nil && !exists(dir) {
			return err
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	return dir, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// program returns what find finds. If it finds nothing, the Debian packages are installed and it looks again.
func program(ctx context.Context, find func() (string, error), packages ...string) (path string, err error) {
	if path, err = find(); err == nil {
		return path, nil
	}
	err = installing(func() error {
		path, err = ensure(ctx, find, packages...)
		return err
	})
	return path, err
}

// ensure is program for those who are installing already.
func ensure(ctx context.Context, find func() (string, error), packages ...string) (string, error) {
	if path, err := find(); err == nil {
		return path, nil
	}
	if err := apt(ctx, packages); err != nil {
		return "", err
	}
	return find()
}

// apt installs Debian packages.
func apt(ctx context.Context, packages []string) error {
	base := []string{"apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"}
	if os.Getuid() != 0 {
		// -n: fail rather than ask for a password that nobody will type.
		base = append([]string{"sudo", "-n", "DEBIAN_FRONTEND=noninteractive"}, base...)
	}
	update := append(base[:len(base):len(base)], "update")
	install := append(append(base[:len(base):len(base)], "install", "--no-install-recommends"), packages...)
	for _, argv := range [][]string{update, install} {
		if err := output(ctx, nil, argv[0], argv[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// output runs a command to its end, as another user unless as is nil. Its output is in the error, if there is one.
func output(ctx context.Context, as *account, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = identity(as)
	b, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, last(b))
	}
	return nil
}
