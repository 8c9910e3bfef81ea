package servers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Row is a row of an Iceberg table, by column. Every reader spells a value the same way, without loss:
//
//	null                     nil
//	boolean                  bool
//	int, long                json.Number, such as 9007199254740993
//	float, double            json.Number with an exponent: the shortest that names the float64 (a float is widened), such as 1e-01;
//	                         or the strings NaN, Infinity and -Infinity
//	decimal                  string, with as many digits after the point as the scale says: 1.500000000
//	date                     string: 2026-11-22
//	time                     string, always to the microsecond: 13:14:15.000001
//	timestamp                string, always to the microsecond: 2026-11-22T13:14:15.000001
//	timestamptz              the same in UTC with a Z at the end
//	timestamp_ns             string, always to the nanosecond: 2026-11-22T13:14:15.000000001
//	timestamptz_ns           the same in UTC with a Z at the end
//	string                   string
//	uuid                     string: 36 characters in lower case
//	fixed, binary            string: base64 with padding
//	struct                   map[string]any
//	list                     []any
//	map                      []any of pairs, each a []any of key and value, in the reader's order
//
// A year beyond 9999 has a plus before it, one before the year 0 a minus, as in ISO 8601. Other types are an error.
type Row map[string]any

// Lines returns the rows as JSON, sorted: two readers returned the same rows if their lines are equal.
func Lines(rows []Row) []string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(row); err != nil {
			lines[i] = fmt.Sprint("not JSON: ", err) // of a row that was not read
			continue
		}
		lines[i] = strings.TrimSuffix(b.String(), "\n")
	}
	slices.Sort(lines)
	return lines
}

// exact has floats spelled one way. Java writes 1.0E-5 and Python 1e-05; integers, which have neither point nor exponent,
// stay as they are.
func exact(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return v, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, err
		}
		return json.Number(strconv.FormatFloat(f, 'e', -1, 64)), nil
	case map[string]any:
		for name := range v {
			if v[name], err = exact(v[name]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range v {
			if v[i], err = exact(v[i]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// part is one line of a reader's answer.
type part struct {
	Row   map[string]any
	End   *int    // after the last row: how many there were
	Error *string // instead, and instead of any further row
}

// parsePart reads a line. It has exactly one of part's members.
func parsePart(line []byte) (p part, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, err
	}
	if n := count(p.Row != nil) + count(p.End != nil) + count(p.Error != nil); n != 1 {
		return p, fmt.Errorf("%d members in a line of an answer", n)
	}
	_, err = exact(p.Row)
	return p, err
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
