package servers

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const (
	versityKey, versitySecret = "rowdelta", "not-a-secret"
	// versityReady is a path that no bucket can have.
	versityReady = "/-/ready"
)

// Versity is versitygw 1.8.0, an S3 server whose buckets are folders. It does conditional writes atomically, checks
// signatures and checksums, and has no bucket at first. Address buckets by path; the region is us-east-1.
type Versity struct {
	server
	port int
}

// StartVersity builds versitygw if need be, which takes a minute or two, and starts a new, empty server. tb ends with a
// failure, or the server is ready. The temporary folder's file system must have extended attributes.
func StartVersity(tb testing.TB) *Versity {
	tb.Helper()
	path, err := goProgram(tb.Context(), "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		tb.Fatal(err)
	}
	v := &Versity{port: freePort(tb)}
	v.server = launch(tb, spec{
		name:  "versitygw",
		path:  path,
		args:  []string{"--quiet", "--port", loopback(v.port), "--health", versityReady, "posix", data},
		env:   []string{"ROOT_ACCESS_KEY_ID=" + versityKey, "ROOT_SECRET_ACCESS_KEY=" + versitySecret},
		dir:   dir,
		log:   filepath.Join(dir, "versitygw.log"),
		stop:  syscall.SIGTERM,
		ready: v.ready,
	})
	return v
}

// Endpoint returns the server's URL for S3 clients.
func (v *Versity) Endpoint() string { return "http://" + loopback(v.port) }

// Key returns the access key of the account that may do everything.
func (v *Versity) Key() string { return versityKey }

// Secret returns that account's secret.
func (v *Versity) Secret() string { return versitySecret }

func (v *Versity) ready(ctx context.Context) error {
	_, err := httpGet(ctx, v.Endpoint()+versityReady)
	return err
}
