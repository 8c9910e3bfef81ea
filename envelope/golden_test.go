package envelope

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A golden is a captured record and, below the dashes, what it decodes to.
type golden struct {
	file       string
	key, value []byte // nil if there is none
	want       string
}

func goldens(tb testing.TB) (all []golden) {
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) == 0 {
		tb.Fatal("no golden files", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		record, want, ok := strings.Cut(string(text), "\n----\n")
		key, value, two := strings.Cut(record, "\n")
		if !ok || !two {
			tb.Fatal("not a golden file: ", file)
		}
		g := golden{file: file, want: want}
		if key != "(no key)" {
			g.key = []byte(key)
		}
		if value != "(no value)" {
			g.value = []byte(value)
		}
		all = append(all, g)
	}
	return all
}

func (g *golden) String() string {
	text := func(b []byte, none string) string {
		if b == nil {
			return none
		}
		return string(b)
	}
	return fmt.Sprintf("%s\n%s\n----\n%s", text(g.key, "(no key)"), text(g.value, "(no value)"), g.want)
}

type keyedDecoder interface {
	Decoder
	DecodeKeyed(c *Change, key, value []byte) error
}

// decoders returns a function that has one decoder for each format: what it
// remembers of one record must not show in the next.
func decoders() func(g *golden) keyedDecoder {
	known := map[string]keyedDecoder{"flattened": &Flattened{}, "cloudevents": &CloudEvents{}}
	plain := &Debezium{}
	return func(g *golden) keyedDecoder {
		format, _, _ := strings.Cut(filepath.Base(g.file), "-")
		if d := known[format]; d != nil {
			return d
		}
		return plain
	}
}

// describe prints a change as a golden file has it.
func describe(c *Change) string {
	var s strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&s, "%-8s %s\n", name, value)
		}
	}
	line("op", c.Op.String())
	line("effect", c.Effect().String())
	line("table", c.Table.String())
	line("time", fmt.Sprint(c.Time))
	line("version", c.Version.String())
	line("txid", string(c.TxID))
	line("key", string(c.Key))
	line("before", string(c.Before))
	line("after", string(c.After))
	identity, err := c.AppendKey(nil)
	if err == nil {
		line("identity", fmt.Sprintf("%q", identity))
	}
	return s.String()
}

func TestGolden(t *testing.T) {
	decoder := decoders()
	for _, g := range goldens(t) {
		var c Change
		if err := decoder(&g).DecodeKeyed(&c, g.key, g.value); err != nil {
			t.Errorf("%s: %v", g.file, err)
			continue
		}
		got := describe(&c)
		if *update {
			g.want = got
			if err := os.WriteFile(g.file, []byte(g.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got != g.want {
			t.Errorf("%s:\n%swant\n%s", g.file, got, g.want)
		}
	}
}

func TestPrefixesFail(t *testing.T) {
	decoder := decoders()
	for _, g := range goldens(t) {
		d := decoder(&g)
		for i := range g.value {
			var c Change
			err := d.Decode(&c, g.value[:i])
			if i == 0 {
				if err != nil || c.Op != OpTombstone {
					t.Fatalf("empty value: %v, %v", c.Op, err)
				}
				continue
			}
			fault, ok := errors.AsType[*DecodeError](err)
			if !ok || !errors.Is(err, ErrSyntax) || !IsPermanent(err) || fault.Offset > int64(i) || fault.Offset <= int64(i-utf8.UTFMax) {
				t.Fatalf("%s: first %d bytes: %v", g.file, i, err)
			}
			if c.Op != 0 || c.After != nil || !c.Version.IsZero() {
				t.Fatalf("%s: first %d bytes: an error and a change", g.file, i)
			}
		}
		for i := 1; i < len(g.key); i++ {
			if err := d.DecodeKeyed(new(Change), g.key[:i], g.value); !errors.Is(err, ErrSyntax) {
				t.Fatalf("%s: first %d bytes of the key: %v", g.file, i, err)
			}
		}
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	all := goldens(t)
	decoder := decoders()
	var c Change
	decode := func() {
		for i := range all { // tables, shapes and connectors in turn
			g := &all[i]
			if err := decoder(g).DecodeKeyed(&c, g.key, g.value); err != nil {
				t.Fatal(err)
			}
		}
	}
	decode()
	if n := testing.AllocsPerRun(20, decode); n != 0 {
		t.Errorf("%v allocations for %d records", n, len(all))
	}
}

func TestClone(t *testing.T) {
	decoder := decoders()
	for _, g := range goldens(t) {
		d := decoder(&g)
		value, key := bytes.Clone(g.value), bytes.Clone(g.key)
		var c Change
		if err := d.DecodeKeyed(&c, key, value); err != nil {
			t.Fatal(err)
		}
		clone := c.Clone()
		if n := testing.AllocsPerRun(10, func() { c.Clone() }); n > 1 {
			t.Errorf("%s: Clone allocates %v times", g.file, n)
		}
		clear(value)
		clear(key)
		if got := describe(&clone); got != g.want {
			t.Errorf("%s: the clone of an overwritten record is\n%s", g.file, got)
		}
	}
}

func TestSlicesAreClipped(t *testing.T) {
	decoder := decoders()
	for _, g := range goldens(t) {
		d := decoder(&g)
		value, key := bytes.Clone(g.value), bytes.Clone(g.key)
		var c Change
		if err := d.DecodeKeyed(&c, key, value); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{c.TxID, c.Key, c.Before, c.After} {
			_ = append(b, "overwritten"...)
		}
		for col, err := range c.Image().Columns() {
			if err != nil {
				t.Fatal(err)
			}
			_, _ = append(col.Name, "overwritten"...), append(col.Value, "overwritten"...)
		}
		if !bytes.Equal(value, g.value) || !bytes.Equal(key, g.key) {
			t.Errorf("%s: appending to a slice of the change changed the record", g.file)
		}
	}
}

func BenchmarkDebezium(b *testing.B) {
	for _, g := range goldens(b) {
		if g.value == nil {
			continue
		}
		b.Run(strings.TrimSuffix(filepath.Base(g.file), ".txt"), func(b *testing.B) {
			d := decoders()(&g)
			var c Change
			b.SetBytes(int64(len(g.value)))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Decode(&c, g.value); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
