package envelope

import "strconv"

// Kind is what a column's values mean, whatever they look like in a record.
type Kind uint8

// The kinds, and what [Datum.Any] makes of their values.
const (
	KindUnknown   Kind = iota // nothing is known: the JSON text, as a Value
	KindBool                  // bool
	KindInt                   // int64; Type.Bits says how large
	KindUint                  // uint64
	KindFloat                 // float64, with NaN and infinities; Type.Bits says how exact
	KindDecimal               // Decimal
	KindText                  // string; Type.Allowed are the members of an enum or a set
	KindBytes                 // []byte
	KindBits                  // a string of binary digits, the highest first; Type.Length says how many
	KindUUID                  // string, 8-4-4-4-12 hexadecimal digits
	KindJSON                  // JSON text, as a Value
	KindDate                  // time.Time at midnight UTC, or Infinity
	KindTime                  // time.Duration since midnight, 24 h included; of MySQL any span between -839 and 839 h
	KindTimeTZ                // time.Duration since midnight in UTC, the zone being lost
	KindTimestamp             // time.Time, the wall clock as if it were UTC, or Infinity
	KindInstant               // time.Time in UTC (a timestamp with time zone), or Infinity
	KindDuration              // time.Duration, or Interval where that is too short
	KindInterval              // Interval
	KindGeometry              // Geometry
	KindList                  // []any; Type.Elem
	KindMap                   // map[string]any; Type.Key and Type.Elem
	KindStruct                // map[string]any; Type.Fields
	kinds                     // how many there are
)

var kindNames = [kinds]string{
	"unknown", "bool", "int", "uint", "float", "decimal", "text", "bytes", "bits", "uuid", "json",
	"date", "time", "timetz", "timestamp", "instant", "duration", "interval", "geometry", "list", "map", "struct",
}

// String returns the kind's name, lower case.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Form is how values of a kind are written in a record.
type Form uint8

// The forms. FormPlain is what its kind looks like most simply: numbers, true and
// false as such; text, and what can be read as text (UUIDs, ISO 8601 dates and
// times, decimals, which may be numbers too); bytes and bits in base64; lists as
// arrays; maps and structs as objects.
const (
	FormPlain     Form = iota
	FormDays           // dates: a number of days since 1970-01-01
	FormMillis         // times, timestamps, durations: a number of milliseconds since midnight, since 1970, or in all
	FormMicros         // the same in microseconds
	FormNanos          // the same in nanoseconds
	FormUnscaled       // decimals: base64 of the unscaled value, big-endian in two's complement; Type.Scale
	FormScaled         // decimals: an object of scale and value, the unscaled one in base64
	FormBase64URL      // bytes in the alphabet of URLs
	FormHex            // bytes in hexadecimal digits, after 0x or not
	FormParts          // dates, times, timestamps, durations: an object of year, month, …
	forms              // how many there are
)
