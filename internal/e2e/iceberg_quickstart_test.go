//go:build servers

package e2e

import (
	"fmt"
	"maps"
	"math/big"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/internal/servers"
)

// readmeFolder is where README.md has the tables.
const readmeFolder = "/tmp/quickstart"

// TestQuickstart does what README.md says under "Try it", in another folder: it runs the program, and the snippets on the
// tables that it leaves. All readers read the same of them, now and as they were.
func TestQuickstart(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Try it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	dir := t.TempDir()
	section = strings.ReplaceAll(section, readmeFolder, filepath.ToSlash(dir))

	command := regexp.MustCompile(`(?m)^    (go run \S+ -dir \S+)$`).FindStringSubmatch(section)
	if command == nil {
		t.Fatal("README.md has no command with -dir")
	}
	words := strings.Fields(command[1])
	run := osexec.CommandContext(t.Context(), words[0], words[1:]...)
	run.Dir = root
	story, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command[1], err, story)
	}
	tables := map[string]string{} // metadata by table
	for _, m := range regexp.MustCompile(`(?m)^  (public\.\w+) +(\S+\.metadata\.json)$`).FindAllStringSubmatch(string(story), -1) {
		tables[m[1]] = m[2]
	}
	if got := slices.Sorted(maps.Keys(tables)); !slices.Equal(got, []string{"public.documents", "public.orders", "public.products"}) {
		t.Fatalf("the program tells where the tables %q are:\n%s", got, story)
	}
	m := regexp.MustCompile(`ORDERS BEFORE THE UPDATES: SNAPSHOT (\d+)`).FindSubmatch(story)
	if m == nil {
		t.Fatalf("the program tells of no snapshot before the updates:\n%s", story)
	}
	first, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}

	now := map[string][]servers.Row{}
	for name, metadata := range tables {
		now[name] = servers.ReadIceberg(t, metadata)
	}
	then, err := servers.JavaReader(t).ReadSnapshot(t.Context(), tables["public.orders"], first)
	if err != nil {
		t.Fatal(err)
	}
	for name, reader := range map[string]*servers.Reader{"duckdb": servers.DuckReader(t), "pyiceberg": servers.PyReader(t)} {
		for table, metadata := range tables {
			rows, err := reader.Read(t.Context(), metadata)
			if err != nil || !slices.Equal(servers.Lines(rows), servers.Lines(now[table])) {
				t.Errorf("%s reads %d rows of %s, %v; want the %d that Java reads", name, len(rows), table, err, len(now[table]))
			}
		}
		rows, err := reader.ReadSnapshot(t.Context(), tables["public.orders"], first)
		if err != nil || !slices.Equal(servers.Lines(rows), servers.Lines(then)) {
			t.Errorf("%s reads %d older rows, %v; want the %d that Java reads", name, len(rows), err, len(then))
		}
	}
	total := len(now["public.orders"]) + len(now["public.products"]) + len(now["public.documents"])
	if !strings.Contains(string(story), fmt.Sprintf("All %d rows of the three tables are, column by column, what the databases have", total)) {
		t.Errorf("Java reads %d rows of the three tables, and the program tells of others:\n%s", total, story)
	}
	if len(then) != 7 { // those of the connector's snapshot
		t.Errorf("%d orders before the updates, want 7", len(then))
	}

	snippets := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(section, -1)
	wants := []func(out string) ([]string, []string){ // what a snippet prints, and what of it the tables have
		func(out string) ([]string, []string) { return boxed(out), statuses(t, now["public.orders"]) },
		func(out string) ([]string, []string) {
			return sorted(out), spelled(now["public.products"], "product_name", "price", "stock_quantity")
		},
		func(out string) ([]string, []string) {
			return sorted(out), spelled(then, "order_id", "status", "total_amount")
		},
	}
	if len(snippets) != len(wants) {
		t.Fatalf("README.md has %d snippets, want %d", len(snippets), len(wants))
	}
	for i, s := range snippets {
		out, err := servers.RunPython(t, s[1])
		if err != nil {
			t.Errorf("snippet %d: %v", i+1, err)
			continue
		}
		if got, want := wants[i](out); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("snippet %d prints %q, want %q", i+1, got, want)
		}
	}
}

// sorted returns a program's lines, sorted.
func sorted(out string) []string {
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	slices.Sort(lines)
	return lines
}

// spelled returns the rows as Python prints their values with blanks between them, sorted.
func spelled(rows []servers.Row, names ...string) (lines []string) {
	for _, r := range rows {
		var words []string
		for _, name := range names {
			if r[name] == nil {
				words = append(words, "None")
			} else {
				words = append(words, fmt.Sprint(r[name]))
			}
		}
		lines = append(lines, strings.Join(words, " "))
	}
	slices.Sort(lines)
	return lines
}

// boxed returns the values in a table that DuckDB prints, in its order, without its head.
func boxed(out string) (lines []string) {
	for line := range strings.Lines(out) {
		if cells := strings.Split(strings.TrimSpace(line), "│"); len(cells) > 2 {
			lines = append(lines, strings.Join(strings.Fields(strings.Join(cells, " ")), " "))
		}
	}
	return lines[min(2, len(lines)):] // names and types
}

// statuses returns the number of orders and the sum of their amounts by status, as boxed does: nulls are last.
func statuses(t *testing.T, orders []servers.Row) (lines []string) {
	t.Helper()
	count, sums := map[string]int{}, map[string]*big.Rat{}
	for _, r := range orders {
		status, ok := r["status"].(string)
		if !ok {
			status = "NULL"
		}
		count[status]++
		if r["total_amount"] == nil {
			continue
		}
		amount, ok := new(big.Rat).SetString(r["total_amount"].(string))
		if !ok {
			t.Fatal("an amount is no number")
		}
		if sums[status] == nil {
			sums[status] = new(big.Rat)
		}
		sums[status].Add(sums[status], amount)
	}
	names := slices.Sorted(maps.Keys(count))
	if i := slices.Index(names, "NULL"); i >= 0 {
		names = append(slices.Delete(names, i, i+1), "NULL")
	}
	for _, name := range names {
		sum := "NULL"
		if sums[name] != nil {
			sum = sums[name].FloatString(2)
		}
		lines = append(lines, fmt.Sprintf("%s %d %s", name, count[name], sum))
	}
	return lines
}
