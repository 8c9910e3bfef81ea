package envelope

import (
	"encoding/binary"
	"math"
)

// A Geometry is a shape in well-known binary (WKB, or PostGIS's extended WKB), and the
// spatial reference system of its coordinates, if that is known.
type Geometry struct {
	WKB     []byte
	SRID    int32
	HasSRID bool
}

// Point returns the coordinates of a geometry that is a point.
func (g Geometry) Point() (x, y float64, ok bool) {
	if len(g.WKB) < 21 || g.WKB[0] > 1 {
		return 0, 0, false
	}
	var order binary.ByteOrder = binary.BigEndian
	if g.WKB[0] == 1 {
		order = binary.LittleEndian
	}
	const hasSRID, known = 0x20000000, 0x20000000 | 1
	kind, at := order.Uint32(g.WKB[1:]), 5
	if kind&hasSRID != 0 {
		at += 4
	}
	if kind&^hasSRID != 1 || kind&^known != 0 || len(g.WKB) != at+16 {
		return 0, 0, false
	}
	return math.Float64frombits(order.Uint64(g.WKB[at:])), math.Float64frombits(order.Uint64(g.WKB[at+8:])), true
}
