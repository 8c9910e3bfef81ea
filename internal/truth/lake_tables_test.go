//go:build servers

package truth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// plainTables are the columns of tables whose subject is not their types, as the
// statements declare them: a star in front of those of the key, an exclamation mark
// behind those that are never null.
var plainTables = map[string]string{
	"public.accounts":        "*id bigint!; balance bigint!; note text; big text; v bigint!",
	"public.accounts_full":   "*id bigint!; balance bigint!; note text; big text; v bigint!",
	"public.deferred":        "*id bigint!; balance bigint!; note text; big text; v bigint!",
	"public.ledger":          "*region text!; *slot int!; balance bigint!; note text; big text; v bigint!",
	"public.debezium_signal": "*id varchar!; type varchar!; data varchar",
	"public.plain":           "*id int!; v text; big text",
	"public.whole":           "*id int!; v text; big text",
	"public.late":            "*id int!; v text; big text",
	"public.beat":            "*id int!; at timestamptz",
	"public.measurements":    "*city int!; *day date!; temp int",
	"public.products":        "*product_id int!; product_name varchar; category varchar; price numeric(10,2); stock_quantity int; created_at timestamp; updated_at timestamp",
	"datalake.customers":     "*customer_id char(5)!; company_name varchar!; city varchar; country varchar",
	"datalake.orders": "*order_id smallint!; customer_id char(5); employee_id smallint; order_date date; required_date date; shipped_date date; " +
		"ship_via smallint; freight real; ship_name varchar; ship_city varchar",
	"datalake.order_details": "*order_id smallint!; *product_id smallint!; unit_price real!; quantity smallint!; discount real!",
	"datalake.cdc_events": "*id int!; order_id smallint!; customer_id varchar; order_items jsonb; order_date date; shipped_date date; " +
		"total numeric(12,2); updated_at timestamptz!",

	// Of the statements about odd streams, as the tables are in the end.
	"public.lines":             "order_id int; line int; sku text",
	"public.nokey_default":     "a int; b text",
	"public.nokey_nothing":     "a int; b text",
	"public.by_index":          "id int; code text; other text",
	"public.unique_only":       "code text; other text",
	"public.custom_key":        "id int; tenant text; seq int; v text",
	"public.measurements_2025": "city int; day date; temp int",
	"public.computed":          "id int; a int; twice int; auto int",
	"public.evolving":          "id int; a text; bee text; d int",
	"public.schema_payload":    "schema text; payload int",
	"public.copied":            "id int; v text",
	"Other Space.t":            "id int; v text",

	"bank.acc":             "*id int!; owner varchar; balance decimal(14,2)!; note longtext; doc json; updated timestamp!; stamp bigint!",
	"bank.comp":            "*region varchar!; *num bigint unsigned!; *code varchar!; qty int; flag bit!; stamp bigint!",
	"bank.slots":           "*pos int!; item varchar!; stamp bigint!",
	"shop.debezium_signal": "*id varchar!; type varchar!; data varchar",
	"shop.items":           "*id int!; name varchar; amount decimal(12,3); seen timestamp; stamp bigint!",
	"shop.pairs":           "*a int!; *b varchar!; v double; stamp bigint!",
	"shop.products":        "*id int!; sku varchar!; name varchar!; price decimal(10,2)!; stock int unsigned!; tags set!; created datetime!",
	"shop.orders":          "*id bigint!; customer varchar!; status enum!; total decimal(12,2); placed timestamp!; note text",
	"shop.order_items":     "*order_id bigint!; *line smallint!; product_id int!; quantity int!; price decimal(10,2)!",
	"odd db.a.b":           "*id.x int!; c d varchar",
	"odd db.Ünï_日本":        "*ключ int!; 名前 varchar; é int",
	"odd db.Case": "*Id int!; SELECT int; op varchar; before int; after int; source int; __op int; __deleted int; ts_ms int; payload int; " +
		"schema int; $x int; 1st int; a-b int; a\\b int",
	"odd db.keys": "*k 1 varchar!; *k\"2 decimal(5,2)!; *k3 binary!; *k4 date!; v int",

	// As the tables are in the end.
	"misc.uniq":    "a int; b varchar",
	"misc.evolved": "label varchar; id int; a numeric(20,0); d datetime",
	"misc.trunc":   "id int; a int",
	"misc.rekey":   "id int; sub int; a varchar",
	"misc.gone":    "id int; other varchar",
	"misc.born":    "id int; flag boolean; b1 tinyint; x text",
	"misc.nopk":    "a int; b varchar",
	"misc.copied":  "id int; flag boolean; b1 tinyint; x text",
}

// plainTablesOf are those that other databases or workloads have under the same name.
var plainTablesOf = map[string]string{
	"postgres/aurora-orders public.orders": ofOrders,
	"postgres/old-1.9.7 public.orders":     ofOrders,
	"postgres/other public.orders":         "id int; note text; qty int",
	"postgres/other-2.7.3 public.orders":   "id int; note text; qty int",
	"postgres/other-schemas public.orders": "id int; note text; qty int",

	"postgres/snapshot-straddle public.accounts":       "*id bigint!; note text; v bigint!",
	"postgres/snapshot-straddle-2.7.3 public.accounts": "*id bigint!; note text; v bigint!",

	"mysql/records-other misc.copied": "id int; flag boolean",

	`mysql/odd-names odd db.qu"ote`:   `*i"d int!; it's varchar; backtick int`,
	`mariadb/odd-names odd db.qu"ote`: "*i\"d int!; it's varchar; back`tick int",
}

const ofOrders = "*order_id int!; customer_id int; order_date varchar; total_amount numeric(12,2); status varchar; created_at timestamp; updated_at timestamp"

// A plainColumn is a column of such a table.
type plainColumn struct {
	name, sql     string
	args          []int
	inKey, isNull bool
}

// plainTable returns the columns of a table of a variant, nil if it is not declared.
func plainTable(v truth.Variant, table string) (columns []plainColumn) {
	declared, ok := plainTablesOf[v.String()+" "+table]
	if !ok {
		declared = plainTables[table]
	}
	if declared == "" {
		return nil
	}
	for one := range strings.SplitSeq(declared, "; ") {
		one, inKey := strings.CutPrefix(one, "*")
		one, never := strings.CutSuffix(one, "!")
		cut := strings.LastIndexByte(strings.TrimSuffix(one, " unsigned"), ' ')
		sql := newCell(envelope.Datum{}, one[cut+1:], "", nil) // which takes a type apart
		columns = append(columns, plainColumn{one[:cut], sql.sql, sql.args, inKey, !never})
	}
	return columns
}

// plainSchema returns the schema of a table's rows, by the forms that values have with a
// connector's default settings.
func plainSchema(v truth.Variant, table string) *envelope.Schema {
	columns := plainTable(v, table)
	if columns == nil {
		return nil
	}
	s := &envelope.Schema{Name: table}
	for _, c := range columns {
		s.Fields = append(s.Fields, envelope.Field{Name: c.name, Type: c.typed(v), Optional: c.isNull})
		if c.inKey {
			s.Key = append(s.Key, c.name)
		}
	}
	return s
}

func (c *plainColumn) typed(v truth.Variant) envelope.Type {
	switch c.sql {
	case "smallint", "tinyint":
		return envelope.Type{Kind: envelope.KindInt, Bits: 16}
	case "int":
		return envelope.Type{Kind: envelope.KindInt, Bits: 32}
	case "bigint", "int unsigned", "bigint unsigned":
		return envelope.Type{Kind: envelope.KindInt, Bits: 64}
	case "real":
		return envelope.Type{Kind: envelope.KindFloat, Bits: 32}
	case "double":
		return envelope.Type{Kind: envelope.KindFloat, Bits: 64}
	case "decimal", "numeric":
		form := envelope.FormUnscaled
		if v.Name == "aurora-orders" { // decimal.handling.mode=string
			form = envelope.FormPlain
		}
		return envelope.Type{Kind: envelope.KindDecimal, Form: form, Precision: c.args[0], Scale: c.args[1]}
	case "boolean", "bit":
		return envelope.Type{Kind: envelope.KindBool}
	case "binary":
		return envelope.Type{Kind: envelope.KindBytes}
	case "json", "jsonb":
		return envelope.Type{Kind: envelope.KindJSON}
	case "date":
		return envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}
	case "datetime":
		return envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMillis}
	case "timestamp":
		if v.DB == "postgres" {
			return envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}
		}
		return envelope.Type{Kind: envelope.KindInstant}
	case "timestamptz":
		return envelope.Type{Kind: envelope.KindInstant}
	}
	return envelope.Type{Kind: envelope.KindText}
}

// plainRow returns a row of the truth as readers spell it.
func plainRow(t *testing.T, v truth.Variant, row truth.Row) lakeRow {
	t.Helper()
	columns := plainTable(v, row.Table)
	out := lakeRow{}
	for _, c := range columns {
		printed, ok := row.Row[c.name]
		if !ok {
			t.Fatalf("%s has no column %s", row.Table, c.name)
		}
		var cell any
		if printed != nil {
			var err error
			if cell, err = c.spell(v, *printed, row.Canon[c.name], slices.Contains(row.Hex, c.name)); err != nil {
				t.Fatalf("%s.%s: %v", row.Table, c.name, err)
			}
		}
		out[strings.ToLower(c.name)] = cell
	}
	if len(out) != len(row.Row) {
		t.Fatalf("%s has columns %v", row.Table, sortedKeys(row.Row))
	}
	return out
}

// spell writes what the database printed as a reader of the table has to.
func (c *plainColumn) spell(v truth.Variant, printed string, canon json.RawMessage, hex bool) (any, error) {
	micros := func(zone string) (any, error) {
		n, err := strconv.ParseInt(text(canon), 10, 64)
		return time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.000000") + zone, err
	}
	switch c.sql {
	case "smallint", "tinyint", "int", "bigint", "int unsigned", "bigint unsigned":
		return json.Number(printed), nil
	case "real", "double":
		bits := map[string]int{"real": 32, "double": 64}[c.sql]
		f, err := strconv.ParseFloat(printed, bits)
		if f-f != 0 { // NaN, and infinities
			return printed, err
		}
		return json.Number(strconv.FormatFloat(f, 'e', -1, 64)), err
	case "decimal", "numeric":
		r, ok := new(big.Rat).SetString(printed)
		if !ok {
			return nil, fmt.Errorf("no number: %q", printed)
		}
		return r.FloatString(c.args[1]), nil
	case "boolean", "bit":
		return printed == "1" || printed == "t", nil
	case "binary":
		if !hex {
			return nil, fmt.Errorf("no digits")
		}
		return base64.StdEncoding.EncodeToString(unhex(printed)), nil
	case "json", "jsonb":
		if v.DB == "mysql" { // the connector writes documents without the database's blanks
			return document(printed), nil
		}
		return printed, nil
	case "date":
		return printed, nil
	case "datetime":
		return micros("")
	case "timestamp":
		if v.DB == "postgres" {
			return micros("")
		}
		return micros("Z")
	case "timestamptz":
		return micros("Z")
	case "char": // the records have it as long as it was declared
		return printed + strings.Repeat(" ", c.args[0]-len(printed)), nil
	}
	if canon != nil && v.DB != "postgres" { // text that is not printable
		return string(unhex(text(canon))), nil
	}
	return printed, nil
}
