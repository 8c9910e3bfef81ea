package truth_test

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// differs reports whether an image and the database's row differ in what needs
// no knowledge of the column's type: integers that are digits in the database
// too, and the text columns v, note and status.
func differs(t *testing.T, image envelope.Row, row truth.Row) bool {
	t.Helper()
	for name, raw := range columnsOf(t, image) {
		want := row.Row[name]
		switch {
		case raw[0] == '"' && (name == "v" || name == "note" || name == "status"):
			if want == nil || text(raw) != *want {
				return true
			}
		case isInteger(string(raw)) && want != nil && isDigits(strings.TrimLeft(*want, "-")):
			if string(raw) != *want {
				return true
			}
		}
	}
	return false
}

// contradicts returns the first column whose value in the image cannot be what
// the database has, "" if there is none. It knows the forms that a value can
// take but not the column's type, so it serves for tables of plain types.
func contradicts(t *testing.T, image envelope.Row, row truth.Row) string {
	t.Helper()
	columns := columnsOf(t, image)
	for _, name := range sortedKeys(columns) {
		raw, want := columns[name], row.Row[name]
		_, known := row.Row[name]
		switch value := text(raw); {
		case value == "__debezium_unavailable_value":
		case !known, (notNull(raw) == nil) != (want == nil):
			return name
		case want == nil:
		case value != *want && !sameNumber(value, *want) && !sameDecimal(value, *want) &&
			!sameMoment(value, text(row.Canon[name])) && !sameBool(string(raw), *want) && !sameJSON(value, *want):
			return name
		}
	}
	for name := range row.Row {
		if _, known := columns[name]; !known {
			return name
		}
	}
	return ""
}

func columnsOf(t *testing.T, image envelope.Row) object {
	t.Helper()
	var columns object
	if err := json.Unmarshal(image, &columns); err != nil {
		t.Fatal(err)
	}
	return columns
}

func sameNumber(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, known := new(big.Rat).SetString(b)
	return ok && known && x.Cmp(y) == 0
}

// sameDecimal compares a decimal's unscaled bytes with its text, which shows
// the scale.
func sameDecimal(bytes, text string) bool {
	b, err := base64.StdEncoding.DecodeString(bytes)
	if err != nil || len(b) == 0 {
		return false
	}
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	want, ok := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
	return ok && n.Cmp(want) == 0
}

// sameMoment compares a time as text, in ms or in µs with microseconds.
func sameMoment(value, micros string) bool {
	want, ok := new(big.Int).SetString(micros, 10)
	if !ok {
		return false
	}
	if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
		return want.IsInt64() && at.UnixMicro() == want.Int64()
	}
	return value == micros || value+"000" == micros
}

func sameBool(raw, text string) bool {
	return raw == "true" && (text == "1" || text == "t" || text == "true") ||
		raw == "false" && (text == "0" || text == "f" || text == "false")
}

// sameJSON compares documents: MySQL's connector writes one without the spaces
// that the database prints.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func isInteger(s string) bool { return isDigits(strings.TrimPrefix(s, "-")) }

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
