package servers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A helper is this test binary again, told by the environment which server to play.
const helperKey, helperPort = "ROWDELTA_SERVERS_HELPER", "ROWDELTA_SERVERS_PORT"

func TestMain(m *testing.M) {
	if role := os.Getenv(helperKey); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

func play(role string) int {
	fmt.Println("helper plays", role)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	switch role {
	case "server", "stubborn":
		l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv(helperPort))
		if err != nil {
			fmt.Println(err)
			return 1
		}
		for {
			<-stop
			if role == "server" {
				l.Close()
				fmt.Println("helper stops in order")
				return 0
			}
			fmt.Println("helper ignores a signal")
		}
	case "pipe":
		return answer()
	case "silent": // never ready
		<-stop
		return 0
	case "failing":
		fmt.Println("helper lacks a licence")
		return 3
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), helperKey+"=server")
		child.Stdout = os.Stdout
		child.SysProcAttr = attributes(nil)
		if err := child.Run(); err != nil {
			fmt.Println(err)
		}
		return 0
	}
	fmt.Println("no such role")
	return 2
}

// helper describes a server that plays role and is ready when its port takes connections.
func helper(tb testing.TB, role string) (s spec, ready func() error) {
	tb.Helper()
	dir, port := scratch(tb), freePort(tb)
	s = spec{
		name:   role,
		path:   os.Args[0],
		env:    []string{helperKey + "=" + role, fmt.Sprintf("%s=%d", helperPort, port)},
		dir:    dir,
		log:    dir + "/log",
		stop:   syscall.SIGTERM,
		within: 20 * time.Second,
	}
	ready = func() error {
		c, err := net.Dial("tcp", loopback(port))
		if err != nil {
			return err
		}
		return c.Close()
	}
	return s, ready
}

// spy is a test that records how it ends instead of ending.
type spy struct {
	testing.TB
	failed   bool
	messages []string
	cleanups []func()
}

func (s *spy) Helper()          {}
func (s *spy) Failed() bool     { return s.failed }
func (s *spy) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spy) Logf(format string, args ...any) {
	s.messages = append(s.messages, fmt.Sprintf(format, args...))
}

func (s *spy) Error(args ...any) {
	s.failed = true
	s.messages = append(s.messages, fmt.Sprint(args...))
}

func (s *spy) Errorf(format string, args ...any) { s.Error(fmt.Sprintf(format, args...)) }

// fatal is what a spied Fatal panics with.
type fatal struct{}

func (s *spy) Fatal(args ...any) {
	s.Error(args...)
	panic(fatal{})
}

// during runs f and then the cleanups, as a test does.
func (s *spy) during(f func()) {
	func() {
		defer func() {
			if r := recover(); r != nil && r != (fatal{}) {
				panic(r)
			}
		}()
		f()
	}()
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		f := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		f()
	}
}

func (s *spy) said() string { return strings.Join(s.messages, "\n") }
