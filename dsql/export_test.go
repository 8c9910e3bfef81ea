package dsql

import "fmt"

// Check says whether what r counts is what it has, and within its limits.
func (r *Reassembler) Check() error {
	var bytes, returned int64
	pending, images, done := 0, 0, 0
	for g := range r.groups {
		bytes += g.bytes
		if g.settled {
			returned += g.bytes
		} else {
			pending++
		}
		if g.done && !g.settled || g.lost && !g.settled || g.settled && g.main != nil {
			return fmt.Errorf("group %d is in no state", g.number)
		}
		if g.done {
			done++
		}
		for _, m := range g.images {
			if r.images[m.id] != m || m.group != g {
				return fmt.Errorf("image %q of group %d is another's", m.id, g.number)
			}
			if !r.durable && m.bytes > r.Limits.imageBytes() {
				return fmt.Errorf("image %q has %d bytes", m.id, m.bytes)
			}
			images++
		}
	}
	for _, o := range r.strays {
		bytes += int64(strayCost + len(o.ChunkID))
	}
	switch {
	case bytes != r.bytes:
		return fmt.Errorf("%d bytes are counted as %d", bytes, r.bytes)
	case returned != r.returned:
		return fmt.Errorf("%d returned bytes are counted as %d", returned, r.returned)
	case pending != r.pending:
		return fmt.Errorf("%d pending groups are counted as %d", pending, r.pending)
	case images != len(r.images):
		return fmt.Errorf("%d images, of which groups have %d", len(r.images), images)
	case bytes > r.Limits.pendingBytes():
		return fmt.Errorf("%d bytes", bytes)
	case done > maxFinished || len(r.finished.lost) > maxFinished:
		return fmt.Errorf("%d groups are done, %d IDs are remembered", done, len(r.finished.lost))
	case pending > r.Limits.pending():
		return fmt.Errorf("%d pending groups", pending)
	}
	return nil
}
