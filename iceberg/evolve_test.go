package iceberg_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// columns returns a schema from its text: id! long, a decimal(9,2); a column with ! is
// required, one with none is of a type that deltas do not have. The key stands behind a
// bar.
func columns(text string) *iceberg.Schema {
	s := new(iceberg.Schema)
	list, key, _ := strings.Cut(text, "|")
	s.Key = strings.Fields(key)
	for part := range strings.SplitSeq(list, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, spelling, _ := strings.Cut(strings.TrimSpace(part), " ")
		t, err := icetype.Parse(spelling)
		if err != nil && spelling != "none" {
			panic(err)
		}
		s.Columns = append(s.Columns, iceberg.Column{Name: strings.TrimSuffix(name, "!"), Type: t, Required: strings.HasSuffix(name, "!")})
	}
	return s
}

// steps writes what an Evolution does.
func steps(e *iceberg.Evolution) string {
	var out []string
	for _, r := range e.Rename {
		out = append(out, fmt.Sprintf("rename %s %s", r.From, r.To))
	}
	for _, name := range e.Delete {
		out = append(out, "delete "+name)
	}
	for _, name := range e.Relax {
		out = append(out, "relax "+name)
	}
	for _, c := range e.Widen {
		out = append(out, fmt.Sprintf("widen %s %v", c.Name, c.Type))
	}
	for _, c := range e.Add {
		out = append(out, fmt.Sprintf("add %s %v %v", c.Name, c.Type, c.Required))
	}
	if e.NewKey {
		out = append(out, fmt.Sprintf("key %v", e.Key))
	}
	if e.Rewrite {
		out = append(out, "rewrite")
	}
	return strings.Join(out, ", ")
}

func TestEvolve(t *testing.T) {
	drop := iceberg.Policy{Dropped: iceberg.DroppedDelete}
	fail := iceberg.Policy{Dropped: iceberg.DroppedFail}
	rename := iceberg.Policy{Incompatible: iceberg.IncompatibleRename}
	for _, tt := range []struct {
		name       string
		policy     iceberg.Policy
		has, wants string
		want       string
	}{
		{"same", iceberg.Policy{}, "id! long; a int |id", "id! long; a int |id", ""},
		{"another order", iceberg.Policy{}, "a int; id! long |id", "id! long; a int |id", ""},
		{"add", iceberg.Policy{}, "id! long |id", "id! long; a int; b! string |id", "add a int false, add b string false"},
		{"widen", iceberg.Policy{}, "id! long; a int; b float; c decimal(9,2) |id", "id! long; a long; b double; c decimal(38,2) |id", "widen a long, widen b double, widen c decimal(38,2)"},
		{"the table's is wider", iceberg.Policy{}, "id! long; a long; b double; c decimal(38,2) |id", "id! long; a int; b float; c decimal(9,2) |id", ""},
		{"widen and relax", iceberg.Policy{}, "id! long; a! int |id", "id! long; a long |id", "relax a, widen a long"},
		{"relax", iceberg.Policy{}, "id! long; a! int |id", "id! long; a int |id", "relax a"},
		{"never required again", iceberg.Policy{}, "id! long; a int |id", "id! long; a! int |id", ""},
		{"widen the key", iceberg.Policy{}, "id! int; a int |id", "id! long; a int |id", "widen id long, rewrite"},
		{"widen the key and another", iceberg.Policy{}, "id! int; a int |id", "id! long; a long |id", "widen id long, widen a long, rewrite"},
		{"widen a key that may be null", iceberg.Policy{}, "id int; a int", "id long; a int |id", "widen id long, rewrite"},
		{"the key may be null", iceberg.Policy{}, "id! int; a int |id", "id int; a int |id", "relax id, key []"},
		{"the key was null once", iceberg.Policy{}, "id int", "id! int |id", ""},
		{"a key for the first time", iceberg.Policy{}, "id! int", "id! int |id", "key [id]"},
		{"another key", iceberg.Policy{}, "id! int; a! int |id", "id! int; a! int |id a", "key [id a]"},
		{"the key's order", iceberg.Policy{}, "id! int; a! int |id a", "id! int; a! int |a id", ""},
		{"another key that may be null", iceberg.Policy{}, "id! int; a int |id", "id! int; a int |a", "key []"},
		{"keep dropped", iceberg.Policy{}, "id! int; a int; b! int |id", "id! int |id", "relax b"},
		{"delete dropped", drop, "id! int; a int; b! int |id", "id! int |id", "delete a, delete b"},
		{"another's types stay", drop, "id! int; a none; b! none |id", "id! int |id", "relax b"},
		{"another's types stay, and fail nothing", fail, "id! int; a none |id", "id! int |id", ""},
		{"rename", rename, "id! int; a! int; b string |id", "id! int; a string; b date |id", "rename a a_1, rename b b_1, relax a_1, add a string false, add b date false"},
		{"rename once more", rename, "id! int; a_1 int; a string |id", "id! int; a date; a_2 int |id", "rename a a_3, add a date false, add a_2 int false"},
		{"renamed is not dropped", iceberg.Policy{Incompatible: iceberg.IncompatibleRename, Dropped: iceberg.DroppedDelete}, "id! int; a_1 int; a string; b_1 int; a_x int; a_0 int; _1 int |id", "id! int; a string |id", "delete b_1, delete a_x, delete a_0, delete _1"},
		{"renamed is not missed", iceberg.Policy{Incompatible: iceberg.IncompatibleRename, Dropped: iceberg.DroppedFail}, "id! int; a_1 int; a string |id", "id! int; a string |id", ""},
		{"renaming renames another's types", rename, "id! int; a none |id", "id! int; a string |id", "rename a a_1, add a string false"},
	} {
		e, err := tt.policy.Evolve(items, columns(tt.has), columns(tt.wants))
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, steps(e), tt.name)
		require.Equal(t, tt.want == "", e.IsZero(), tt.name)
	}
}

func TestEvolveRefuses(t *testing.T) {
	rename := iceberg.Policy{Incompatible: iceberg.IncompatibleRename}
	for _, tt := range []struct {
		name       string
		policy     iceberg.Policy
		has, wants string
		columns    string
		causes     []error
	}{
		{"narrower by kind", iceberg.Policy{}, "id! long; a string |id", "id! long; a int |id", "a", []error{iceberg.ErrIncompatible}},
		{"another scale", iceberg.Policy{}, "id! long; a decimal(9,2) |id", "id! long; a decimal(18,3) |id", "a", []error{iceberg.ErrIncompatible}},
		{"int to double", iceberg.Policy{}, "id! long; a int |id", "id! long; a double |id", "a", []error{iceberg.ErrIncompatible}},
		{"long to decimal", iceberg.Policy{}, "id! long; a long |id", "id! long; a decimal(20,0) |id", "a", []error{iceberg.ErrIncompatible}},
		{"date to timestamp", iceberg.Policy{}, "id! long; a date |id", "id! long; a timestamp |id", "a", []error{iceberg.ErrIncompatible}},
		{"another's type", iceberg.Policy{}, "id! long; a none |id", "id! long; a string |id", "a", []error{iceberg.ErrIncompatible}},
		{"the key's type", rename, "id! long |id", "id! string |id", "id", []error{iceberg.ErrIncompatible}},
		{"the former key's type", rename, "id! long; b! long |id", "id! string; b! long |b", "id", []error{iceberg.ErrIncompatible}},
		{"a key that rows lack", iceberg.Policy{}, "id! long |id", "id! long; b! long |id b", "b", []error{iceberg.ErrKey}},
		{"dropped from the key", iceberg.Policy{Dropped: iceberg.DroppedDelete}, "id! long; b! long |id b", "id! long |id", "b", []error{iceberg.ErrKey, iceberg.ErrDropped}},
		{"dropped", iceberg.Policy{Dropped: iceberg.DroppedFail}, "id! long; b long |id", "id! long |id", "b", []error{iceberg.ErrDropped}},
		{"dropped, named as if renamed", iceberg.Policy{Dropped: iceberg.DroppedFail}, "id! long; id_1 long |id", "id! long |id", "id_1", []error{iceberg.ErrDropped}},
		{"all that is wrong", iceberg.Policy{Dropped: iceberg.DroppedFail}, "id! long; a int; b long |id", "id! string; a string |id", "id a b", []error{iceberg.ErrIncompatible, iceberg.ErrDropped}},
	} {
		_, err := tt.policy.Evolve(items, columns(tt.has), columns(tt.wants))
		require.Error(t, err, tt.name)
		var named []string
		for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
			var wrong *iceberg.SchemaError
			require.ErrorAs(t, err, &wrong, tt.name)
			require.Equal(t, items, wrong.Table, tt.name)
			named = append(named, wrong.Column)
		}
		require.Equal(t, tt.columns, strings.Join(named, " "), tt.name)
		for _, cause := range []error{iceberg.ErrIncompatible, iceberg.ErrKey, iceberg.ErrDropped} {
			require.Equal(t, slices.Contains(tt.causes, cause), errors.Is(err, cause), "%s: %v", tt.name, cause)
		}
	}
}

// promotions are the table specification's.
var promotions = map[string]string{"int": "long", "float": "double", "decimal(9,2)": "decimal(18,2)"}

// evolved does to a schema what an Evolution says, as strictly as a catalog does.
func evolved(t require.TestingT, s *iceberg.Schema, e *iceberg.Evolution) *iceberg.Schema {
	out := &iceberg.Schema{Columns: slices.Clone(s.Columns), Key: slices.Clone(s.Key)}
	at := func(name string) *iceberg.Column {
		i := out.Index(name)
		require.GreaterOrEqual(t, i, 0, "no column %s", name)
		return &out.Columns[i]
	}
	for _, r := range e.Rename {
		require.Negative(t, out.Index(r.To), "a second column %s", r.To)
		at(r.From).Name = r.To
	}
	if e.NewKey {
		out.Key = e.Key
	}
	for _, name := range e.Delete {
		i := out.Index(name)
		require.GreaterOrEqual(t, i, 0)
		out.Columns = slices.Delete(out.Columns, i, i+1)
	}
	for _, name := range e.Relax {
		require.True(t, at(name).Required, "%s was never required", name)
		at(name).Required = false
	}
	for _, c := range e.Widen {
		require.Equal(t, promotions[at(c.Name).Type.String()], c.Type.String())
		at(c.Name).Type = c.Type
	}
	for _, c := range e.Add {
		require.Negative(t, out.Index(c.Name), "a second column %s", c.Name)
		require.False(t, c.Required, "%s is null in the rows that there are", c.Name)
		out.Columns = append(out.Columns, c)
	}
	for _, name := range out.Key {
		require.True(t, at(name).Required, "%s identifies rows and may be null", name)
	}
	return out
}

// drawSchema draws columns. Those of a table's key are never null.
func drawSchema(t *rapid.T, inTable bool) *iceberg.Schema {
	types := []string{"int", "int", "long", "float", "double", "decimal(9,2)", "decimal(18,2)", "decimal(9,3)", "string"}
	if inTable {
		types = append(types, "none")
	}
	s := new(iceberg.Schema)
	names := rapid.Permutation([]string{"a", "b", "c", "a_1", "a_1_1"}).Draw(t, "names")
	for _, name := range names[:rapid.IntRange(1, len(names)).Draw(t, "columns")] {
		spelling := rapid.SampledFrom(types).Draw(t, "type")
		typ, _ := icetype.Parse(spelling)
		c := iceberg.Column{Name: name, Type: typ, Required: rapid.Bool().Draw(t, "required")}
		s.Columns = append(s.Columns, c)
		if spelling != "float" && spelling != "double" && spelling != "none" && (c.Required || !inTable) && rapid.Bool().Draw(t, "in key") {
			s.Key = append(s.Key, name)
		}
	}
	return s
}

// Whatever a table has and a delta wants: either there is a reason to refuse it, or the
// table holds the delta's rows afterwards and has lost nothing but what the policy says,
// and there is nothing left to do.
func TestEvolveProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		has, wants := drawSchema(t, true), drawSchema(t, false)
		p := iceberg.Policy{
			Dropped:      iceberg.Dropped(rapid.IntRange(0, 2).Draw(t, "dropped")),
			Incompatible: iceberg.Incompatible(rapid.IntRange(0, 1).Draw(t, "incompatible")),
		}
		renames := p.Incompatible == iceberg.IncompatibleRename
		inKeys := func(name string) bool { return slices.Contains(has.Key, name) || slices.Contains(wants.Key, name) }
		refused, rewrite := false, false
		gone, renamed := map[string]bool{}, map[string]bool{}
		for _, w := range wants.Columns {
			i := has.Index(w.Name)
			if i < 0 {
				refused = refused || slices.Contains(wants.Key, w.Name)
				continue
			}
			from, to := has.Columns[i].Type.String(), w.Type.String()
			switch {
			case from == to, promotions[to] == from:
			case promotions[from] == to:
				rewrite = rewrite || inKeys(w.Name)
			case renames && !inKeys(w.Name):
				renamed[w.Name] = true
			default:
				refused = true
			}
		}
		for _, h := range has.Columns {
			if wants.Index(h.Name) >= 0 {
				continue
			}
			other := h.Type == icetype.Type{}
			former := strings.TrimSuffix(h.Name, "_1")
			kept := other || renames && former != h.Name && wants.Index(former) >= 0
			gone[h.Name] = !kept && p.Dropped == iceberg.DroppedDelete
			refused = refused || slices.Contains(has.Key, h.Name) || !kept && p.Dropped == iceberg.DroppedFail
		}
		e, err := p.Evolve(items, has, wants)
		if refused {
			var wrong *iceberg.SchemaError
			require.ErrorAs(t, err, &wrong)
			return
		}
		require.NoError(t, err)
		require.Equal(t, rewrite, e.Rewrite)
		got := evolved(t, has, e)
		key := wants.Key
		for _, w := range wants.Columns {
			i := got.Index(w.Name)
			require.GreaterOrEqual(t, i, 0)
			c := got.Columns[i]
			require.True(t, c.Type == w.Type || promotions[w.Type.String()] == c.Type.String(), "%v does not hold %v", c.Type, w.Type)
			require.True(t, w.Required || !c.Required, "%s may be null", w.Name)
			if slices.Contains(wants.Key, w.Name) && !c.Required {
				key = nil
			}
		}
		require.ElementsMatch(t, key, got.Key)
		for _, h := range has.Columns {
			switch i := got.Index(h.Name); {
			case wants.Index(h.Name) >= 0 && !renamed[h.Name]:
			case renamed[h.Name]:
				require.True(t, slices.ContainsFunc(got.Columns, func(c iceberg.Column) bool {
					return strings.HasPrefix(c.Name, h.Name+"_") && has.Index(c.Name) < 0 && wants.Index(c.Name) < 0 && c.Type == h.Type && !c.Required
				}), "%s is lost", h.Name)
			case gone[h.Name]:
				require.Negative(t, i)
			default:
				require.GreaterOrEqual(t, i, 0, "%s is lost", h.Name)
				require.Equal(t, h.Type, got.Columns[i].Type)
				require.False(t, got.Columns[i].Required)
			}
		}
		again, err := p.Evolve(items, got, wants)
		require.NoError(t, err)
		require.True(t, again.IsZero(), "the second time: %s", steps(again))
		require.False(t, again.Rewrite)
	})
}
