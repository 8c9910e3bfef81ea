package route

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

// Catalog is where the destination tables live. It decides which names are
// taken.
type Catalog uint8

// The catalogs.
const (
	S3Tables Catalog = iota // an S3 table bucket: lower-case letters, digits and underscores
	Glue                    // AWS Glue with tables in S3: Firehose takes no hyphen
)

// A Target is a source table with what its destination must look like, for
// [Preflight].
type Target struct {
	Source    envelope.Table
	Columns   []string // of the destination table; nil means not known
	Key       []string // the destination's unique key (its identifier fields)
	Partition []string // columns that the destination is partitioned by
	Delete    []string // columns that a delete's before image holds; nil means the key alone
}

// A Problem is one thing that Firehose or the catalog would refuse, or that
// would silently do nothing.
type Problem struct {
	Source envelope.Table
	Reason string
}

// Error returns the source table and the reason.
func (p *Problem) Error() string { return fmt.Sprintf("route: %s: %s", p.Source, p.Reason) }

// Preflight checks, in a plain test and without any service, that the changes
// of every target would reach a table that takes them. It asks the router for
// the destination of an upsert and of a delete of each source table. The result
// is nil or joins a [*Problem] for each thing found:
//
//   - a table without a route, or two tables whose rows would mix in one
//     destination under different keys or columns;
//   - database, table and column names that the catalog refuses (S3 Tables:
//     1 to 255 of a to z, 0 to 9 and underscore, a letter or digit at either end,
//     a database not beginning with aws, and columns in lower case, which Athena
//     and Lake Formation do not see otherwise; Firehose: no hyphen);
//   - updates and deletes into a table without a unique key, or with key columns
//     that it does not have;
//   - deletes that cannot match: Firehose looks for the row in the partition
//     that the record itself names, so that a before image without the partition
//     columns, or without the key, deletes nothing;
//   - deletes that an append-only destination cannot take.
//
// A target that the router drops is not checked.
func Preflight(r Router, catalog Catalog, targets ...Target) error {
	var problems []error
	sources := make(map[[2]string]*Target)
	for i := range targets {
		t := &targets[i]
		for _, reason := range t.check(r, catalog, sources) {
			problems = append(problems, &Problem{t.Source, reason})
		}
	}
	return errors.Join(problems...)
}

func (t *Target) check(r Router, catalog Catalog, sources map[[2]string]*Target) (reasons []string) {
	object := envelope.Row("{}")
	to, err := r.Route(&envelope.Change{Op: envelope.OpUpdate, Table: t.Source, After: object})
	if err != nil {
		return []string{err.Error()}
	}
	deletes, err := r.Route(&envelope.Change{Op: envelope.OpDelete, Table: t.Source, Before: object})
	if err != nil {
		reasons = append(reasons, "deletes: "+err.Error())
	}
	if to.Drop {
		return reasons
	}
	reasons = append(reasons, catalog.refuse(to, t.Columns)...)

	place := [2]string{to.Database, to.Table}
	if other := sources[place]; other != nil && !(slices.Equal(other.Key, t.Key) && slices.Equal(other.Columns, t.Columns)) {
		reasons = append(reasons, fmt.Sprintf("shares %s.%s with %s, which has another key or other columns", to.Database, to.Table, other.Source))
	}
	sources[place] = t

	if missing := lacking(t.Columns, t.Key); t.Columns != nil && missing != nil {
		reasons = append(reasons, fmt.Sprintf("key columns %q are not in the table", missing))
	}
	if to.Mode != AppendOnly && len(t.Key) == 0 {
		reasons = append(reasons, "update and delete need a unique key on the destination")
	}
	return append(reasons, t.checkDeletes(deletes)...)
}

func (t *Target) checkDeletes(to Destination) (reasons []string) {
	switch {
	case to.Drop:
		return nil
	case to.Mode == AppendOnly:
		return []string{"an append-only destination cannot take deletes: route them to Drop"}
	}
	image := t.Delete
	if image == nil {
		image = t.Key
	}
	if missing := lacking(image, t.Key); missing != nil {
		reasons = append(reasons, fmt.Sprintf("deletes cannot match: their image lacks the key columns %q", missing))
	}
	if missing := lacking(image, t.Partition); missing != nil {
		reasons = append(reasons, fmt.Sprintf("deletes cannot match: their image lacks the partition columns %q (REPLICA IDENTITY FULL sends them)", missing))
	}
	return reasons
}

// lacking returns the wanted names that are not in names.
func lacking(names, wanted []string) (missing []string) {
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			missing = append(missing, w)
		}
	}
	return missing
}

var s3TablesName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_]{0,253}[a-z0-9])?$`)

// refuse returns why the catalog does not take the names.
func (c Catalog) refuse(to Destination, columns []string) (reasons []string) {
	for kind, name := range map[string]string{"database": to.Database, "table": to.Table} {
		switch {
		case name == "":
			reasons = append(reasons, kind+" name is empty")
		case c == S3Tables && !s3TablesName.MatchString(name):
			reasons = append(reasons, fmt.Sprintf("%s name %q: S3 Tables takes 1 to 255 of a-z, 0-9 and _, with a letter or digit at either end", kind, name))
		case c == S3Tables && kind == "database" && strings.HasPrefix(name, "aws"):
			reasons = append(reasons, fmt.Sprintf("database name %q: S3 Tables reserves names that begin with aws", name))
		case strings.Contains(name, "-"):
			reasons = append(reasons, fmt.Sprintf("%s name %q: Firehose takes no hyphen", kind, name))
		}
	}
	slices.Sort(reasons) // a map has no order
	if c != S3Tables {
		return reasons
	}
	for _, name := range columns {
		if name != strings.ToLower(name) {
			reasons = append(reasons, fmt.Sprintf("column name %q: Athena and Lake Formation see lower case only", name))
		}
	}
	return reasons
}
