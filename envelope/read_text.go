package envelope

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
	"github.com/rowdelta/rowdelta/internal/uuid"
)

// readText sets bytes. A member of an enum with a comma is written with a backslash
// before it by MySQL's stream, and without by its snapshots: it is the member.
func (d *Datum) readText(v Value, a *arena) bool {
	if v.Kind() != '"' {
		return false
	}
	d.bytes = a.text(v)
	if len(d.typ.Allowed) > 0 && bytes.Contains(d.bytes, []byte(`\,`)) && !slices.Contains(d.typ.Allowed, string(d.bytes)) {
		plain := bytes.ReplaceAll(d.bytes, []byte(`\,`), []byte(`,`))
		if slices.Contains(d.typ.Allowed, string(plain)) {
			d.bytes = plain
		}
	}
	return true
}

// readJSON takes JSON text in a string, as Debezium has it, and any other JSON value as
// itself.
func (d *Datum) readJSON(v Value, a *arena) bool {
	if v.Kind() == '"' {
		d.bytes = a.text(v)
	} else {
		d.bytes = v
	}
	return true
}

func (d *Datum) readUUID(v Value, a *arena) bool {
	if v.Kind() != '"' {
		return false
	}
	d.bytes = a.text(v)
	return uuid.Is(d.bytes)
}

// readBytes sets bytes, of bits in the order in which they come: the lowest eight
// first.
func (d *Datum) readBytes(v Value, a *arena) (ok bool) {
	if v.Kind() != '"' {
		return d.typ.Kind == KindBits && (v.Kind() == 't' || v.Kind() == 'f') && d.readBit(v)
	}
	switch d.typ.Form {
	case FormPlain:
		d.bytes, ok = a.base64(v, base64.StdEncoding)
	case FormBase64URL:
		d.bytes, ok = a.base64(v, base64.URLEncoding)
	case FormHex:
		digits := a.text(v)
		if len(digits) >= 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
			digits = digits[2:]
		}
		d.bytes = a.room(hex.DecodedLen(len(digits)))
		_, err := hex.Decode(d.bytes, digits)
		ok = err == nil
	}
	if d.typ.Kind == KindBits && ok {
		n := d.typ.Length
		return n == 0 || n == math.MaxInt32 || bitLen(d.bytes) <= n
	}
	return ok
}

// readBit takes a boolean for a single bit.
func (d *Datum) readBit(v Value) bool {
	if d.bytes = []byte{0}; v[0] == 't' {
		d.bytes[0] = 1
	}
	return d.typ.Length <= 1
}

// bitLen returns how many bits there are up to the highest that is set.
func bitLen(b []byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		for bit := 7; bit >= 0; bit-- {
			if b[i]>>bit&1 != 0 {
				return 8*i + bit + 1
			}
		}
	}
	return 0
}

// readGeometry sets bytes to the WKB, n to the SRID and m to 1 if it is known. Of a
// point it may not have a WKB: then it is made of the coordinates.
func (d *Datum) readGeometry(v Value, a *arena) bool {
	if v.Kind() != '{' {
		return false
	}
	var point [2]uint64
	coordinates := 0
	for o := (object{b: v}); o.next(); {
		member := o.column.Value
		if member.IsNull() {
			continue
		}
		ok := true
		switch string(o.column.Name) {
		case "wkb":
			if ok = member.Kind() == '"'; ok {
				d.bytes, ok = a.base64(member, base64.StdEncoding)
			}
		case "srid":
			d.n, ok = jsonscan.Int(member)
			ok = ok && d.n == int64(int32(d.n))
			d.m = 1
		case "x", "y":
			f := Datum{typ: &unknownType} // of 64 bits; NaN and infinities are text
			ok = f.readFloat(member, a)
			point[o.column.Name[0]-'x'] = f.m
			coordinates++
		}
		if !ok {
			return false
		}
	}
	if d.bytes == nil && coordinates == 2 {
		d.bytes = a.room(21)
		copy(d.bytes, "\x01\x01\x00\x00\x00")
		binary.LittleEndian.PutUint64(d.bytes[5:], point[0])
		binary.LittleEndian.PutUint64(d.bytes[13:], point[1])
	}
	return d.bytes != nil
}
