package route_test

import (
	"fmt"
	"path"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func table(db, schema, name string) envelope.Table {
	return envelope.Table{DB: db, Schema: schema, Name: name}
}

func TestRules(t *testing.T) {
	type (
		dest = route.Destination
		d    = map[envelope.Table]dest
		p    = []route.Pattern
	)
	orders := table("shop", "public", "orders")
	mysql := table("shop", "", "orders")
	for _, c := range []struct {
		name  string
		rules *route.Rules
		table envelope.Table
		want  dest
		err   error
	}{
		{"exact", &route.Rules{Tables: d{orders: {Database: "lake", Table: "o"}}}, orders, dest{Database: "lake", Table: "o"}, nil},
		{"exact keeps the mode", &route.Rules{Tables: d{orders: {Database: "lake", Table: "o", Mode: route.AppendOnly}}}, orders, dest{Database: "lake", Table: "o", Mode: route.AppendOnly}, nil},
		{"exact is exact", &route.Rules{Tables: d{orders: {Database: "lake"}}}, mysql, dest{}, route.ErrNoRoute},
		{"exact is exact, case", &route.Rules{Tables: d{orders: {Database: "lake"}}}, table("shop", "public", "Orders"), dest{}, route.ErrNoRoute},
		{"no schema", &route.Rules{Tables: d{mysql: {Database: "lake"}}}, mysql, dest{Database: "lake", Table: "orders"}, nil},
		{"any database", &route.Rules{Tables: d{table("", "public", "orders"): {Database: "{db}"}}}, orders, dest{Database: "shop", Table: "orders"}, nil},
		{"any database, no schema", &route.Rules{Tables: d{table("", "", "orders"): {Database: "{db}"}}}, mysql, dest{Database: "shop", Table: "orders"}, nil},
		{"any database, another schema", &route.Rules{Tables: d{table("", "", "orders"): {Database: "{db}"}}}, orders, dest{}, route.ErrNoRoute},
		{"one database before any", &route.Rules{Tables: d{orders: {Database: "one"}, table("", "public", "orders"): {Database: "any"}}}, orders, dest{Database: "one", Table: "orders"}, nil},
		{"any database before pattern", &route.Rules{Tables: d{table("", "public", "orders"): {Drop: true}}, Patterns: p{{To: dest{Database: "pattern"}}}}, orders, dest{Drop: true}, nil},
		{"exact before pattern", &route.Rules{Tables: d{orders: {Database: "exact"}}, Patterns: p{{To: dest{Database: "pattern"}}}}, orders, dest{Database: "exact", Table: "orders"}, nil},
		{"first pattern", &route.Rules{Patterns: p{{Name: "o*", To: dest{Database: "first"}}, {Name: "orders", To: dest{Database: "second"}}}}, orders, dest{Database: "first", Table: "orders"}, nil},
		{"second pattern", &route.Rules{Patterns: p{{Name: "i*", To: dest{Database: "first"}}, {Name: "orders", To: dest{Database: "second"}}}}, orders, dest{Database: "second", Table: "orders"}, nil},
		{"pattern before default", &route.Rules{Patterns: p{{Schema: "pub?ic", To: dest{Database: "pattern"}}}, Default: &dest{Database: "default"}}, orders, dest{Database: "pattern", Table: "orders"}, nil},
		{"all parts must match", &route.Rules{Patterns: p{{DB: "shop", Schema: "private", Name: "orders", To: dest{Database: "no"}}, {DB: "s*", Schema: "[a-z]*", Name: "*s", To: dest{Database: "yes"}}}}, orders, dest{Database: "yes", Table: "orders"}, nil},
		{"default", &route.Rules{Tables: d{mysql: {Database: "no"}}, Patterns: p{{DB: "other", To: dest{Database: "no"}}}, Default: &dest{Database: "default", Mode: route.Literal}}, orders, dest{Database: "default", Table: "orders", Mode: route.Literal}, nil},
		{"nothing", &route.Rules{}, orders, dest{}, route.ErrNoRoute},
		{"nothing matches", &route.Rules{Patterns: p{{Name: "items", To: dest{Database: "lake"}}}}, orders, dest{}, route.ErrNoRoute},

		{"database of the rules", &route.Rules{Database: "lake", Tables: d{orders: {Table: "o"}}}, orders, dest{Database: "lake", Table: "o"}, nil},
		{"database of the rule", &route.Rules{Database: "lake", Tables: d{orders: {Database: "own"}}}, orders, dest{Database: "own", Table: "orders"}, nil},
		{"templates", &route.Rules{Database: "{db}_raw", Default: &dest{Table: "{schema}_{table}_{schema}"}}, orders, dest{Database: "shop_raw", Table: "public_orders_public"}, nil},
		{"a template in the rule", &route.Rules{Default: &dest{Database: "{schema}", Table: "{db}"}}, orders, dest{Database: "public", Table: "shop"}, nil},
		{"a part that is not there", &route.Rules{Default: &dest{Database: "x{schema}", Table: "{schema}_{table}"}}, mysql, dest{Database: "x", Table: "_orders"}, nil},
		{"not a template", &route.Rules{Default: &dest{Database: "{DB}", Table: "{name}{table"}}, orders, dest{Database: "{DB}", Table: "{name}{table"}, nil},
		{"names that look like templates", &route.Rules{Default: &dest{Database: "{db}", Table: "{table}"}}, table("{table}", "{db}", "{schema}"), dest{Database: "{table}", Table: "{schema}"}, nil},
		{"lower", &route.Rules{Lower: true, Default: &dest{Database: "Lake", Table: "{db}_{table}"}}, table("Shop", "", "ÉTÉ"), dest{Database: "lake", Table: "shop_été"}, nil},
		{"not lower", &route.Rules{Default: &dest{Database: "Lake"}}, table("Shop", "", "ÉTÉ"), dest{Database: "Lake", Table: "ÉTÉ"}, nil},
		{"lower matches the source as it is", &route.Rules{Lower: true, Tables: d{table("", "", "Orders"): {Database: "Exact"}}, Default: &dest{Database: "Default"}}, table("", "", "Orders"), dest{Database: "exact", Table: "orders"}, nil},

		{"drop", &route.Rules{Tables: d{orders: {Drop: true}}}, orders, dest{Drop: true}, nil},
		{"drop by pattern", &route.Rules{Database: "lake", Patterns: p{{Name: "tmp_*", To: dest{Drop: true}}}, Default: &dest{}}, table("", "", "tmp_1"), dest{Drop: true}, nil},
		{"drop by default", &route.Rules{Database: "lake", Tables: d{orders: {}}, Default: &dest{Drop: true}}, mysql, dest{Drop: true}, nil},

		{"a slash", &route.Rules{Database: "lake", Patterns: p{{Name: "a*c", To: dest{Table: "hit"}}}}, table("", "", "a/b/c"), dest{Database: "lake", Table: "hit"}, nil},
		{"a slash, one letter", &route.Rules{Database: "lake", Patterns: p{{Name: "a?b", To: dest{Table: "hit"}}}}, table("", "", "a/b"), dest{Database: "lake", Table: "hit"}, nil},
		{"a slash, itself", &route.Rules{Database: "lake", Patterns: p{{Name: "a/*", To: dest{Table: "hit"}}}}, table("", "", "a/b"), dest{Database: "lake", Table: "hit"}, nil},
		{"a slash, not another", &route.Rules{Database: "lake", Patterns: p{{Name: "a/b", To: dest{Table: "hit"}}}}, table("", "", "axb"), dest{}, route.ErrNoRoute},
		{"brackets", &route.Rules{Database: "lake", Patterns: p{{Name: `a\[1\]*`, To: dest{Table: "hit"}}}}, table("", "", "a[1]x"), dest{Database: "lake", Table: "hit"}, nil},
		{"a class", &route.Rules{Database: "lake", Patterns: p{{Name: "a[12]", To: dest{Table: "hit"}}}}, table("", "", "a[12]"), dest{}, route.ErrNoRoute},
		{"a class without", &route.Rules{Database: "lake", Patterns: p{{Name: "[^_]*", To: dest{Table: "hit"}}}}, table("", "", "_tmp"), dest{}, route.ErrNoRoute},
		{"letters of several bytes", &route.Rules{Database: "lake", Patterns: p{{Name: "?t?", To: dest{Table: "hit"}}}}, table("", "", "été"), dest{Database: "lake", Table: "hit"}, nil},
		{"bad pattern", &route.Rules{Database: "lake", Patterns: p{{Name: "a[", To: dest{Table: "hit"}}}, Default: &dest{}}, orders, dest{}, path.ErrBadPattern},
		{"bad pattern behind one part that differs", &route.Rules{Database: "lake", Patterns: p{{DB: "no", Name: "[]a]", To: dest{Table: "hit"}}}, Default: &dest{}}, orders, dest{}, path.ErrBadPattern},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // found, and remembered
				got, err := c.rules.Route(&envelope.Change{Op: envelope.OpUpdate, Table: c.table})
				require.ErrorIs(t, err, c.err)
				assert.Equal(t, c.want, got)
			}
		})
	}
}

// A rule that leads nowhere is an error, not a table without a name.
func TestRulesWithoutDatabase(t *testing.T) {
	for _, r := range []*route.Rules{
		{Default: &route.Destination{Table: "t"}},
		{Database: "{schema}", Default: &route.Destination{}},
		{Database: "lake", Default: &route.Destination{Table: "{schema}"}},
	} {
		got, err := r.Route(&envelope.Change{Table: table("shop", "", "orders")})
		require.Error(t, err)
		require.NotErrorIs(t, err, route.ErrNoRoute)
		assert.Zero(t, got)
	}
}

// The errors name what is wrong with the rules or which table they lack.
func TestRulesErrors(t *testing.T) {
	r := &route.Rules{Patterns: []route.Pattern{{DB: "shop", Name: "a["}}}
	_, err := r.Route(&envelope.Change{Table: table("shop", "public", "orders")})
	require.EqualError(t, err, `route: pattern ["shop" "" "a["]: syntax error in pattern`)
	_, err = new(route.Rules).Route(&envelope.Change{Table: table("shop", "public", "orders")})
	require.EqualError(t, err, "route: no rule for table shop.public.orders")
}

// Many goroutines meet many tables for the first time.
func TestRulesConcurrent(t *testing.T) {
	r := &route.Rules{Database: "lake", Patterns: []route.Pattern{{Name: "*7", To: route.Destination{Drop: true}}, {Name: "*9"}}}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 1000 {
				name := fmt.Sprint("t", i%300)
				got, err := r.Route(&envelope.Change{Table: table("", "", name)})
				switch name[len(name)-1] {
				case '7':
					assert.NoError(t, err)
					assert.Equal(t, route.Destination{Drop: true}, got)
				case '9':
					assert.NoError(t, err)
					assert.Equal(t, route.Destination{Database: "lake", Table: name}, got)
				default:
					assert.ErrorIs(t, err, route.ErrNoRoute)
				}
			}
		})
	}
	group.Wait()
}

func TestFunc(t *testing.T) {
	c := &envelope.Change{Table: table("", "", "orders")}
	var f route.Router = route.Func(func(got *envelope.Change) (route.Destination, error) {
		assert.Same(t, c, got)
		return route.Destination{Table: got.Table.Name}, route.ErrNoRoute
	})
	got, err := f.Route(c)
	assert.Equal(t, route.Destination{Table: "orders"}, got)
	assert.Equal(t, route.ErrNoRoute, err)
}
