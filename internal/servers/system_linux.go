package servers

import (
	"os"
	"syscall"
)

// attributes puts a process into a group of its own, so that an interrupt at the terminal reaches the test first, and has
// the kernel kill it when the test's process ends without its cleanups.
func attributes(as *account) *syscall.SysProcAttr {
	attr := identity(as)
	attr.Setpgid, attr.Pdeathsig = true, syscall.SIGKILL
	return attr
}

// identity has a process run as the account.
func identity(as *account) *syscall.SysProcAttr {
	if as == nil {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}}
}

// send reaches the process and those of its children that stayed in its group.
func send(p *os.Process, sig syscall.Signal) error {
	if err := syscall.Kill(-p.Pid, sig); err != nil {
		if err == syscall.ESRCH {
			return os.ErrProcessDone
		}
		return err
	}
	return nil
}

// lock waits for an exclusive lock on a file. The kernel gives it back if the process dies.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, &os.PathError{Op: "flock", Path: path, Err: err}
	}
	return f.Close, nil
}
