package committest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
)

// columns returns a schema from its text: id! long; a decimal(9,2) |id. A column with !
// is required, and the key stands behind the bar.
func columns(text string) *iceberg.Schema {
	s := new(iceberg.Schema)
	list, key, _ := strings.Cut(text, "|")
	s.Key = strings.Fields(key)
	for part := range strings.SplitSeq(list, ";") {
		name, spelling, _ := strings.Cut(strings.TrimSpace(part), " ")
		t, err := icetype.Parse(spelling)
		if err != nil {
			panic(err)
		}
		s.Columns = append(s.Columns, iceberg.Column{Name: strings.TrimSuffix(name, "!"), Type: t, Required: strings.HasSuffix(name, "!")})
	}
	return s
}

// A row is values of the columns: nil, int, int64, float64, iceberg.Decimal or string,
// which is any bytes; or from.
type row []any

// from stands for a value that the source did not send, and that the table has in the
// row with a key; in none if that is nil. own says that it is in the row's own otherwise.
type from struct {
	key row
	own bool
}

// rowsOf makes columns of some rows. Of keys, only the columns of the key are there.
func rowsOf(s *iceberg.Schema, rows []row, only []string) iceberg.Rows {
	out := iceberg.Rows{Len: len(rows), Columns: make([]iceberg.Vector, len(s.Columns))}
	for i, c := range s.Columns {
		if only != nil && !slices.Contains(only, c.Name) {
			continue
		}
		v := empty(c.Type)
		for _, r := range rows {
			appendTo(&v, c.Type, r[i])
		}
		out.Columns[i] = v
	}
	return out
}

// empty returns a column without rows.
func empty(t icetype.Type) iceberg.Vector {
	v := iceberg.Vector{Null: []bool{}}
	switch t.Kind {
	case icetype.Float, icetype.Double:
		v.Floats = []float64{}
	case icetype.Decimal:
		v.Decimals = []iceberg.Decimal{}
	case icetype.String, icetype.UUID, icetype.Fixed, icetype.Binary:
		v.Bytes, v.Ends = []byte{}, []int32{0}
	default:
		v.Ints = []int64{}
	}
	return v
}

// appendTo appends a value to a column.
func appendTo(v *iceberg.Vector, t icetype.Type, value any) {
	if _, unsent := value.(from); unsent {
		value = nil
	}
	v.Null = append(v.Null, value == nil)
	switch {
	case v.Floats != nil:
		f, _ := value.(float64)
		v.Floats = append(v.Floats, f)
	case v.Decimals != nil:
		d, ok := value.(iceberg.Decimal)
		if n, isInt := value.(int); isInt && !ok {
			d = iceberg.Decimal{Hi: int64(n) >> 63, Lo: uint64(n)}
		}
		v.Decimals = append(v.Decimals, d)
	case v.Ends != nil:
		b, _ := value.(string)
		v.Bytes = append(v.Bytes, b...)
		v.Ends = append(v.Ends, int32(len(v.Bytes)))
	default:
		n, ok := value.(int64)
		if !ok {
			i, _ := value.(int)
			n = int64(i)
		}
		v.Ints = append(v.Ints, n)
	}
}

// show writes the i-th value of a column.
func show(v *iceberg.Vector, i int) string {
	switch {
	case v.Null[i]:
		return "null"
	case v.Floats != nil:
		if v.Floats[i] == 0 && math.Signbit(v.Floats[i]) {
			return "-0"
		}
		return strconv.FormatFloat(v.Floats[i], 'g', -1, 64)
	case v.Decimals != nil:
		return fmt.Sprintf("%d:%d", v.Decimals[i].Hi, v.Decimals[i].Lo)
	case v.Ends != nil:
		return strconv.Quote(string(v.Value(i)))
	}
	return strconv.FormatInt(v.Ints[i], 10)
}

// wrong says what is wrong with a column of so many rows, if anything is.
func wrong(v *iceberg.Vector, t icetype.Type, n int) error {
	if len(v.Null) != n {
		return fmt.Errorf("%d nulls and not nulls of %d rows", len(v.Null), n)
	}
	kept := map[string]int{"Ints": len(v.Ints), "Floats": len(v.Floats), "Decimals": len(v.Decimals), "Ends": max(len(v.Ends)-1, 0)}
	class := "Ints"
	switch e := empty(t); {
	case e.Floats != nil:
		class = "Floats"
	case e.Decimals != nil:
		class = "Decimals"
	case e.Ends != nil:
		class = "Ends"
	}
	for name, has := range kept {
		if want := map[bool]int{true: n}[name == class]; has != want {
			return fmt.Errorf("%d values in %s of %d rows of %v", has, name, n, t)
		}
	}
	for i := 0; class == "Ends" && i < n; i++ {
		if v.Ends[i] < 0 || v.Ends[i] > v.Ends[i+1] || int(v.Ends[i+1]) > len(v.Bytes) {
			return fmt.Errorf("value %d is from %d to %d of %d bytes", i, v.Ends[i], v.Ends[i+1], len(v.Bytes))
		}
	}
	return nil
}

// lines writes rows as lines, of the named columns in their order.
func lines(s *iceberg.Schema, rows *iceberg.Rows, names []string) []string {
	out := make([]string, rows.Len)
	var b strings.Builder
	for i := range out {
		b.Reset()
		for _, name := range names {
			b.WriteString(" " + show(&rows.Columns[s.Index(name)], i))
		}
		out[i] = b.String()[1:]
	}
	return out
}
