package route

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/rowdelta/rowdelta/envelope"
)

// Rules is a Router over a list of tables and patterns. An exact table comes
// first, with its database and then without, then the first pattern that
// matches, then the default; a table that none of them names gives [ErrNoRoute],
// so that a new table's rows are seen to fail and are not lost in silence.
//
// The names in a rule's Destination are templates: {db}, {schema} and {table}
// stand for the parts of the source table's name. An empty Table is {table}, an
// empty Database is that of the Rules.
//
// Rules is safe for concurrent use. Its fields must not change after the first
// call of Route, and it must not be copied.
type Rules struct {
	Database string                         // for rules that name none; a template too
	Lower    bool                           // lower-case the destinations' names, as S3 Tables asks for
	Tables   map[envelope.Table]Destination // a key without DB stands for the table in any database
	Patterns []Pattern
	Default  *Destination // nil: a table without a rule is an error

	mu       sync.RWMutex
	resolved map[envelope.Table]resolution
}

// A Pattern matches tables by the parts of their names, each with the syntax of
// [path.Match]; an empty part matches anything.
type Pattern struct {
	DB, Schema, Name string
	To               Destination
}

type resolution struct {
	to  Destination
	err error
}

// maxResolved bounds how many tables' destinations are remembered; those of
// further ones are found anew each time.
const maxResolved = 4096

// Route implements [Router].
func (r *Rules) Route(c *envelope.Change) (Destination, error) {
	r.mu.RLock()
	found, ok := r.resolved[c.Table]
	r.mu.RUnlock()
	if ok {
		return found.to, found.err
	}
	found.to, found.err = r.resolve(c.Table)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resolved == nil {
		r.resolved = make(map[envelope.Table]resolution)
	}
	if len(r.resolved) < maxResolved {
		r.resolved[c.Table] = found
	}
	return found.to, found.err
}

func (r *Rules) resolve(t envelope.Table) (Destination, error) {
	if to, ok := envelope.Lookup(r.Tables, t); ok {
		return r.expand(to, t)
	}
	for _, p := range r.Patterns {
		ok, err := p.match(t)
		if err != nil {
			return Destination{}, fmt.Errorf("route: pattern %q: %w", []string{p.DB, p.Schema, p.Name}, err)
		}
		if ok {
			return r.expand(p.To, t)
		}
	}
	if r.Default != nil {
		return r.expand(*r.Default, t)
	}
	return Destination{}, fmt.Errorf("%w %s", ErrNoRoute, t)
}

func (p *Pattern) match(t envelope.Table) (bool, error) {
	all := true
	for _, part := range [...][2]string{{p.DB, t.DB}, {p.Schema, t.Schema}, {p.Name, t.Name}} {
		if part[0] == "" {
			continue
		}
		// path.Match stops at a slash, which may stand in a table's name.
		slash := strings.NewReplacer("/", "\x00")
		ok, err := path.Match(slash.Replace(part[0]), slash.Replace(part[1]))
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

var errNoDestination = errors.New("route: the rule names no database")

func (r *Rules) expand(to Destination, t envelope.Table) (Destination, error) {
	if to.Drop {
		return to, nil
	}
	if to.Table == "" {
		to.Table = "{table}"
	}
	if to.Database == "" {
		to.Database = r.Database
	}
	names := strings.NewReplacer("{db}", t.DB, "{schema}", t.Schema, "{table}", t.Name)
	to.Database, to.Table = names.Replace(to.Database), names.Replace(to.Table)
	if r.Lower {
		to.Database, to.Table = strings.ToLower(to.Database), strings.ToLower(to.Table)
	}
	if to.Database == "" || to.Table == "" {
		return Destination{}, errNoDestination
	}
	return to, nil
}
