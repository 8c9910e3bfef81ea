//go:build servers

package servers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What testdata/WriteTable.java writes, as rows.go spells it. %s stands for the columns of nanoseconds.
const (
	fullRow = `{"id":1,"bool":true,"int":-2147483648,"float":1.0000000149011612e-01,"double":1e-01,` +
		`"decimal":"12345678901234567890123456789.000000001","date":"1969-12-31","time":"23:59:59.999999",` +
		`"timestamp":"2026-11-22T12:00:00.000001","timestamptz":"2026-11-22T12:00:00.000001Z","string":"<a> \"é\\\n😀",` +
		`"uuid":"00112233-4455-6677-8899-aabbccddeeff","fixed":"AP9/","binary":"+w==","struct":{"a":9007199254740993,"f":5e-01},` +
		`"list":["1.50",null],"map":[["k","2000-02-29"]]%s}`
	edgeRow = `{"id":9007199254740993,"bool":false,"int":2147483647,"float":"Infinity","double":"NaN","decimal":"-0.000000001",` +
		`"date":"+10000-01-01","time":"00:00:00.000000","timestamp":"1969-12-31T23:59:59.999999",` +
		`"timestamptz":"0001-01-01T00:00:00.000000Z","string":"","uuid":null,"fixed":"AAAA","binary":"","struct":{"a":null,"f":null},` +
		`"list":[],"map":[]%s}`
	nullRow = `{"id":%id,"bool":null,"int":null,"float":null,"double":null,"decimal":null,"date":null,"time":null,"timestamp":null,` +
		`"timestamptz":null,"string":%string,"uuid":null,"fixed":null,"binary":null,"struct":null,"list":null,"map":null%s}`
)

// expected returns the lines of the first or second snapshot.
func expected(t *testing.T, second, nanos bool) []string {
	t.Helper()
	null := func(id, text string) string { return strings.NewReplacer("%id", id, "%string", text).Replace(nullRow) }
	texts := []string{fullRow, edgeRow, null("3", "null"), null("4", "null")}
	if second {
		texts = []string{fullRow, edgeRow, null("3", `"second"`)}
	}
	extra := []string{`,"nanos":"2026-11-22T12:00:00.000000001","nanostz":"2026-11-22T12:00:00.999999999Z"`,
		`,"nanos":"1969-12-31T23:59:59.999999999","nanostz":null`, `,"nanos":null,"nanostz":null`, `,"nanos":null,"nanostz":null`}
	var rows []Row
	for i, text := range texts {
		insert := ""
		if nanos {
			insert = extra[i]
		}
		d := json.NewDecoder(strings.NewReader(strings.Replace(text, "%s", insert, 1)))
		d.UseNumber()
		var row Row
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return Lines(rows)
}

// icebergTable is a table on disk.
type icebergTable struct {
	metadata string
	first    int64 // snapshot
}

// writeTables has Iceberg's Java reference write a table for each name.
func writeTables(t *testing.T, names ...string) map[string]icebergTable {
	t.Helper()
	JavaReader(t) // which installs the jars
	lib, err := jars(t.Context(), "iceberg")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/WriteTable.java")
	if err != nil {
		t.Fatal(err)
	}
	javac, err := findJavac()
	if err != nil {
		t.Fatal(err)
	}
	java, err := findJava()
	if err != nil {
		t.Fatal(err)
	}
	classes := t.TempDir()
	if err := javaCompile(t.Context(), javac, classes, lib, "WriteTable", text); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), java, append([]string{"-cp", classpath(classes, lib), "WriteTable", t.TempDir()}, names...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, last(stderr.Bytes()))
	}
	tables := map[string]icebergTable{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) != 4 {
			t.Fatalf("WriteTable prints %q", line)
		}
		first, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		tables[words[0]] = icebergTable{words[1], first}
	}
	return tables
}

func TestReaders(t *testing.T) {
	tables := writeTables(t, "equality", "positions", "vectors", "nanos")
	readers := map[string]func(testing.TB) *Reader{"java": JavaReader, "duckdb": DuckReader, "pyiceberg": PyReader}
	// What a reader cannot read, by reader and table: a part of its message.
	const equality = "does not yet support equality deletes"
	refused := map[string]map[string]string{
		"duckdb":    {"nanos": "timestamptz_ns"},
		"pyiceberg": {"equality": equality, "nanos": equality},
	}
	// Before its deletes, pyiceberg can read them all.
	early := map[string]map[string]string{"duckdb": refused["duckdb"]}
	check := func(t *testing.T, rows []Row, err error, refusal string, want []string) {
		t.Helper()
		switch {
		case refusal != "":
			if err == nil || !strings.Contains(err.Error(), refusal) || rows != nil {
				t.Errorf("%d rows and %v, want no rows and %q", len(rows), err, refusal)
			}
		case err != nil:
			t.Error(err)
		case !slices.Equal(Lines(rows), want):
			t.Errorf("got\n%s\nwant\n%s", strings.Join(Lines(rows), "\n"), strings.Join(want, "\n"))
		}
	}
	for reader, get := range readers {
		r := get(t)
		if get(t) != r {
			t.Error(reader, "is not shared")
		}
		for name, table := range tables {
			t.Run(reader+"/"+name, func(t *testing.T) {
				nanos := name == "nanos"
				for _, prefix := range []string{"", "file://"} {
					rows, err := r.Read(t.Context(), prefix+table.metadata)
					check(t, rows, err, refused[reader][name], expected(t, true, nanos))
				}
				rows, err := r.ReadSnapshot(t.Context(), table.metadata, table.first)
				check(t, rows, err, early[reader][name], expected(t, false, nanos))
				if rows, err := r.ReadSnapshot(t.Context(), table.metadata, 1); err == nil {
					t.Errorf("a snapshot that is not there has %d rows", len(rows))
				}
			})
		}
		if rows, err := r.Read(t.Context(), filepath.Join(t.TempDir(), "v1.metadata.json")); err == nil {
			t.Errorf("%s: a table that is not there has %d rows", reader, len(rows))
		}
	}
	if got, want := Lines(ReadIceberg(t, tables["equality"].metadata)), expected(t, true, false); !slices.Equal(got, want) {
		t.Errorf("ReadIceberg: %q, want %q", got, want)
	}

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			rows, err := JavaReader(t).Read(t.Context(), tables["vectors"].metadata)
			check(t, rows, err, "", expected(t, true, false))
		})
	}
	wg.Wait()
}
