package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// answerLimit bounds one answer: many times what the slowest reader needs for the largest table of a test.
const answerLimit = 5 * time.Minute

// pipe is a program that answers requests: one line on its stdin, then lines on its stdout. It starts with the first request
// and serves all tests of a process, one after another, because a JVM takes longer to start than to read a table. It ends
// with the test's process, whose end it sees on its stdin, also where the kernel does not kill it.
type pipe struct {
	name string
	path string
	args []string

	mu   sync.Mutex
	life *life // nil: it does not run
}

// life is one run of a pipe's program.
type life struct {
	*run
	in  io.WriteCloser
	out *bufio.Reader
	end io.Closer // of out
	log *ending
}

// ask sends a request, which is a line, and calls line for the answer's lines until that returns false or an error. A program
// that dies, or whose answer is late or unreadable, is killed; the next request starts another one.
func (p *pipe) ask(ctx context.Context, request string, line func([]byte) (more bool, err error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil { // nothing to kill the program for
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if p.life == nil {
		l, err := p.start()
		if err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
		p.life = l
	}
	l := p.life
	stop := context.AfterFunc(ctx, func() { send(l.cmd.Process, syscall.SIGKILL) })
	err := l.talk(request, line)
	if stop() && err == nil {
		return nil
	}
	// Also after a whole answer: the signal is on its way to a program that would have to serve the next request.
	p.life = nil
	killed := l.kill()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w\n%s", p.name, errors.Join(err, ctx.Err(), killed), l.log)
}

func (p *pipe) start() (*life, error) {
	cmd := exec.Command(p.path, p.args...)
	l := &life{log: &ending{}}
	var err error
	if l.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// Not StdoutPipe, which exec closes at the program's end, read or not.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, l.log
	cmd.SysProcAttr = attributes(nil)
	l.out, l.end = bufio.NewReaderSize(r, 1<<16), r
	if l.run, err = begin(cmd); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return l, nil
}

func (l *life) talk(request string, line func([]byte) (bool, error)) error {
	if _, err := io.WriteString(l.in, request+"\n"); err != nil {
		return err
	}
	for {
		b, err := l.out.ReadBytes('\n')
		if err == io.EOF {
			<-l.done
			return fmt.Errorf("it ended without an answer: %w", exit(l.err))
		}
		if err != nil {
			return err
		}
		if more, err := line(b); err != nil || !more {
			return err
		}
	}
}

// kill returns when the program is gone.
func (l *life) kill() error {
	err := send(l.cmd.Process, syscall.SIGKILL)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-l.done
	return errors.Join(err, l.end.Close())
}

// ending keeps the end of what is written to it.
type ending struct {
	mu sync.Mutex
	b  []byte
}

func (e *ending) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.b = append(e.b, b...)
	if len(e.b) > 4*tailBytes {
		e.b = append([]byte(nil), e.b[len(e.b)-2*tailBytes:]...)
	}
	return len(b), nil
}

func (e *ending) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return last(e.b)
}
