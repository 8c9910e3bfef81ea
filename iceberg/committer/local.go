package committer

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	ice "github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	_ "modernc.org/sqlite" // the driver of the catalog's database

	"github.com/rowdelta/rowdelta/iceberg/committer/internal/seam"
)

// Local returns a Committer whose catalog is an SQLite database in a folder, catalog.db,
// with the tables' files below the folder warehouse beside it; what is not there yet it
// makes. It needs no server. Several processes may use one folder at a time. What Commit
// has written is on the disk when it returns.
//
// The name of the catalog in the database is rowdelta. Other readers find the files only if
// URIs spell the folder's path as it is, without blanks for instance; of tables' names,
// whatever URIs spell otherwise becomes ~ and its hexadecimal digits in paths.
func Local(dir string, o Options) (*Committer, error) {
	dir, err := filepath.Abs(dir) // the library takes no other
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	database := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "catalog.db")), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)"},
		"_txlock": {"immediate"},
	}.Encode()}
	warehouse := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "warehouse"))}
	db, err := sql.Open("sqlite", database.String())
	if err != nil {
		return nil, err
	}
	c, err := sqlcat.NewCatalog("rowdelta", db, sqlcat.SQLite, ice.Properties{
		"warehouse":     warehouse.String(),
		propertyDurable: "true",
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("committer: open the catalog: %w", err)
	}
	out, err := New(&seam.Source{Catalog: c, Closers: []io.Closer{db}}, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	out.location = func(id table.Identifier) string {
		return warehouse.String() + "/" + folder(strings.Join(id[:len(id)-1], ".")) + ".db/" + folder(id[len(id)-1])
	}
	return out, nil
}

// folder returns the name of a folder for a name: itself, but for what has another
// spelling in URIs. The library writes a file where its URI points to, and other readers
// where its URI looks like.
func folder(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "~%02x", c)
		}
	}
	return b.String()
}
