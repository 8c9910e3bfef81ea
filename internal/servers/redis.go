package servers

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Redis is a redis-server with one empty keyspace and no password. It keeps nothing on disk unless its settings say so.
type Redis struct {
	server
	port int
}

// StartRedis installs Redis if need be and starts a server. Settings are lines of redis.conf, such as "appendonly yes"; they
// come after the package's own. With "cluster-enabled yes" the server's bus listens 10,000 ports above its own. tb ends with a
// failure, or the server is ready; a replica may be so before it has the primary's data.
func StartRedis(tb testing.TB, settings ...string) *Redis {
	tb.Helper()
	path, err := program(tb.Context(), func() (string, error) { return exec.LookPath("redis-server") }, "redis-server")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	r := &Redis{port: freePort(tb)}
	conf := filepath.Join(dir, "redis.conf")
	// By default a primary waits 5 s for more replicas before it feeds the first.
	write(tb, conf, fmt.Sprintf(`
bind 127.0.0.1
port %d
dir %s
save ""
repl-diskless-sync-delay 0
%s
`, r.port, dir, strings.Join(settings, "\n")))
	r.server = launch(tb, spec{
		name:  "redis",
		path:  path,
		args:  []string{conf},
		dir:   dir,
		log:   filepath.Join(dir, "redis.log"),
		stop:  syscall.SIGTERM,
		ready: r.ready,
	})
	return r
}

// Addr returns the server's address for Redis clients.
func (r *Redis) Addr() string { return loopback(r.port) }

// ReplicaOf returns the line that makes another server a replica of this one.
func (r *Redis) ReplicaOf() string { return fmt.Sprintf("replicaof 127.0.0.1 %d", r.port) }

// ready asks for more than a connection: a server that reads its files takes one, and answers with an error.
func (r *Redis) ready(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && answer != "+PONG\r\n" {
		err = fmt.Errorf("PING: %s", strings.TrimSpace(answer))
	}
	return err
}
