//go:build servers

package servers

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// say returns the line that Redis answers to a command, or the second one where the first is a length.
func say(t *testing.T, r *Redis, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "$") || lines.Text() == "$-1" {
			return lines.Text()
		}
	}
	t.Fatalf("%s: %v", command, lines.Err())
	return ""
}

func TestRedis(t *testing.T) {
	r := StartRedis(t, "appendonly yes", "appendfsync always")
	for i, end := range []func(){func() {}, r.Kill, r.Stop} {
		end()
		r.Restart()
		if got := say(t, r, "INCR lives"); got != fmt.Sprint(":", i+1) {
			t.Errorf("life %d: %s", i, got)
		}
	}

	other := StartRedis(t)
	if other.Addr() == r.Addr() {
		t.Fatal("two servers with one address")
	}
	if got := say(t, other, "SET lives many"); got != "+OK" {
		t.Error("SET:", got)
	}
	other.Restart()
	if got := say(t, other, "GET lives"); got != "$-1" {
		t.Error("kept without being asked to:", got)
	}

	replica := StartRedis(t, r.ReplicaOf())
	eventually(t, "the replica", func() string { return say(t, replica, "GET lives") }, "3")
}
