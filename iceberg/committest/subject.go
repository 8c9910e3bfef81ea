package committest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// A subject is a committer under test. Its methods say what must be, and end the test
// where it is not.
type subject struct {
	tb    testing.TB
	open  func() Sink
	sink  Sink
	table envelope.Table
	at    int // the end of the last delta that was made
}

func newSubject(tb testing.TB, open func() Sink) *subject {
	return &subject{tb: tb, open: open, sink: open(), table: envelope.Table{DB: "shop", Schema: "public", Name: "items"}}
}

// reopen goes on as another process.
func (s *subject) reopen() { s.sink = s.open() }

// on returns the subject for another table.
func (s *subject) on(schema, name string) *subject {
	other := *s
	other.table, other.at = envelope.Table{DB: "shop", Schema: schema, Name: name}, 0
	return &other
}

func position(n int) string { return fmt.Sprintf("%06d", n) }

// delta makes a delta that deletes keys and writes rows, behind the last one. A key is a
// row of which only the key's columns count.
func (s *subject) delta(schema string, keys []row, rows ...row) *iceberg.Delta {
	return s.deltaOf(columns(schema), keys, rows...)
}

func (s *subject) deltaOf(schema *iceberg.Schema, keys []row, rows ...row) *iceberg.Delta {
	d := &iceberg.Delta{Table: s.table, Schema: schema, From: position(s.at), To: position(s.at + 1)}
	s.at++
	d.ID = s.id("delta")
	touched := slices.Clone(keys)
	seen := map[string]bool{}
	keyOf := func(r row) string {
		one := rowsOf(schema, []row{r}, schema.Key)
		return lines(schema, &one, schema.Key)[0]
	}
	for _, k := range keys {
		seen[keyOf(k)] = true
	}
	for _, r := range rows {
		if !seen[keyOf(r)] {
			seen[keyOf(r)] = true
			touched = append(touched, r)
		}
	}
	d.Keys, d.Rows = rowsOf(schema, touched, schema.Key), rowsOf(schema, rows, nil)
	names := lines(schema, &d.Keys, schema.Key)
	for i, r := range rows {
		gap := iceberg.Gap{Row: i, Key: -1}
		for col, value := range r {
			f, unsent := value.(from)
			if !unsent {
				continue
			}
			gap.Columns = append(gap.Columns, col)
			gap.Own = f.own
			if f.key != nil {
				gap.Key = slices.Index(names, keyOf(f.key))
				if gap.Key < 0 {
					panic("a gap's key is not touched")
				}
			}
		}
		if gap.Columns != nil {
			d.Gaps = append(d.Gaps, gap)
		}
	}
	return d
}

// id returns the ID of the last delta, as a Builder makes them: letters and digits.
func (s *subject) id(kind string) string {
	return fmt.Sprintf("%x", kind+s.table.String()+position(s.at))
}

// truncated makes a delta one that begins with a truncate.
func truncated(d *iceberg.Delta) *iceberg.Delta {
	d.Truncated = true
	return d
}

// commit commits a delta. Commit gets a copy of it, which it must not change, and which
// is worth nothing afterwards.
func (s *subject) commit(d *iceberg.Delta) {
	s.tb.Helper()
	if err := s.try(s.tb.Context(), d); err != nil {
		s.tb.Fatalf("Commit of the delta up to %s: %v", d.To, err)
	}
}

// apply commits a delta that is made of keys and rows.
func (s *subject) apply(schema string, keys []row, rows ...row) {
	s.tb.Helper()
	s.commit(s.delta(schema, keys, rows...))
}

func (s *subject) try(ctx context.Context, d *iceberg.Delta) error {
	s.tb.Helper()
	passed := copied(d)
	err := s.sink.Commit(ctx, passed)
	if !alike(reflect.ValueOf(d), reflect.ValueOf(passed)) {
		s.tb.Fatalf("Commit changed the delta up to %s", d.To)
	}
	scribble(reflect.ValueOf(passed))
	return err
}

// refuses commits a delta that cannot be committed. Nothing may have changed.
func (s *subject) refuses(d *iceberg.Delta, cause error) error {
	s.tb.Helper()
	before := s.state()
	err := s.try(s.tb.Context(), d)
	if !errors.Is(err, cause) {
		s.tb.Fatalf("Commit: %v; want an error that wraps %q", err, cause)
	}
	discreet(s.tb, err)
	if after := s.state(); after != before {
		s.tb.Fatalf("a delta that was refused changed the table:\n%s", cmp.Diff(before, after))
	}
	return err
}

// secret is a value that no error may hold.
const secret = "secret-value"

func discreet(tb testing.TB, err error) {
	tb.Helper()
	if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
		tb.Fatalf("an error holds a value: %v", err)
	}
}

// schema returns the table's columns, which must be there.
func (s *subject) schema() *iceberg.Schema {
	s.tb.Helper()
	schema, err := s.sink.Schema(s.tb.Context(), s.table)
	if err != nil || schema == nil {
		s.tb.Fatalf("Schema of %s: %v, %v", s.table, schema, err)
	}
	return schema
}

// read returns the table's rows as lines, in their order.
func (s *subject) read(schema *iceberg.Schema, names []string) []string {
	s.tb.Helper()
	got := []string{}
	for rows, err := range s.sink.Rows(s.tb.Context(), s.table) {
		if err != nil {
			s.tb.Fatalf("Rows of %s: %v", s.table, err)
		}
		if len(rows.Columns) != len(schema.Columns) {
			s.tb.Fatalf("Rows of %s: %d columns, want %d", s.table, len(rows.Columns), len(schema.Columns))
		}
		for i, c := range schema.Columns {
			if err := wrong(&rows.Columns[i], c.Type, rows.Len); err != nil {
				s.tb.Fatalf("Rows of %s, column %s: %v", s.table, c.Name, err)
			}
		}
		got = append(got, lines(schema, rows, names)...)
	}
	slices.Sort(got)
	return got
}

// holds reads the table, which must have the rows, in these columns.
func (s *subject) holds(names string, rows ...row) {
	s.tb.Helper()
	schema := s.schema()
	list := strings.Fields(names)
	want := &iceberg.Schema{}
	for _, name := range list {
		i := schema.Index(name)
		if i < 0 {
			s.tb.Fatalf("%s has no column %s", s.table, name)
		}
		want.Columns = append(want.Columns, schema.Columns[i])
	}
	wanted := rowsOf(want, rows, nil)
	expected := lines(want, &wanted, list)
	slices.Sort(expected)
	s.same(s.read(schema, list), expected)
}

// same compares lines that can be too many to print.
func (s *subject) same(got, want []string) {
	s.tb.Helper()
	if !slices.Equal(got, want) {
		s.tb.Fatalf("%s has %d rows, want %d: %.1000s", s.table, len(got), len(want), cmp.Diff(want, got))
	}
}

// typed says of which type a column must be, spelled, with ! if it is required.
func (s *subject) typed(name, want string) {
	s.tb.Helper()
	schema := s.schema()
	i := schema.Index(name)
	if i < 0 {
		s.tb.Fatalf("%s has no column %s", s.table, name)
	}
	c := schema.Columns[i]
	if got := c.Type.String() + map[bool]string{true: "!"}[c.Required]; got != want {
		s.tb.Fatalf("column %s of %s is %s, want %s", name, s.table, got, want)
	}
}

// isAt says up to where the table must have everything.
func (s *subject) isAt(want string) {
	s.tb.Helper()
	if got := s.position(); got != want {
		s.tb.Fatalf("Position of %s is %q, want %q", s.table, got, want)
	}
}

func (s *subject) position() string {
	s.tb.Helper()
	got, err := s.sink.Position(s.tb.Context(), s.table)
	if err != nil {
		s.tb.Fatalf("Position of %s: %v", s.table, err)
	}
	return got
}

// snapshots returns how many snapshots the table has, as far as that is known.
func (s *subject) snapshots() int {
	s.tb.Helper()
	c, ok := s.sink.(Counter)
	if schema, err := s.sink.Schema(s.tb.Context(), s.table); !ok || err == nil && schema == nil {
		return 0
	}
	n, err := c.Snapshots(s.tb.Context(), s.table)
	if err != nil {
		s.tb.Fatalf("Snapshots of %s: %v", s.table, err)
	}
	return n
}

// state returns all that is known of the table. One that has neither rows nor snapshots
// is as good as none.
func (s *subject) state() string {
	s.tb.Helper()
	schema, err := s.sink.Schema(s.tb.Context(), s.table)
	if err != nil {
		s.tb.Fatalf("Schema of %s: %v", s.table, err)
	}
	if schema == nil {
		return "at " + s.position()
	}
	var names []string
	for _, c := range schema.Columns {
		names = append(names, c.Name)
	}
	rows := s.read(schema, names)
	n := s.snapshots()
	if n == 0 && len(rows) == 0 && s.position() == "" {
		return "at "
	}
	return fmt.Sprintf("at %s\n%v\n%d\n%s", s.position(), schema, n, strings.Join(rows, "\n"))
}

// once commits a delta that the table has. Nothing may change.
func (s *subject) once(d *iceberg.Delta) {
	s.tb.Helper()
	before := s.state()
	s.commit(d)
	if after := s.state(); after != before {
		s.tb.Fatalf("the delta up to %s was committed twice: %.1000s", d.To, cmp.Diff(before, after))
	}
}

// copied returns a copy that shares no memory.
func copied[T any](v T) T { return deep(reflect.ValueOf(v)).Interface().(T) }

func deep(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(deep(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(deep(v.Index(i)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if out.Field(i).CanSet() {
				out.Field(i).Set(deep(v.Field(i)))
			}
		}
	}
	return out
}

// alike compares what can be set; NaNs are alike.
func alike(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || alike(a.Elem(), b.Elem()))
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() && !alike(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	}
	return a.Equal(b)
}

// scribble overwrites what a pointer leads to, but for its slices' lengths.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				scribble(v.Field(i))
			}
		}
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(77)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint('x')
	case reflect.Float64:
		v.SetFloat(math.Pi)
	case reflect.String:
		v.SetString("scribble")
	}
}
