package dsqltest

import (
	"hash/crc32"
	"math/rand/v2"
	"strconv"
)

// A cut is how an image was split.
type cut struct {
	absent bool // at the top level: absent, not null
	id     string
	pieces [][]byte
}

// A writer writes the records of one change.
type writer struct {
	g *Generator
	c *change
}

var imageNames = [2]string{"before", "after"}

// cut splits the images of a record of that size until what is left is short
// enough.
func (w *writer) cut(r *rand.Rand, processed int64, size int) (cuts [2]*cut) {
	order := [2]int{0, 1}
	if len(w.c.images[1]) > len(w.c.images[0]) {
		order = [2]int{1, 0}
	}
	for _, i := range order {
		if image := w.c.images[i]; image != nil && size > w.g.SplitAt {
			cuts[i] = &cut{absent: r.IntN(2) == 0, id: uuidText(r), pieces: split(image, w.g.FragmentBytes)}
			size = len(w.main(processed, cuts))
		}
	}
	return cuts
}

// split cuts an image into pieces whose spelling in a string is at most limit
// bytes long, or one character. The pieces alias it.
func split(image []byte, limit int) [][]byte {
	var out [][]byte
	start, length := 0, 0
	for i := 0; i < len(image); {
		size, n := spelled(image[i:])
		if length+n > limit && i > start {
			out = append(out, image[start:i:i])
			start, length = i, 0
		}
		i += size
		length += n
	}
	return append(out, image[start:])
}

// main returns the full record, or the main record of a change with cut images.
func (w *writer) main(processed int64, cuts [2]*cut) []byte {
	c := w.c
	chunked := cuts[0] != nil || cuts[1] != nil
	dst := make([]byte, 0, w.room(cuts))
	dst = append(dst, '{')
	switch {
	case chunked:
		dst = append(dst, `"type":"chunked",`...)
	case !w.g.Untyped:
		dst = append(dst, `"type":"full",`...)
	}
	dst = append(dst, `"op":"`...)
	dst = append(dst, c.op, '"')
	for i, image := range c.images {
		if cuts[i] != nil && cuts[i].absent {
			continue
		}
		dst = append(append(append(dst, `,"`...), imageNames[i]...), `":`...)
		if image == nil || cuts[i] != nil {
			image = []byte("null")
		}
		dst = append(dst, image...)
	}
	dst = w.appendSource(dst)
	if chunked {
		dst = append(dst, `,"chunked":`...)
		dst = appendCuts(dst, c.images, cuts)
	}
	dst = appendTimes(append(dst, ','), processed)
	return append(dst, '}')
}

// room returns about as many bytes as main needs.
func (w *writer) room(cuts [2]*cut) int {
	n := 640
	for i, image := range w.c.images {
		if cuts[i] == nil {
			n += len(image)
		}
	}
	return n
}

func (w *writer) appendSource(dst []byte) []byte {
	c := w.c
	dst = append(dst, `,"source":{"version":"1.0",`...)
	dst = appendTimes(dst, c.commit)
	dst = append(dst, `,"txId":"`...)
	dst = append(dst, c.txID...)
	dst = append(dst, `","schema":`...)
	dst = appendString(dst, []byte(c.table.name.Schema))
	dst = append(dst, `,"table":`...)
	dst = appendString(dst, []byte(c.table.name.Name))
	dst = append(dst, `,"db":"postgres","cluster":`...)
	return append(appendString(dst, []byte(w.g.Cluster)), '}')
}

func appendTimes(dst []byte, ns int64) []byte {
	dst = strconv.AppendInt(append(dst, `"ts_ms":`...), ns/1_000_000, 10)
	return strconv.AppendInt(append(dst, `,"ts_ns":`...), ns, 10)
}

// appendCuts appends the member chunked of a main record.
func appendCuts(dst []byte, images [2][]byte, cuts [2]*cut) []byte {
	separator := byte('{')
	for i, cut := range cuts {
		if cut == nil {
			continue
		}
		dst = append(dst, separator, '"')
		dst = append(append(dst, imageNames[i]...), `":{"chunk_id":"`...)
		dst = append(append(dst, cut.id...), `","total_fragments":`...)
		dst = strconv.AppendInt(dst, int64(len(cut.pieces)), 10)
		dst = append(dst, `,"crc32c":"`...)
		dst = strconv.AppendUint(dst, uint64(crc32.Checksum(images[i], crc32.MakeTable(crc32.Castagnoli))), 10)
		dst = append(dst, `"}`...)
		separator = ','
	}
	return append(dst, '}')
}

// fragment returns the record of one piece of a cut image.
func (c *cut) fragment(index int) []byte {
	dst := make([]byte, 0, 120+len(c.pieces[index])*9/8)
	dst = append(dst, `{"type":"fragment","chunk_id":"`...)
	dst = append(append(dst, c.id...), `","index":`...)
	dst = strconv.AppendInt(dst, int64(index), 10)
	dst = append(dst, `,"data":`...)
	return append(appendString(dst, c.pieces[index]), '}')
}
