package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendKey(t *testing.T) {
	table := Table{"d", "s", "t"}
	update := func(key, after string) *Change {
		return &Change{Op: OpUpdate, Table: table, Key: Row(key), After: Row(after)}
	}
	for _, group := range []struct {
		name string
		same bool
		of   []string // key images
	}{
		{"spellings of one string", true, []string{`{"a":"é/"}`, `{"a":"\u00e9\/"}`, `{"\u0061":"\u00E9/"}`}},
		{"spellings of one number", true, []string{`{"a":10}`, `{"a":10.0}`, `{"a":1e1}`, `{"a":1E+1}`, `{"a":100e-1}`, `{"a":0.1e2}`}},
		{"spellings of a negative number", true, []string{`{"a":-1.5}`, `{"a":-15e-1}`, `{"a":-0.15E1}`}},
		{"spellings of zero", true, []string{`{"a":0}`, `{"a":-0}`, `{"a":0.00}`, `{"a":0e99}`}},
		{"space", true, []string{`{"a":1,"b":[1,{"c":2}]}`, ` { "a" : 1 , "b" : [ 1 , { "c" : 2 } ] } `}},
		{"order of the columns", true, []string{`{"a":1,"b":2}`, `{"b":2,"a":1}`, `{"b":2,"\u0061":1}`}},
		{"a router's member", true, []string{`{"a":1}`, `{"a":1,"__dbz__physicalTableIdentifier":"x"}`, `{"__dbz__sourceIdentifier":"y","a":1}`}},
		{"different keys", false, []string{
			`{"a":1}`, `{"a":"1"}`, `{"a":"one"}`, `{"a":-1}`, `{"a":1.5}`, `{"a":15}`, `{"a":150}`, `{"a":null}`, `{"a":"null"}`, `{"a":true}`, `{"a":false}`, `{"a":""}`, `{"a":0}`, `{"a":[]}`, `{"a":{}}`, `{"a":"[]"}`,
			`{"a":[1]}`, `{"a":[[1]]}`, `{"a":[1,1]}`, `{"a":[[1],1]}`, `{"a":[[1,1]]}`, `{"a":{"b":1}}`, `{"a":{"b":{}}}`, `{"a":{"b":1,"c":2}}`, `{"a":{"b":{"c":2}}}`,
			`{"b":1}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`, `{"a":12,"b":""}`, `{"a":"","b":12}`, `{"a":1e400}`, `{"a":1e9999999999999999999}`, `{"a":"1e9999999999999999999"}`, `{"a":9007199254740993}`, `{"a":9007199254740992}`,
			`{"a":"x","b":"y"}`, `{"a":"xy","b":""}`, `{"a":"","b":"xy"}`, `{"ab":"x"}`, `{"a":"bx"}`, `{"a":"x\u0000"}`,
		}},
	} {
		seen := map[string]string{}
		for _, key := range group.of {
			got, err := update(key, "").AppendKey(nil)
			if err != nil {
				t.Fatal(group.name, key, err)
			}
			if other, ok := seen[string(got)]; ok != group.same && len(seen) > 0 {
				t.Errorf("%s: %s and %s: equal is %v", group.name, key, other, ok)
			}
			seen[string(got)] = key
		}
	}

	// The columns named, wherever they are, in any order: the same identity.
	want, _ := update(`{"a":1,"b":"x"}`, "").AppendKey(nil)
	for name, c := range map[string]*Change{
		"in the row":     update("", `{"x":0,"b":"x","a":1}`),
		"in the key":     update(`{"a":1,"b":"x"}`, `{"a":2,"b":"y"}`),
		"in both":        update(`{"b":"x"}`, `{"a":1}`),
		"in before":      {Op: OpDelete, Table: table, Before: Row(`{"a":1,"b":"x","c":0}`), After: Row(`{}`)},
		"with a routers": update(`{"a":1,"b":"x","__dbz__physicalTableIdentifier":"x"}`, ""),
	} {
		for _, columns := range [][]string{{"a", "b"}, {"b", "a"}} {
			if got, err := c.AppendKey([]byte("prefix"), columns...); err != nil || string(got) != "prefix"+string(want) {
				t.Errorf("%s: %q, %v, want %q", name, got, err, want)
			}
		}
	}

	// Tables are part of it, each name by itself.
	seen := map[string]bool{}
	for _, table := range []Table{{}, {"a", "b", "c"}, {"ab", "", "c"}, {"a", "", "bc"}, {"", "a", "bc"}, {"abc", "", ""}} {
		got, err := (&Change{Table: table, Key: Row(`{"a":1}`)}).AppendKey(nil)
		if err != nil || seen[string(got)] {
			t.Errorf("%v: %q, %v", table, got, err)
		}
		seen[string(got)] = true
	}
}

func TestAppendKeyErrors(t *testing.T) {
	many := make([]string, maxKeyColumns+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"c%d":1`, i)
	}
	for _, c := range []struct {
		name       string
		key, after string
		columns    []string
		err        error
		path       string
	}{
		{"no key", "", `{"a":1}`, nil, ErrNoKey, ""},
		{"empty key", `{}`, `{"a":1}`, nil, ErrNoKey, ""},
		{"only a router's member", `{"__dbz__physicalTableIdentifier":"x"}`, `{"a":1}`, nil, ErrNoKey, ""},
		{"missing", "", `{"a":1}`, []string{"a", "b"}, ErrMissing, "/b"},
		{"missing without image", "", "", []string{"a"}, ErrMissing, "/a"},
		{"twice in the row", "", `{"a":1,"a":1}`, []string{"a"}, ErrDuplicate, "/a"},
		{"twice in the row, spelled differently", "", `{"a":1,"\u0061":1}`, []string{"a"}, ErrDuplicate, "/a"},
		{"twice in the key", `{"a":1,"\u0061":1}`, "", nil, ErrDuplicate, "/a"},
		{"twice in the key, asked for", `{"a":1,"a":1}`, "", []string{"a"}, ErrDuplicate, "/a"},
		{"asked for twice", "", `{"a":1}`, []string{"a", "a"}, ErrDuplicate, "/a"},
		{"odd name", "", `{}`, []string{"a/b~c"}, ErrMissing, "/a~1b~0c"},
		{"too many", "{" + strings.Join(many, ",") + "}", "", nil, ErrLimit, ""},
		{"too many asked for", "", `{}`, many, ErrLimit, ""},
		{"not an object", `[1]`, "", nil, ErrType, ""},
		{"not JSON", `{"a":`, "", nil, ErrSyntax, "/a"},
	} {
		change := &Change{Op: OpUpdate, Table: Table{"d", "s", "t"}, Key: Row(c.key), After: Row(c.after)}
		if c.key == "" {
			change.Key = nil
		}
		if c.after == "" {
			change.After = nil
		}
		got, err := change.AppendKey([]byte("prefix"), c.columns...)
		if !errors.Is(err, c.err) || string(got) != "prefix" || !IsPermanent(err) {
			t.Errorf("%s: %q, %v, want %v", c.name, got, err, c.err)
		}
		if fault, ok := errors.AsType[*DecodeError](err); ok && fault.Path != c.path {
			t.Errorf("%s: path %s, want %s", c.name, fault.Path, c.path)
		}
	}
}

func TestAppendKeyDoesNotAllocate(t *testing.T) {
	c := &Change{Op: OpUpdate, Table: Table{"d", "s", "t"}, Key: Row(`{"b":"x","a":123,"__dbz__physicalTableIdentifier":"x"}`), After: Row(`{"a":123,"b":"x"}`)}
	byRow := *c
	byRow.Key = nil
	dst := make([]byte, 0, 256)
	for name, f := range map[string]func(){
		"key": func() { _, _ = c.AppendKey(dst) },
		"row": func() { _, _ = byRow.AppendKey(dst, "a", "b") },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestKeyColumns(t *testing.T) {
	keys := KeyColumns(map[Table][]string{{Name: "t"}: {"id"}, {Name: "empty"}: {}})
	want, _ := (&Change{Table: Table{Name: "t"}, Key: Row(`{"id":1}`)}).AppendKey(nil)
	if got, err := keys(nil, &Change{Op: OpRead, Table: Table{Name: "t"}, After: Row(`{"id":1,"x":2}`)}); err != nil || string(got) != string(want) {
		t.Errorf("%q, %v", got, err)
	}
	want, _ = (&Change{Table: Table{DB: "d", Name: "t"}, Key: Row(`{"id":1}`)}).AppendKey(nil)
	if got, err := keys(nil, &Change{Op: OpRead, Table: Table{DB: "d", Name: "t"}, After: Row(`{"id":1}`)}); err != nil || string(got) != string(want) {
		t.Errorf("in any database: %q, %v", got, err)
	}
	for _, name := range []string{"empty", "other"} {
		if got, err := keys([]byte("x"), &Change{Table: Table{Name: name}, After: Row(`{"id":1}`)}); !errors.Is(err, ErrNoKey) || string(got) != "x" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// drawValue draws a JSON value of up to a depth.
func drawValue(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 5+min(depth, 1)*2).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(fmt.Sprint(rapid.Int64().Draw(t, "int")))
	case 3:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?`).Draw(t, "number"))
	case 4, 5:
		return rapid.String().Draw(t, "text")
	case 6:
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawValue(t, depth-1) }), 0, 3).Draw(t, "array")
	}
	return rapid.MapOfN(rapid.StringN(0, 3, -1), rapid.Custom(func(t *rapid.T) any { return drawValue(t, depth-1) }), 0, 3).Draw(t, "object")
}

// Keys are equal exactly if their values are, as an independent reader sees them.
func TestKeysAreInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "ab", "", "é", "a\"b"}), 1, 3, rapid.ID).Draw(t, "names")
		image := func(label string) (string, string) {
			m := map[string]any{}
			for _, n := range names {
				m[n] = drawValue(t, 2)
			}
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return string(b), normal(m)
		}
		a, aMeaning := image("a")
		b, bMeaning := image("b")
		ka, err := (&Change{Key: Row(a)}).AppendKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		kb, err := (&Change{Key: Row(b)}).AppendKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		if (string(ka) == string(kb)) != (aMeaning == bMeaning) {
			t.Fatalf("%s and %s: keys %q and %q", a, b, ka, kb)
		}
	})
}

func TestKeyNames(t *testing.T) {
	c := Change{Key: Row(`{"a":1,"__dbz__physicalTableIdentifier":"t","\u0062":2}`)}
	if names, err := c.KeyNames(); err != nil || len(names) != 2 || names[0] != "a" || names[1] != "b" {
		t.Errorf("%q, %v", names, err)
	}
	if names, err := new(Change).KeyNames(); err != nil || len(names) != 0 {
		t.Errorf("%q, %v", names, err)
	}
	c.Key = Row(`{"a":1,}`)
	if _, err := c.KeyNames(); err == nil {
		t.Error("a key that is no JSON has names")
	}
}

func TestLookup(t *testing.T) {
	m := map[Table]int{{"d", "s", "t"}: 1, {"", "s", "t"}: 2}
	for table, want := range map[Table]int{{"d", "s", "t"}: 1, {"e", "s", "t"}: 2, {"", "s", "t"}: 2, {"d", "s", "u"}: 0} {
		if got, ok := Lookup(m, table); got != want || ok != (want > 0) {
			t.Errorf("%v has %d, %v", table, got, ok)
		}
	}
}
