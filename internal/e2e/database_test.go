//go:build servers

package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

//go:embed testdata/schema.sql
var schema string

// table is one of the two tables, as the database and the records know it.
type table struct {
	name, key string
	columns   []string // with SQL for their text
}

var tables = []table{
	{"orders", "order_id", []string{"order_id::text", "customer_id::text", "order_date::text", "total_amount::text", "status::text",
		micros("created_at"), micros("updated_at")}},
	{"products", "product_id", []string{"product_id::text", "product_name::text", "category::text", "price::text", "stock_quantity::text",
		micros("created_at"), micros("updated_at")}},
}

// micros is a timestamp's form in Debezium's records.
func micros(column string) string {
	return fmt.Sprintf("(extract(epoch FROM %s) * 1000000)::bigint::text AS %[1]s", column)
}

func dial(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// stored reads all tables from the database.
func stored(t *testing.T, conn *pgx.Conn) rows {
	t.Helper()
	all := rows{}
	for _, tab := range tables {
		sql := "SELECT "
		for i, c := range tab.columns {
			if i > 0 {
				sql += ", "
			}
			sql += c
		}
		result, err := conn.Query(t.Context(), sql+" FROM "+tab.name)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; result.Next(); n++ {
			texts := make([]*string, len(tab.columns))
			into := make([]any, len(texts))
			for i := range texts {
				into[i] = &texts[i]
			}
			if err := result.Scan(into...); err != nil {
				t.Fatal(err)
			}
			r := row{}
			for i, text := range texts {
				c := cell{null: true}
				if text != nil {
					c = cell{text: *text}
				}
				r[result.FieldDescriptions()[i].Name] = c
			}
			all[tab.name+" "+r[tab.key].text] = r
		}
		if err := result.Err(); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			t.Fatalf("%s is empty: nothing to compare", tab.name)
		}
	}
	return all
}
