//go:build servers

package truth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// A randomTable is a table of a random workload, and its rows.
type randomTable struct {
	table   envelope.Table
	columns []randomColumn
	all     []string // the columns that it ever had
	schema  *envelope.Schema
	rows    map[string]randomRow
}

// A randomRow has values by column; nil is null.
type randomRow map[string]*randomValue

// A randomValue is spelled in two ways: as a connector and as a reader of tables does.
type randomValue struct {
	sent string
	read any
}

type randomColumn struct {
	name, sql    string
	inKey, large bool
}

func newRandomTable(name, declared string) *randomTable {
	r := &randomTable{table: envelope.Table{DB: "random", Schema: "public", Name: name}, rows: map[string]randomRow{}}
	for one := range strings.SplitSeq(declared, "; ") {
		r.add(one)
	}
	return r
}

// add adds a column: of the key with a star in front, of large values with a question
// mark behind.
func (r *randomTable) add(declared string) {
	declared, inKey := strings.CutPrefix(declared, "*")
	declared, large := strings.CutSuffix(declared, "?")
	name, sql, _ := strings.Cut(declared, " ")
	r.columns = append(slices.Clone(r.columns), randomColumn{name, sql, inKey, large})
	r.all = append(r.all, name)
	r.describe()
}

// alter gives a column another type.
func (r *randomTable) alter(declared string) {
	name, sql, _ := strings.Cut(declared, " ")
	r.columns = slices.Clone(r.columns)
	for i := range r.columns {
		if r.columns[i].name == name {
			r.columns[i].sql = sql
		}
	}
	r.describe()
}

func (r *randomTable) drop(name string) {
	r.columns = slices.DeleteFunc(slices.Clone(r.columns), func(c randomColumn) bool { return c.name == name })
	r.describe()
}

// describe makes the schema that the columns have now.
func (r *randomTable) describe() {
	r.schema = &envelope.Schema{Name: r.table.Name}
	for _, c := range r.columns {
		r.schema.Fields = append(r.schema.Fields, envelope.Field{Name: c.name, Type: c.typed(), Optional: !c.inKey})
		if c.inKey {
			r.schema.Key = append(r.schema.Key, c.name)
		}
	}
}

func (c *randomColumn) typed() envelope.Type {
	switch c.sql {
	case "int":
		return envelope.Type{Kind: envelope.KindInt, Bits: 32}
	case "bigint":
		return envelope.Type{Kind: envelope.KindInt, Bits: 64}
	case "decimal":
		return envelope.Type{Kind: envelope.KindDecimal, Precision: 9, Scale: 2}
	case "wide":
		return envelope.Type{Kind: envelope.KindDecimal, Precision: 30, Scale: 2}
	case "double":
		return envelope.Type{Kind: envelope.KindFloat, Bits: 64}
	case "boolean":
		return envelope.Type{Kind: envelope.KindBool}
	case "date":
		return envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}
	case "timestamp":
		return envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}
	case "uuid":
		return envelope.Type{Kind: envelope.KindUUID}
	case "bytea":
		return envelope.Type{Kind: envelope.KindBytes}
	}
	return envelope.Type{Kind: envelope.KindText}
}

// random returns a value, now and then null but in a key. Keys are few, so that many
// changes are of one row.
func (c *randomColumn) random(random *rand.Rand) *randomValue {
	if !c.inKey && random.IntN(8) == 0 {
		return nil
	}
	number := func(n int64) *randomValue {
		return &randomValue{strconv.FormatInt(n, 10), json.Number(strconv.FormatInt(n, 10))}
	}
	quoted := func(s string) *randomValue { return &randomValue{strconv.Quote(s), s} }
	switch c.sql {
	case "int":
		if c.inKey {
			return number(int64(random.IntN(120) - 60))
		}
		return number(int64(int32(random.Uint32())))
	case "bigint":
		if c.inKey {
			return number(int64(random.IntN(120)-60) << (random.IntN(2) * 33))
		}
		return number(int64(random.Uint64()))
	case "decimal", "wide":
		text := fmt.Sprintf("%d.%02d", random.IntN(9_999_999), random.IntN(100))
		if c.sql == "wide" {
			text = "123456789012345678901" + text
		}
		return quoted(text)
	case "double":
		f := random.NormFloat64() * 1e9
		return &randomValue{strconv.FormatFloat(f, 'g', -1, 64), json.Number(strconv.FormatFloat(f, 'e', -1, 64))}
	case "boolean":
		v := random.IntN(2) == 0
		return &randomValue{strconv.FormatBool(v), v}
	case "date":
		n := random.Int64N(40_000) - 10_000
		return &randomValue{strconv.FormatInt(n, 10), time.Unix(n*secondsPerDay, 0).UTC().Format("2006-01-02")}
	case "timestamp":
		n := random.Int64N(4e15) - 1e15
		return &randomValue{strconv.FormatInt(n, 10), time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.000000")}
	case "uuid":
		return quoted(fmt.Sprintf("00112233-4455-6677-8899-%012x", random.IntN(100)))
	case "bytea":
		b := make([]byte, random.IntN(40))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return quoted(base64.StdEncoding.EncodeToString(b))
	}
	if c.inKey {
		return quoted([]string{"north", "süd", "o'st", "West", ""}[random.IntN(5)])
	}
	return quoted(strings.Repeat([]string{"a", "é", "🙂", "-"}[random.IntN(4)], random.IntN(12)))
}

// fresh returns a row whose key no row has, if there is one left.
func (r *randomTable) fresh(random *rand.Rand) randomRow {
	row := randomRow{}
	for range 20 {
		for i := range r.columns {
			row[r.columns[i].name] = r.columns[i].random(random)
		}
		if r.rows[r.idOf(row)] == nil {
			break
		}
	}
	return row
}

// image writes a row, or its key, as a connector does.
func (r *randomTable) image(row randomRow, key bool, unsent map[string]bool) envelope.Row {
	var members []string
	for _, c := range r.columns {
		if key && !c.inKey {
			continue
		}
		sent := "null"
		switch v := row[c.name]; {
		case unsent[c.name]:
			sent = strconv.Quote(envelope.DefaultPlaceholder)
		case v != nil:
			sent = v.sent
		}
		members = append(members, fmt.Sprintf("%q:%s", c.name, sent))
	}
	return envelope.Row("{" + strings.Join(members, ",") + "}")
}
