//go:build servers

package servers

import (
	"strings"
	"testing"
)

func TestRunPython(t *testing.T) {
	t.Setenv("PYTHONPATH", "/does/not/exist")
	tables := writeTables(t, "equality")
	// What a user would type: the extension by name.
	const text = `import duckdb, os, sys, pyarrow, pyiceberg
assert "/does/not/exist" not in sys.path
db = duckdb.connect()
db.sql("INSTALL iceberg")
db.sql("LOAD iceberg")
print(duckdb.__version__, pyiceberg.__version__, os.getcwd() == os.environ["HOME"], len(sys.argv))
print(db.sql(f"SELECT string FROM iceberg_scan('{sys.argv[1]}') WHERE id = 3").fetchall())
`
	out, err := RunPython(t, text, tables["equality"].metadata, "two words")
	if want := "1.5.5 0.12.0 True 3\n[('second',)]\n"; err != nil || out != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}

	out, err = RunPython(t, "print('before')\nraise ValueError('no such thing')\n")
	if err == nil || !strings.Contains(err.Error(), "ValueError: no such thing") || !strings.Contains(err.Error(), "exit status 1") || out != "before\n" {
		t.Errorf("a failing program: %q, %v", out, err)
	}
}
