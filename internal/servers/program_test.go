package servers

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestProgram(t *testing.T) {
	env := []string{helperKey + "=silent"}
	p := StartProgram(t, os.Args[0], env, "-any")
	says := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(poll) {
			if n := strings.Count(string(p.Output()), "helper plays silent"); n == want {
				return
			} else if time.Now().After(deadline) {
				t.Fatalf("it has spoken %d times, want %d", n, want)
			}
		}
	}
	says(1)
	p.Kill()
	if p.Running() {
		t.Error("killed, but it runs")
	}
	p.Restart()
	says(2)
	if !p.Running() {
		t.Error("restarted, but it does not run")
	}
	p.Stop()
	if p.Running() {
		t.Error("stopped, but it runs")
	}
}
