//go:build !linux

package servers

import (
	"os"
	"syscall"
)

// attributes: servers run as the test's own user here and can outlive it.
func attributes(*account) *syscall.SysProcAttr { return nil }

func identity(*account) *syscall.SysProcAttr { return nil }

func send(p *os.Process, sig syscall.Signal) error { return p.Signal(sig) }

// lock does nothing here: two processes that install at once both do the work, and the last rename counts for nothing.
func lock(string) (unlock func() error, err error) {
	return func() error { return nil }, nil
}
