package servers

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Program is a program that is tested: it can be killed and started again like the servers, and goes with the test as they do.
type Program struct{ server }

// StartProgram starts the program at path, with env added to the test's environment, in a temporary folder of its own. It
// does not wait for anything.
func StartProgram(tb testing.TB, path string, env []string, args ...string) *Program {
	tb.Helper()
	dir := scratch(tb)
	return &Program{launch(tb, spec{
		name:  filepath.Base(path),
		path:  path,
		args:  args,
		env:   env,
		dir:   dir,
		log:   filepath.Join(dir, "log"),
		stop:  syscall.SIGTERM,
		ready: func(context.Context) error { return nil },
	})}
}

// Output returns what the program has written to stdout and stderr, in all its lives.
func (p *Program) Output() []byte {
	p.tb.Helper()
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.tb.Fatal(err)
	}
	return b
}

// Running reports whether the program has not ended.
func (p *Program) Running() bool { return p.alive() }
