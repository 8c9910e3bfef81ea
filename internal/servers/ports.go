package servers

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// Below the range that kernels hand out to outgoing connections. A port that the kernel chose can become the local end of
// some connection while a killed server is down, and then the server cannot come back to it.
const lowestPort, highestPort = 15000, 32000

// taken holds every port this process has given away.
var taken struct {
	sync.Mutex
	ports map[int]bool
}

// freePort returns a port of 127.0.0.1 at which nobody listens, and never the same one twice. Two processes can still be
// given one port: the second server to bind it then fails to start.
func freePort(tb testing.TB) int {
	tb.Helper()
	taken.Lock()
	defer taken.Unlock()
	if taken.ports == nil {
		taken.ports = map[int]bool{}
	}
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if taken.ports[port] {
			continue
		}
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		l.Close()
		taken.ports[port] = true
		return port
	}
	tb.Fatalf("no free port between %d and %d", lowestPort, highestPort)
	return 0
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// httpGet returns what a server on this machine answers, which must be status 200.
func httpGet(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", r.URL.Path, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
