package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// poll is the pause between two readiness checks.
const poll = 50 * time.Millisecond

// spec says how a process is started, when it is ready and how it is stopped.
type spec struct {
	name  string    // for messages
	path  string    // of the program
	args  []string  // without the program
	env   []string  // added to the test's environment
	dir   string    // working folder
	log   string    // path of the file that gets stdout and stderr
	as    *account  // nil: as the test
	stop  os.Signal // asks for an orderly end
	ready func(ctx context.Context) error
	// within bounds a start until ready, and an orderly stop.
	within time.Duration
}

// process is a command that can be started, killed and started again. Used by one goroutine.
type process struct {
	spec
	run *run // nil before the first start
}

// run is one life of a process. err is valid once done is closed.
type run struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// permanentError ends the wait for readiness: what it wraps will not mend itself.
type permanentError struct{ err error }

func (e permanentError) Error() string { return e.err.Error() }
func (e permanentError) Unwrap() error { return e.err }

// alive reports whether the process runs.
func (p *process) alive() bool {
	if p.run == nil {
		return false
	}
	select {
	case <-p.run.done:
		return false
	default:
		return true
	}
}

// start runs the command and returns when it is ready. On an error nothing runs, and the error has the end of the log.
func (p *process) start(ctx context.Context) error {
	if p.alive() {
		return fmt.Errorf("%s runs already", p.name)
	}
	if err := p.spawn(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	err := p.await(ctx)
	if err == nil {
		return nil
	}
	return fmt.Errorf("start %s: %w\n%s", p.name, errors.Join(err, p.kill()), tail(p.log))
}

func (p *process) spawn() error {
	log, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Dir = p.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(p.as)

	r, err := begin(cmd)
	if err != nil {
		return err
	}
	p.run = r
	return nil
}

// begin starts a command that attributes describes.
func begin(cmd *exec.Cmd) (*run, error) {
	r := &run{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel takes the thread that started a process for its parent (attributes asks for a signal at its
		// death). Locked and never unlocked, the thread lives exactly as long as this goroutine.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			r.err = cmd.Wait()
			close(r.done)
		}
	}()
	return r, <-started
}

// await polls ready until it succeeds, the process ends, or the time is over.
func (p *process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	for {
		err := p.ready(ctx)
		// The end of the process comes first: another one may answer at its port.
		select {
		case <-p.run.done:
			return fmt.Errorf("it ended before it was ready: %w", exit(p.run.err))
		default:
		}
		var permanent permanentError
		if err == nil || errors.As(err, &permanent) {
			return err
		}
		select {
		case <-p.run.done:
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s: %w", p.within, err)
		case <-time.After(poll):
		}
	}
}

// exit names the orderly end too, which exec reports as no error.
func exit(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// kill ends the process at once and returns when it is gone. A process that does not run is left alone.
func (p *process) kill() error {
	if !p.alive() {
		return nil
	}
	if err := send(p.run.cmd.Process, syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	select {
	case <-p.run.done:
		return nil
	case <-time.After(p.within):
		return fmt.Errorf("%s is still there %s after it was killed", p.name, p.within)
	}
}

// shutdown asks the process to end and returns when it is gone. One that does not obey is killed, which is an error.
func (p *process) shutdown() error {
	if !p.alive() {
		return nil
	}
	if err := p.run.cmd.Process.Signal(p.stop); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, errors.Join(err, p.kill()))
	}
	select {
	case <-p.run.done:
		return nil
	case <-time.After(p.within):
		return errors.Join(fmt.Errorf("%s did not stop within %s", p.name, p.within), p.kill())
	}
}
