package dsqltest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
)

// whole returns an integer of the given bits, often one of the ends.
func whole(r *rand.Rand, bits int) []byte {
	lowest := int64(-1) << (bits - 1)
	switch r.IntN(8) {
	case 0:
		return strconv.AppendInt(nil, lowest, 10)
	case 1:
		return strconv.AppendInt(nil, ^lowest, 10)
	case 2:
		return strconv.AppendInt(nil, r.Int64N(3)-1, 10)
	}
	return strconv.AppendInt(nil, int64(r.Uint64())>>(64-bits), 10)
}

func smallint(r *rand.Rand) []byte { return whole(r, 16) }
func integer(r *rand.Rand) []byte  { return whole(r, 32) }
func bigint(r *rand.Rand) []byte   { return whole(r, 64) }
func oid(r *rand.Rand) []byte      { return strconv.AppendUint(nil, uint64(r.Uint32()), 10) }

// float and double are numbers, or strings where JSON has no number.
func float(r *rand.Rand) []byte { return floating(r, 32) }

func double(r *rand.Rand) []byte { return floating(r, 64) }

func floating(r *rand.Rand, bits int) []byte {
	var f float64
	switch r.IntN(8) {
	case 0:
		return outside(r)
	case 1:
		f = [...]float64{0, math.Copysign(0, -1), math.MaxFloat32, math.SmallestNonzeroFloat32, 1 << 24}[r.IntN(5)]
	default:
		f = float64(float32(r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30))))
		if bits == 64 {
			f *= r.NormFloat64()
		}
	}
	return strconv.AppendFloat(nil, f, 'g', -1, bits)
}

// outside returns one of the values that numbers of PostgreSQL have and those of
// JSON have not.
func outside(r *rand.Rand) []byte {
	return []byte([...]string{`"NaN"`, `"Infinity"`, `"-Infinity"`}[r.IntN(3)])
}

// numeric is a string of up to 38 digits, zeros at the end included.
func numeric(r *rand.Rand) []byte {
	if r.IntN(8) == 0 {
		return outside(r)
	}
	out := []byte{'"'}
	if r.IntN(3) == 0 {
		out = append(out, '-')
	}
	out = append(out, byte('1'+r.IntN(9)))
	for range r.IntN(19) {
		out = append(out, byte('0'+r.IntN(10)))
	}
	if r.IntN(4) > 0 {
		out = append(out, '.')
		for range 1 + r.IntN(18) {
			out = append(out, byte('0'+r.IntN(10)))
		}
	}
	return append(out, '"')
}

func boolean(r *rand.Rand) []byte { return strconv.AppendBool(nil, r.IntN(2) == 0) }

// char is the type "char", one byte.
func char(r *rand.Rand) []byte { return appendString(nil, []byte{byte(' ' + r.IntN(95))}) }

// bpchar is char(8) without the spaces at its end.
func bpchar(r *rand.Rand) []byte {
	return appendString(nil, []byte([...]string{"", "a", "two w", "  indent", "ÄÖÜ", "12345678"}[r.IntN(6)]))
}

func bytea(r *rand.Rand) []byte { return base64String(randomBytes(r, r.IntN(24))) }

func base64String(b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode([]byte{'"'}, b), '"')
}

func randomBytes(r *rand.Rand, n int) []byte {
	out := make([]byte, 0, n+8)
	for len(out) < n {
		out = binary.LittleEndian.AppendUint64(out, r.Uint64())
	}
	return out[:n]
}

const day = 86_400_000_000 // µs

// date counts days. Infinity is PostgreSQL's own sentinel: the user guide does
// not give the number.
func date(r *rand.Rand) []byte {
	switch r.IntN(8) {
	case 0:
		return strconv.AppendInt(nil, math.MaxInt32, 10)
	case 1:
		return strconv.AppendInt(nil, math.MinInt32, 10)
	}
	return strconv.AppendInt(nil, r.Int64N(60_000)-20_000, 10)
}

// clock is a time or a timetz.
func clock(r *rand.Rand) []byte { return strconv.AppendInt(nil, r.Int64N(day), 10) }

// timestamp is one with or without time zone.
func timestamp(r *rand.Rand) []byte {
	switch r.IntN(8) {
	case 0:
		return []byte("9223372036825200000")
	case 1:
		return []byte("-9223372036832400000")
	}
	return strconv.AppendInt(nil, r.Int64N(60_000*day)-20_000*day, 10)
}

func interval(r *rand.Rand) []byte {
	months, days := r.Int64N(240)-120, r.Int64N(60)-30
	return strconv.AppendInt(nil, (months*2_629_800+days*86_400)*1_000_000+r.Int64N(day), 10)
}

func uuid(r *rand.Rand) []byte {
	return append(append([]byte{'"'}, uuidText(r)...), '"')
}

func uuidText(r *rand.Rand) string {
	h := hex.EncodeToString(randomBytes(r, 16))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func oidvector(*rand.Rand) []byte { return []byte("[]") }
