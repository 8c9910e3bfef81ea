package truth_test

import (
	"slices"
	"testing"
)

// The members of enums and sets, as the statements declare them. PostgreSQL's connector
// does not escape the comma in a member (with,comma), so that nobody can tell there.
func TestAllowed(t *testing.T) {
	for _, db := range []string{"mysql", "mariadb"} {
		schema := twinSchemas(t, db+"/types-default")[place{"types.sets", false}]
		for name, want := range map[string][]string{
			"e":  {"a", "b", "C d", "é", "x'y", `with "q"`, ""},
			"ec": {"a,b", "c"},
			"s":  {"a", "b", "c d", "é"},
			"el": {"ä", "ö"},
		} {
			if got := schema.Fields[schema.Index(name)].Type.Allowed; !slices.Equal(got, want) {
				t.Errorf("%s: %s has the members %q, want %q", db, name, got, want)
			}
		}
	}
	moods := twinSchemas(t, "postgres/types-precise")[place{"public.t_enum", false}]
	if got := moods.Fields[moods.Index("e")].Type.Allowed; !slices.Equal(got, []string{"sad", "ok", "with", "comma", "with'quote", "ünï 🙂", "happy"}) {
		t.Errorf("the moods are %q", got)
	}
}
