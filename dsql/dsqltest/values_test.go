package dsqltest_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	late  = "9223372036825200000"
	early = "-9223372036832400000"
)

var (
	uuid     = regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"$`)
	numeric  = regexp.MustCompile(`^"(-?[1-9][0-9]{0,18}(\.[0-9]{1,18})?|NaN|-?Infinity)"$`)
	floating = regexp.MustCompile(`^("NaN"|"-?Infinity"|-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?)$`)
)

// matches makes a check of a regular expression.
func matches(re *regexp.Regexp) func(string) bool { return re.MatchString }

// between makes a check of an integer, spelled as such.
func between(lowest, highest int64) func(string) bool {
	return func(v string) bool {
		n, ok := new(big.Int).SetString(v, 10)
		return ok && n.Cmp(big.NewInt(lowest)) >= 0 && n.Cmp(big.NewInt(highest)) <= 0
	}
}

// str makes a check of a string's text.
func str(check func(string) bool) func(string) bool {
	return func(v string) bool {
		var s string
		return v[0] == '"' && json.Unmarshal([]byte(v), &s) == nil && check(s)
	}
}

func anyText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") } // PostgreSQL has no NUL

func base64Text(s string) bool {
	_, err := base64.StdEncoding.Strict().DecodeString(s)
	return err == nil
}

func timestamp(v string) bool {
	return v == late || v == early || between(-20_000*86_400e6, 40_000*86_400e6)(v)
}

// Per column: whether it can be null, and what it can be else.
var types = map[string]map[string]struct {
	null  bool
	check func(string) bool
}{
	"accounts": {
		"id":      {false, between(math.MinInt64, math.MaxInt64)},
		"owner":   {true, str(anyText)},
		"balance": {false, matches(numeric)},
		"active":  {true, matches(regexp.MustCompile(`^(true|false)$`))},
		"class":   {false, str(func(s string) bool { return len(s) == 1 })},
		"code":    {true, str(func(s string) bool { return utf8.RuneCountInString(s) <= 8 && !strings.HasSuffix(s, " ") })},
		"opened": {false, func(v string) bool {
			return v == "2147483647" || v == "-2147483648" || between(-20_000, 40_000)(v)
		}},
		"seen": {true, timestamp},
	},
	"order_lines": {
		"quantity": {false, between(math.MinInt32, math.MaxInt32)},
		"line":     {false, between(math.MinInt16, math.MaxInt16)},
		"order_id": {false, matches(uuid)},
		"price":    {true, matches(numeric)},
		"weight":   {true, matches(floating)},
		"note":     {true, str(anyText)},
		"due":      {false, timestamp},
		"lead":     {true, between(-4e14, 4e14)},
	},
	"documents": {
		"title":  {true, str(anyText)},
		"path":   {false, str(anyText)},
		"body":   {true, str(func(s string) bool { return json.Valid([]byte(s)) })},
		"digest": {false, str(base64Text)},
		"owner":  {true, between(0, math.MaxUint32)},
		"tags":   {false, func(v string) bool { return v == "[]" }},
	},
	`Mess "Werte"`: {
		`sensor "id"`: {false, str(anyText)},
		"at":          {false, timestamp},
		"größe\\mm📏":  {true, matches(floating)},
		"after":       {true, str(base64Text)},
		"ts_ns":       {false, between(0, 86_400e6-1)},
		"op":          {true, between(0, 86_400e6-1)},
		"type":        {false, matches(regexp.MustCompile(`^(true|false)$`))},
	},
	"events": {
		"kind":    {false, str(anyText)},
		"payload": {true, str(func(s string) bool { return json.Valid([]byte(s)) })},
		"at":      {true, timestamp},
		"n":       {false, between(math.MinInt64, math.MaxInt64)},
	},
}

// Every value is one of its column's type, and the odd ones occur.
func TestValues(t *testing.T) {
	s := generate(t, dsqltest.Generator{Transactions: 800, NoPrimaryKey: true, Rows: 40, Large: 0.02, LargeBytes: 3000})
	var images strings.Builder
	distinct := map[string]map[string]bool{}
	for _, w := range whole(t, s) {
		if w.images[after] == nil {
			continue
		}
		images.Write(w.images[after])
		names, values := members(t, w.images[after])
		for _, name := range names {
			column, v := types[w.source.Table][name], string(values[name])
			require.NotNil(t, column.check, name)
			if v == "null" {
				require.True(t, column.null, name)
			} else {
				require.True(t, column.check(v), "%s: %s", name, v)
			}
			path := w.source.Table + "." + name
			if distinct[path] == nil {
				distinct[path] = map[string]bool{}
			}
			distinct[path][v] = true
		}
	}
	for table, columns := range types {
		for name, column := range columns {
			seen := distinct[table+"."+name]
			assert.Equal(t, column.null, seen["null"], name)
			assert.Equal(t, name == "tags", len(seen) == 1, name)
		}
	}
	for path, values := range map[string][]string{
		"accounts.id":               {"9223372036854775807", "-9223372036854775808", "0", "-1"},
		"accounts.balance":          {`"NaN"`, `"Infinity"`, `"-Infinity"`},
		"accounts.seen":             {late, early},
		"accounts.opened":           {"2147483647", "-2147483648"},
		"accounts.owner":            {`""`},
		"order_lines.weight":        {`"NaN"`, `"Infinity"`, `"-Infinity"`, "-0"},
		"Mess \"Werte\".größe\\mm📏": {`"NaN"`, "1.6777216e+07"},
		"documents.body":            {`"null"`, `"\"\\u0000\""`, `"{}"`, `"[]"`},
		"documents.digest":          {`""`},
	} {
		for _, v := range values {
			assert.True(t, distinct[path][v], "%s: %s", path, v)
		}
	}
	// Raw characters of four bytes, escapes of control characters, escapes that are only text.
	for _, spelled := range []string{"😀", "\U0010ffff", "\u2028", "\ufffd", `\u0001`, `\b\f\n\r\t`, `\\\"`, `\\u0000`, `\\ud83d`, `\\\\`, "\x7f"} {
		assert.Contains(t, images.String(), spelled)
	}
	beyond := 0
	for v := range distinct["events.n"] {
		n, err := strconv.ParseInt(v, 10, 64)
		require.NoError(t, err)
		if int64(float64(n)) != n {
			beyond++
		}
	}
	assert.Greater(t, beyond, 100)
}

// counted is the number that ends a block of a large text.
var counted = regexp.MustCompile(`[0-9]{6,},`)

// Rows that fall to Large have a large column, of about the size asked for, in
// every table that has one.
func TestLarge(t *testing.T) {
	s := generate(t, dsqltest.Generator{Transactions: 400, Large: 0.25, LargeBytes: 2000, NoPrimaryKey: true})
	tables := map[envelope.Table]int{}
	rows, large, blocks := 0, 0, 0
	for _, w := range whole(t, s) {
		if w.images[after] == nil {
			continue
		}
		rows++
		if n := len(w.images[after]); n >= 2000 {
			require.Less(t, n, 6000)
			numbers := counted.FindAllString(string(w.images[after]), -1)
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(numbers))), len(numbers), "every block is another one")
			blocks += len(numbers)
			tables[w.table()]++
			large++
		}
	}
	assert.InDelta(t, 0.25, float64(large)/float64(rows), 0.05)
	assert.Greater(t, blocks, 3*large/2)
	assert.Len(t, tables, 5)
}

// Unless said otherwise a large column is large enough for its record to be
// cut, and for a few fragments even if all records are.
func TestLargeBytes(t *testing.T) {
	for splitAt, least := range map[int]int{1: 500, 4000: 6000} {
		s := generate(t, dsqltest.Generator{Transactions: 30, Large: 1, SplitAt: splitAt, FragmentBytes: 100})
		n := 0
		for _, w := range whole(t, s) {
			if w.images[after] != nil {
				require.GreaterOrEqual(t, len(w.images[after]), least)
				n++
			}
		}
		require.Greater(t, n, 30)
	}
}
