//go:build servers

package servers

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sql returns what psql prints for the statements.
func sql(t *testing.T, pg *Postgres, statements string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(pg.bin, "psql"), "-X", "-q", "-A", "-t",
		"-v", "ON_ERROR_STOP=1", "-c", statements, pg.DSN()).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", statements, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestPostgres(t *testing.T) {
	pg := StartPostgres(t, "deadlock_timeout = 50ms")
	for setting, want := range map[string]string{
		"deadlock_timeout": "50ms", "wal_level": "logical", "server_encoding": "UTF8", "lc_collate": "C", "timezone": "UTC",
	} {
		if got := sql(t, pg, "SHOW "+setting); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	if got := sql(t, pg, "SHOW server_version_num"); !strings.HasPrefix(got, "15") {
		t.Error("version", got)
	}
	sql(t, pg, "CREATE TABLE t (v text)")
	for i, end := range []func(){pg.Kill, pg.Stop, func() {}} {
		sql(t, pg, "INSERT INTO t VALUES ('committed')")
		end()
		pg.Restart()
		if got := sql(t, pg, "SELECT count(*) FROM t"); got != string(rune('1'+i)) {
			t.Errorf("life %d: %s rows", i, got)
		}
	}

	other := StartPostgres(t)
	if other.DSN() == pg.DSN() {
		t.Fatal("two servers with one address")
	}
	if got := sql(t, other, "SELECT count(*) FROM pg_tables WHERE tablename = 't'"); got != "0" {
		t.Error("two servers share data")
	}
}
