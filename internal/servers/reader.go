package servers

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// javaFiles are programs for the jars of poms, one file each.
//
//go:embed java/*.java
var javaFiles embed.FS

// Reader reads Iceberg tables on the local file system, without a catalog: those whose metadata.json it is given. It is one
// process for all tests of a test binary. Its methods may be called from many goroutines, and take turns.
type Reader struct{ *pipe }

// Read returns the rows of the current snapshot of the table whose metadata file is at that path or file: URI, in any order.
// Deletes are applied. A table that the reader cannot read is an error with the reader's own message.
func (r *Reader) Read(ctx context.Context, metadata string) ([]Row, error) {
	return r.read(ctx, metadata, nil)
}

// ReadSnapshot returns the rows of another snapshot, with the schema of that time.
func (r *Reader) ReadSnapshot(ctx context.Context, metadata string, snapshot int64) ([]Row, error) {
	return r.read(ctx, metadata, &snapshot)
}

func (r *Reader) read(ctx context.Context, metadata string, snapshot *int64) ([]Row, error) {
	request, err := json.Marshal(map[string]any{"metadata": metadata, "snapshot": snapshot})
	if err != nil {
		return nil, err
	}
	rows := []Row{}
	var refusal error
	err = r.ask(ctx, string(request), func(line []byte) (bool, error) {
		p, err := parsePart(line)
		switch {
		case err != nil:
			return false, err
		case p.Error != nil:
			refusal = errors.New(*p.Error)
			return false, nil
		case p.End == nil:
			rows = append(rows, p.Row)
			return true, nil
		case *p.End != len(rows):
			return false, fmt.Errorf("%d rows of %d", len(rows), *p.End)
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, fmt.Errorf("%s: %w", r.name, refusal)
	}
	return rows, nil
}

// ReadIceberg returns the rows of the table's current snapshot as [JavaReader] reads them, or ends the test.
func ReadIceberg(tb testing.TB, metadata string) []Row {
	tb.Helper()
	rows, err := JavaReader(tb).Read(tb.Context(), metadata)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

var javaReader, duckReader, pyReader shared

// JavaReader is Iceberg's Java reference implementation 1.12.0. It reads every type that [Row] has a spelling for and every kind of
// delete, and is the judge where readers differ.
func JavaReader(tb testing.TB) *Reader {
	tb.Helper()
	return javaReader.get(tb, func() (*pipe, error) {
		lib, err := jars(tb.Context(), "iceberg")
		if err != nil {
			return nil, err
		}
		classes, err := compile(tb.Context(), "ReadTables", lib)
		if err != nil {
			return nil, err
		}
		java, err := program(tb.Context(), findJava, "default-jre-headless")
		if err != nil {
			return nil, err
		}
		return &pipe{name: "iceberg-java", path: java, args: []string{"-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-cp", classpath(classes, lib), "ReadTables"}}, nil
	})
}

// DuckReader is DuckDB 1.5.5 with its extension iceberg. It applies all kinds of deletes, and takes time in proportion to rows
// times equality keys: 30 s for 100 000 rows and 15 000 keys. A table with a column of type timestamptz_ns is an error.
func DuckReader(tb testing.TB) *Reader {
	tb.Helper()
	return duckReader.get(tb, func() (*pipe, error) { return python(tb.Context(), "duckdb") })
}

// PyReader is pyiceberg 0.12.0. It returns an error for a table with equality deletes, which it does not support.
func PyReader(tb testing.TB) *Reader {
	tb.Helper()
	return pyReader.get(tb, func() (*pipe, error) { return python(tb.Context(), "pyiceberg") })
}

// shared is a reader that the first test to want it makes. A failure is not kept: the context may have been that test's.
type shared struct {
	mu sync.Mutex
	r  *Reader
}

func (s *shared) get(tb testing.TB, install func() (*pipe, error)) *Reader {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.r == nil {
		p, err := install()
		if err != nil {
			tb.Fatal(err)
		}
		s.r = &Reader{p}
	}
	return s.r
}

// python is python/read_tables.py with that library.
func python(ctx context.Context, library string) (*pipe, error) {
	env, err := venv(ctx, "readers")
	if err != nil {
		return nil, err
	}
	text, err := pythonFiles.ReadFile("python/read_tables.py")
	if err != nil {
		return nil, err
	}
	return &pipe{name: library, path: filepath.Join(env, "bin", "python"), args: []string{isolated, "-c", string(text), library}}, nil
}

func findJavac() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return exec.LookPath(filepath.Join(home, "bin", "javac"))
	}
	return exec.LookPath("javac")
}

// compile returns the folder with the classes of java/<name>.java, for Java 17, which Iceberg's own classes are for.
func compile(ctx context.Context, name, jars string) (string, error) {
	text, err := javaFiles.ReadFile("java/" + name + ".java")
	if err != nil {
		return "", err
	}
	return cached(strings.ToLower(name), string(text)+jars, func(dir string) error {
		javac, err := ensure(ctx, findJavac, "default-jdk-headless")
		if err != nil {
			return err
		}
		return javaCompile(ctx, javac, dir, jars, name, text)
	})
}

// javaCompile puts a program's source and classes into dir.
func javaCompile(ctx context.Context, javac, dir, jars, name string, text []byte) error {
	source := filepath.Join(dir, name+".java")
	if err := os.WriteFile(source, text, 0o644); err != nil {
		return err
	}
	return output(ctx, nil, javac, "--release", "17", "-cp", classpath(dir, jars), "-d", dir, source)
}

// classpath has a program's classes and then the jars of an installation.
func classpath(classes, jars string) string {
	return classes + string(os.PathListSeparator) + filepath.Join(jars, "lib", "*")
}
