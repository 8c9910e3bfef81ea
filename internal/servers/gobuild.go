package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// goProgram returns the path of the Go program whose main package is pkg, built from that version of its module.
func goProgram(ctx context.Context, pkg, version string) (string, error) {
	name := filepath.Base(pkg)
	dir, err := cached(name, pkg+"@"+version, func(dir string) error { return goInstall(ctx, dir, pkg+"@"+version) })
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(dir, name))
}

// goInstall builds a program into dir. How the test itself is built is no concern of it: a workspace that the caller made,
// vendoring, another GOARCH or a coverage mode would break the build of a foreign module. Where modules come from stays as
// it is.
func goInstall(ctx context.Context, dir, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "install", pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0",
		"GOFLAGS=-trimpath") // empty would mean what go env -w has set
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, last(b))
	}
	return nil
}
