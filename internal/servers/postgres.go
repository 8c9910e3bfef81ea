package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// postgresBin is where Debian's and PostgreSQL's own packages put version 15, off the PATH.
const postgresBin = "/usr/lib/postgresql/15/bin"

// Postgres is a PostgreSQL 15 with logical decoding, the superuser postgres without a password and one empty database of
// that name. Encoding UTF-8, locale C, time zone UTC.
type Postgres struct {
	server
	bin  string
	port int
}

// StartPostgres installs PostgreSQL if need be and starts a new cluster. Settings are lines of postgresql.conf, such as
// "deadlock_timeout = 50ms"; they come after the package's own. tb ends with a failure, or the server is ready.
func StartPostgres(tb testing.TB, settings ...string) *Postgres {
	tb.Helper()
	postgres, err := program(tb.Context(), findPostgres, "postgresql-15")
	if err != nil {
		tb.Fatal(err)
	}
	as, err := unprivileged("postgres")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	pg := &Postgres{bin: filepath.Dir(postgres), port: freePort(tb)}
	data := filepath.Join(dir, "data")
	if err := pg.create(tb.Context(), as, data, settings); err != nil {
		tb.Fatal(err)
	}
	pg.server = launch(tb, spec{
		name:  "postgres",
		path:  postgres,
		args:  []string{"-D", data},
		dir:   data,
		log:   filepath.Join(dir, "postgres.log"),
		as:    as,
		stop:  syscall.SIGINT, // fast shutdown: sessions are ended, not waited for
		ready: pg.ready,
	})
	return pg
}

func findPostgres() (string, error) { return exec.LookPath(filepath.Join(postgresBin, "postgres")) }

// create makes a cluster's files.
func (pg *Postgres) create(ctx context.Context, as *account, data string, settings []string) error {
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if err := as.own(data); err != nil {
		return err
	}
	err := output(ctx, as, filepath.Join(pg.bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--no-locale", "--no-instructions", "--no-sync")
	if err != nil {
		return err
	}
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	// fsync guards against a crash of the machine, not of the server, and costs most of a test's time.
	_, err = fmt.Fprintf(conf, `
listen_addresses = '127.0.0.1'
port = %d
unix_socket_directories = ''
wal_level = logical
max_wal_senders = 8
max_replication_slots = 8
shared_buffers = 64MB
fsync = off
timezone = 'UTC'
log_timezone = 'UTC'
%s
`, pg.port, strings.Join(settings, "\n"))
	if err != nil {
		conf.Close()
		return err
	}
	return conf.Close()
}

func (pg *Postgres) ready(ctx context.Context) error {
	return output(ctx, nil, filepath.Join(pg.bin, "pg_isready"), "-q", "-U", "postgres", "-h", "127.0.0.1", "-p", strconv.Itoa(pg.port))
}

// Restart starts the server again, with the same data on the same port, and returns when it has recovered. If it runs, it
// is stopped in order first.
func (pg *Postgres) Restart() {
	pg.tb.Helper()
	pg.Stop()
	// After a kill the other processes of the old server need a moment to see it, and until they are gone a new one
	// does not start.
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := pg.start(pg.tb.Context())
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "is still in use") || time.Now().After(deadline) {
			pg.tb.Fatal(err)
		}
		time.Sleep(poll)
	}
}

// DSN returns the address for PostgreSQL clients.
func (pg *Postgres) DSN() string {
	return "postgres://postgres@" + loopback(pg.port) + "/postgres?sslmode=disable"
}

// Connector returns the properties of a Debezium connector called name that reads this database through a slot of that
// name. The topics' prefix, the tables and everything else are the caller's to add.
func (pg *Postgres) Connector(name string, more Properties) Properties {
	return Properties{
		"name":              name,
		"connector.class":   "io.debezium.connector.postgresql.PostgresConnector",
		"database.hostname": "127.0.0.1",
		"database.port":     strconv.Itoa(pg.port),
		"database.user":     "postgres",
		"database.password": "unused",
		"database.dbname":   "postgres",
		"plugin.name":       "pgoutput",
		"slot.name":         name,
		// By default a connector that finds its slot still taken by the one that was killed waits ten seconds.
		"slot.retry.delay.ms": "500",
	}.with(more)
}
