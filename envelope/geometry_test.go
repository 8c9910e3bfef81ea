package envelope

import "testing"

func TestPoints(t *testing.T) {
	var d Datum
	typ := Type{Kind: KindGeometry}
	if err := typ.read(&d, Value(`{"x":1.5,"y":-2,"srid":4326}`), new(arena)); err != nil {
		t.Fatal(err)
	}
	g, _ := d.Geometry()
	if x, y, ok := g.Point(); !ok || x != 1.5 || y != -2 || !g.HasSRID || g.SRID != 4326 {
		t.Errorf("%v, %v, %v, %v", g, x, y, ok)
	}
	extended := append([]byte("\x01\x01\x00\x00\x20\xe6\x10\x00\x00"), g.WKB[5:]...)
	if x, y, ok := (Geometry{WKB: extended}).Point(); !ok || x != 1.5 || y != -2 {
		t.Errorf("extended: %v, %v, %v", x, y, ok)
	}
	big := []byte("\x00\x00\x00\x00\x01\x3f\xf8\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00")
	if x, y, ok := (Geometry{WKB: big}).Point(); !ok || x != 1.5 || y != -2 {
		t.Errorf("big-endian: %v, %v, %v", x, y, ok)
	}
	for i := range extended {
		if _, _, ok := (Geometry{WKB: extended[:i]}).Point(); ok {
			t.Errorf("%d bytes are a point", i)
		}
	}
	line := append([]byte("\x01\x02\x00\x00\x00"), g.WKB[5:]...)
	if _, _, ok := (Geometry{WKB: line}).Point(); ok {
		t.Error("a line is a point")
	}
}
