// Package truth holds captured streams: real records of Debezium connectors,
// and beside them the database's own final state. Its tests judge the library's
// packages by them. It is a module of its own because the streams weigh
// megabytes.
//
// testdata/<database>/<variant> is one connector configuration over one
// workload:
//
//	SOURCE            database and version, and what the variant shows
//	records.jsonl.gz  every record in delivered order, one JSON object a line:
//	                  {"topic": text, "key": text|null, "value": text|null, "headers": {name: text}}
//	truth.jsonl.gz    every row at the end, one JSON object a line:
//	                  {"table": "schema.name", "row": {column: text|null}, "canon": {…}, "hex": […]}
//
// Key, value and headers are the exact text that the JSON converter produced.
// A row has the database's own text for each column. For columns whose text is
// the database's own affair, canon has a neutral form (µs since the epoch for a
// timestamp, base64 for bytes, …), and columns named in hex have their bytes as
// hexadecimal digits.
package truth

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A Variant is one captured stream with its truth. It is a plain value and holds
// no open file.
type Variant struct {
	DB   string // postgres, mariadb or mysql
	Name string // the variant's name, unique within DB
	dir  string
}

// Open lists the variants below dir, sorted by database and name. A folder
// without variants is an error.
func Open(dir string) ([]Variant, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", "records.jsonl.gz"))
	if err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("truth: no variants in %s", dir)
	}
	variants := make([]Variant, len(paths))
	for i, path := range paths {
		folder := filepath.Dir(path)
		variants[i] = Variant{DB: filepath.Base(filepath.Dir(folder)), Name: filepath.Base(folder), dir: folder}
	}
	return variants, nil
}

// String returns "database/name".
func (v Variant) String() string { return v.DB + "/" + v.Name }

// Records reads all records in delivered order. The caller owns them. The
// error names the file and, where it can, the line.
func (v Variant) Records() ([]Record, error) {
	var all []Record
	err := lines(filepath.Join(v.dir, "records.jsonl.gz"), func(line []byte) error {
		r, err := parseRecord(line)
		all = append(all, r)
		return err
	})
	return all, err
}

// Rows reads the database's final rows. The caller owns them. The error names
// the file and, where it can, the line.
func (v Variant) Rows() ([]Row, error) {
	var all []Row
	err := lines(filepath.Join(v.dir, "truth.jsonl.gz"), func(line []byte) error {
		var r Row
		err := json.Unmarshal(line, &r)
		all = append(all, r)
		return err
	})
	return all, err
}

// lines calls each with every line of a compressed file.
func lines(path string, each func(line []byte) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("truth: %s: %w", path, err)
	}
	in := bufio.NewReaderSize(z, 1<<16) // a Scanner would limit the length of a line
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("truth: %s:%d: %w", path, n, err)
		}
		if len(line) > 0 {
			if err := each(line); err != nil {
				return fmt.Errorf("truth: %s:%d: %w", path, n, err)
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}
