package servers

import (
	"testing"
	"time"
)

// A test that is killed runs no cleanup; its servers must go all the same.
func TestServerDiesWithItsParent(t *testing.T) {
	p, ready := started(t, "parent")
	if err := p.run.cmd.Process.Kill(); err != nil { // the parent alone, not its group
		t.Fatal(err)
	}
	<-p.run.done
	for deadline := time.Now().Add(10 * time.Second); ready() == nil; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatal("the child still answers")
		}
	}
}
