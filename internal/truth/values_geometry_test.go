package truth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

// point compares coordinates with PostgreSQL's text (x,y), and the WKB of the same.
func (c *cell) point() error {
	if err := c.kind(envelope.KindGeometry); err != nil {
		return err
	}
	x, y, _ := strings.Cut(strings.Trim(c.text, "()"), ",")
	wkb := []byte{1, 1, 0, 0, 0}
	for _, coordinate := range []string{x, y} {
		f, err := strconv.ParseFloat(coordinate, 64)
		if err != nil {
			return err
		}
		if math.IsNaN(f) { // Java's
			f = math.Float64frombits(0x7ff8000000000000)
		}
		wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(f))
	}
	g, ok := c.d.Geometry()
	if !ok || !bytes.Equal(g.WKB, wkb) || g.HasSRID {
		return errOther
	}
	px, py, ok := g.Point()
	if got := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(wkb[:5:5], math.Float64bits(px)), math.Float64bits(py)); !ok || !bytes.Equal(got, wkb) {
		return errOther
	}
	return c.reads(base64.StdEncoding.EncodeToString(wkb))
}

// geometry compares WKB and spatial reference. PostgreSQL's text is the extended WKB
// that the record has; the neutral form is the WKB of the standard, without SRID.
func (c *cell) geometry() error {
	if err := c.kind(envelope.KindGeometry); err != nil {
		return err
	}
	g, ok := c.d.Geometry()
	if !ok {
		return errOther
	}
	var want struct{ WKB, SRID string }
	if c.set.mysql {
		if err := json.Unmarshal(c.canon, &want); err != nil {
			return err
		}
	} else {
		want.SRID, want.WKB, _ = strings.Cut(text(c.canon), " ")
		if !bytes.Equal(g.WKB, unhex(c.text)) {
			return errOther
		}
	}
	srid, err := strconv.Atoi(want.SRID)
	if err != nil {
		return err
	}
	if !bytes.Equal(standardWKB(g.WKB), unhex(want.WKB)) || int(g.SRID) != srid || g.HasSRID != (srid != 0) {
		return errOther
	}
	return c.reads(base64.StdEncoding.EncodeToString(g.WKB))
}

// standardWKB takes the SRID out of a little-endian extended WKB, and writes the flag
// of a third coordinate as the standard does. It looks at the outermost shape alone.
func standardWKB(b []byte) []byte {
	kind := binary.LittleEndian.Uint32(b[1:])
	rest := b[5:]
	if kind&0x20000000 != 0 {
		kind, rest = kind&^0x20000000, rest[4:]
	}
	if kind&0x80000000 != 0 {
		kind = kind&^0x80000000 + 1000
	}
	return append(binary.LittleEndian.AppendUint32([]byte{b[0]}, kind), rest...)
}

// withPoints writes the numbers of a shape as Java does, which is what the text is
// that the connector passes on.
func withPoints(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		out.WriteByte(s[i])
		digit := s[i] >= '0' && s[i] <= '9'
		if digit && (i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9') {
			out.WriteString(".0")
		}
	}
	return out.String()
}
