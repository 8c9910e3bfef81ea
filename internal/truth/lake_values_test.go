//go:build servers

package truth_test

import (
	"encoding/json"
	"maps"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// judgeLakeValues writes a capture of all types. That the final values of the records are
// the database's is what judgeValues finds; that they are in the tables, this.
func judgeLakeValues(t *testing.T, v truth.Variant, mode committer.Deletes, out *lakeReport) {
	r := newReading(t, v)
	judgeValues(t, r, new(typeCounts))
	text := lakeAsText[v.String()]
	l := newLake(t, committer.Options{Deletes: mode, Unknown: committer.UnknownNull})
	l.builder = iceberg.Builder{Placeholder: (&capture{Variant: v}).placeholder(), Sweep: true, Mappings: map[envelope.Table]iceberg.Mapping{}}
	changes := make([]envelope.Change, len(r.changes))
	columns := map[string]lakeRow{} // of tables, each null
	for i := range r.changes {
		changes[i] = r.changes[i]
		if changes[i].Schema = r.schemas[i]; changes[i].Schema == nil {
			continue
		}
		m := iceberg.Mapping{Misfit: iceberg.MisfitNull}
		if text {
			m = iceberg.Mapping{Types: map[string]string{}}
			for _, f := range r.schemas[i].Fields {
				m.Types[f.Name] = "string"
			}
		}
		l.builder.Mappings[changes[i].Table] = m
		name := tableName(changes[i].Table)
		if columns[name] == nil {
			columns[name] = lakeRow{}
		}
		for _, f := range r.schemas[i].Fields {
			columns[name][strings.ToLower(f.Name)] = nil
		}
	}
	l.write(t, changes, max(len(changes)/4, 20))
	var counts lakeCounts
	got := l.read(t, &counts)
	want := lakeRows{}
	for _, table := range l.order {
		want[tableName(table)] = map[string]lakeRow{}
	}
	for name, end := range r.fold(t) {
		table, _, _ := strings.Cut(name, "\x00")
		row := maps.Clone(columns[table])
		for column, from := range end {
			r.read(t, from)
			d := r.datum(from, column)
			cell, fits := spellDatum(d, text)
			if !fits {
				counts.misfits++
			}
			row[strings.ToLower(column)] = cell
		}
		key := ""
		for _, of := range l.order {
			if tableName(of) == table {
				key = keyOfRow(l.keys[of], row)
			}
		}
		want[table][key] = row
	}
	out.compare(t, l, v.String(), got, want, counts)
}

// lakeAsText are the captures whose columns are all written as text, which holds every
// value, infinities and times of 24:00 too.
var lakeAsText = map[string]bool{"postgres/types-microseconds": true, "mysql/types-string": true}

// spellDatum returns what a reader of a table ought to find for a value. It is false
// where Iceberg has nothing for the value, and so the column is null.
func spellDatum(d envelope.Datum, asText bool) (cell any, fits bool) {
	if !d.IsSet() {
		return nil, true
	}
	said, typ := string(d.AppendText(nil)), d.Type()
	if asText {
		return said, true
	}
	switch d.Kind() {
	case envelope.KindBool:
		return said == "true", true
	case envelope.KindInt:
		return json.Number(said), true
	case envelope.KindUint:
		if typ.Bits == 0 || typ.Bits == 64 {
			return said, true // a decimal
		}
		return json.Number(said), true
	case envelope.KindFloat:
		bits := 64
		if typ.Bits != 0 && typ.Bits <= 32 {
			bits = 32
		}
		f, err := strconv.ParseFloat(said, bits)
		if err != nil || f-f != 0 {
			return said, err == nil
		}
		return json.Number(strconv.FormatFloat(f, 'e', -1, 64)), true
	case envelope.KindDecimal:
		if typ.Precision < 1 || typ.Precision > 38 || typ.Scale < 0 || typ.Scale > typ.Precision {
			return said, true
		}
		r, ok := new(big.Rat).SetString(said)
		if !ok {
			return nil, false
		}
		return r.FloatString(typ.Scale), true
	case envelope.KindDate:
		if strings.HasSuffix(said, "infinity") {
			return nil, false
		}
		return said, true
	case envelope.KindTime:
		if strings.HasPrefix(said, "-") || len(said) < 8 || said[2] != ':' || said >= "24" {
			return nil, false
		}
		return toMicros(said), true
	case envelope.KindTimestamp:
		return lakeMoment(said, "")
	case envelope.KindInstant:
		return lakeMoment(strings.TrimSuffix(said, "Z"), "Z")
	}
	return said, true
}

// lakeMoment writes a timestamp to the microsecond, if an int64 holds those.
func lakeMoment(said, zone string) (any, bool) {
	if strings.HasSuffix(said, "infinity") {
		return nil, false
	}
	said = toMicros(said)
	sign, digits := said[0], strings.TrimLeft(said, "+-")
	switch year, _, _ := strings.Cut(digits, "-"); {
	case len(year) < 6:
	case sign == '-':
		if digits[:6] > "290308" || digits[:6] == "290308" && digits[6:] < "-12-21T19:59:05.224192" {
			return nil, false
		}
	default:
		if len(year) > 6 || digits > "294247-01-10T04:00:54.775807" {
			return nil, false
		}
	}
	return said + zone, true
}

// toMicros fills a time's fraction up to microseconds.
func toMicros(said string) string {
	_, fraction, ok := strings.Cut(said, ".")
	if !ok {
		said += "."
	}
	return said + strings.Repeat("0", 6-len(fraction))
}
