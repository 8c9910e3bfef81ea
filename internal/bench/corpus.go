package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// seed makes every corpus the same on every machine and in every run; the stream of the generator tells them apart.
const seed = 42

// A corpus is a row of records as a consumer meets them: one after another in one piece of memory, as a poll returns
// them.
type corpus struct {
	records [][]byte
	size    int // bytes of all records together
}

// newCorpus lays out n records that next appends.
func newCorpus(n int, next func(dst []byte) []byte) *corpus {
	var arena []byte
	ends := make([]int, n)
	for i := range ends {
		arena = next(arena)
		ends[i] = len(arena)
	}
	c := &corpus{records: make([][]byte, n), size: len(arena)}
	start := 0
	for i, end := range ends {
		c.records[i] = arena[start:end:end]
		start = end
	}
	return c
}

// mean is the mean size of a record in bytes.
func (c *corpus) mean() int { return c.size / len(c.records) }

// debezium has n changes of a table of orders, without a schema: 740 bytes each.
func debezium(n int) *corpus {
	g := newGenerator(0)
	return newCorpus(n, func(dst []byte) []byte { return g.change(dst, "orders", g.order) })
}

// debeziumSchema has n changes of the same table in Kafka Connect's wrapper with their schema: 5.5 KB each.
func debeziumSchema(n int) *corpus {
	g, schema := newGenerator(1), connectSchema()
	return newCorpus(n, func(dst []byte) []byte {
		dst = fmt.Appendf(dst, `{"schema":%s,"payload":`, schema)
		return append(g.change(dst, "orders", g.order), '}')
	})
}

// wide has n updates of a table of 100 columns, with both images: 7.7 KB each.
func wide(n int) *corpus {
	g := newGenerator(2)
	return newCorpus(n, func(dst []byte) []byte {
		id := g.IntN(10_000_000)
		return g.envelope(dst, "u", "wide_table", g.wideRow(nil, id), g.wideRow(nil, id))
	})
}

// dsqlFull has n full records of Aurora DSQL: 373 bytes each.
func dsqlFull(n int) *corpus {
	g := newGenerator(3)
	return newCorpus(n, g.dsqlRecord)
}

// text has n inserts of a row with a text column of 64 KB.
func text(n int) *corpus {
	g, id := newGenerator(4), 0
	return newCorpus(n, func(dst []byte) []byte {
		id++
		row := fmt.Appendf(nil, `{"id":%d,"doc":%s,"updated_at":%d}`, id, quote(g.prose(64<<10)), g.Int64N(1e15))
		return g.envelope(dst, "c", "documents", null, row)
	})
}

// mixed has n changes of four tables of different shapes in random turn: 660 bytes each.
func mixed(n int) *corpus {
	g := newGenerator(5)
	tables := []struct {
		name string
		row  func(dst []byte, id int) []byte
	}{{"orders", g.order}, {"customers", g.customer}, {"order_items", g.item}, {"payments", g.payment}}
	return newCorpus(n, func(dst []byte) []byte {
		t := tables[g.IntN(len(tables))]
		return g.change(dst, t.name, t.row)
	})
}

var null = []byte("null")

// A generator appends records; what it draws depends on its stream alone.
type generator struct{ *rand.Rand }

func newGenerator(stream uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, stream))}
}

// pick returns one of the choices.
func pick[T any](g generator, choices []T) T { return choices[g.IntN(len(choices))] }

// change appends an insert, update, delete or snapshot read of a row of the table: 50, 35, 10 and 5 in a hundred.
func (g generator) change(dst []byte, table string, row func(dst []byte, id int) []byte) []byte {
	id := g.IntN(10_000_000)
	switch p := g.IntN(100); {
	case p < 50:
		return g.envelope(dst, "c", table, null, row(nil, id))
	case p < 85:
		return g.envelope(dst, "u", table, row(nil, id), row(nil, id))
	case p < 95:
		return g.envelope(dst, "d", table, row(nil, id), null)
	default:
		return g.envelope(dst, "r", table, null, row(nil, id))
	}
}

// envelope appends an envelope as Debezium 3 writes it for PostgreSQL.
func (g generator) envelope(dst []byte, op, table string, before, after []byte) []byte {
	commit := g.nanos()
	handled := commit + 50e6 + g.Int64N(900e6)
	lsn := 24_023_128 + g.Int64N(1<<36)
	dst = fmt.Appendf(dst, `{"before":%s,"after":%s,"source":{"version":"3.0.0.Final","connector":"postgresql","name":"aurora_cdc",`,
		before, after)
	dst = fmt.Appendf(dst, `"ts_ms":%d,"snapshot":"%t","db":"ecommerce","sequence":"[\"%d\",\"%d\"]","ts_us":%d,"ts_ns":%d,`,
		commit/1e6, op == "r", lsn-g.Int64N(4096), lsn, commit/1e3, commit)
	dst = fmt.Appendf(dst, `"schema":"public","table":"%s","txId":%d,"lsn":%d,"xmin":null},`, table, 700+g.IntN(1<<30), lsn)
	return fmt.Appendf(dst, `"transaction":null,"op":"%s","ts_ms":%d,"ts_us":%d,"ts_ns":%d}`, op, handled/1e6, handled/1e3, handled)
}

// nanos draws a moment within eleven days of October 2025.
func (g generator) nanos() int64 { return 1_760_000_000e9 + g.Int64N(1e15) }

// dsqlRecord appends a full record of Aurora DSQL. The image of a delete has the key columns only.
func (g generator) dsqlRecord(dst []byte) []byte {
	id, item := g.IntN(10_000_000), g.IntN(100)
	row := fmt.Appendf(nil, `{"order_id":%d,"item_id":%d,"quantity":%d,"price":"%d.%02d","note":%s}`,
		id, item, g.IntN(50), g.IntN(999), g.IntN(100), quote(pick(g, cities)))
	op, before, after := "c", null, row
	switch p := g.IntN(100); {
	case p < 50:
	case p < 85:
		op = "u"
	default:
		op, before, after = "d", fmt.Appendf(nil, `{"order_id":%d,"item_id":%d}`, id, item), null
	}
	commit := g.nanos() / 1e6 * 1e6
	handled := commit + 125e6 + g.Int64N(1e6)
	tx := make([]byte, 26)
	for i := range tx {
		tx[i] = "abcdefghijklmnopqrstuvwxyz234567"[g.IntN(32)]
	}
	dst = fmt.Appendf(dst, `{"type":"full","op":"%s","before":%s,"after":%s,"source":{"version":"1.0","ts_ms":%d,"ts_ns":%d,"txId":"%s",`,
		op, before, after, commit/1e6, commit, tx)
	return fmt.Appendf(dst, `"schema":"public","table":"orders","db":"postgres","cluster":"kmabugltfmjdaj2siqr2qbxgju"},"ts_ms":%d,"ts_ns":%d}`,
		handled/1e6, handled)
}

// quote returns s as a JSON string.
func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string makes Marshal fail
	}
	return b
}

// prose draws at least size bytes of words with some that need escapes and some beyond ASCII.
func (g generator) prose(size int) string {
	var s strings.Builder
	for s.Len() < size {
		switch p := g.IntN(100); {
		case p < 5:
			s.WriteString(pick(g, foreignWords))
		case p < 8:
			s.WriteByte('\n')
		case p < 10:
			s.WriteString(`"` + pick(g, words) + `"`)
		case p < 11:
			s.WriteString("\t\\")
		default:
			s.WriteString(pick(g, words))
		}
		s.WriteByte(' ')
	}
	return s.String()
}

var (
	statuses     = []string{"pending", "paid", "shipped", "delivered", "cancelled", "returned"}
	streets      = []string{"Main St", "Rue de l'Église", "Hauptstraße", "Elm Avenue", "Calle Mayor", "Broadway", "King's Road", "5th Avenue", "Ocean Drive"}
	cities       = []string{"Springfield", "Zürich", "Paris", "Austin", "São Paulo", "Kraków", "Seattle", "Dublin", "Osaka"}
	methods      = []string{"card", "iban", "cash"}
	words        = strings.Fields("the order was placed by customer and shipped to warehouse before noon while invoice remains unpaid because payment provider declined transaction with reason insufficient funds please contact support team for more details about your account")
	foreignWords = slices.Concat(strings.Fields("café naïve Zürich señor übermäßig Łódź smörgåsbord"), strings.Fields("注文 配送先 東京都 привет заказ 😀 🚚"))
)
