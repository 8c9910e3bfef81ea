package dedupe

import (
	"maps"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/keyindex"
)

// A Compactor makes of the changes of a batch one final change for each row. Its
// zero value is ready to use and safe for concurrent use.
//
// The final change is the newest by version; where versions tie, or one knows
// nothing, it is the one that arrived later. A column that the connector did not
// have (see [envelope.Placeholder]) is filled from the change's own before image,
// or else from the next older change of the row in the batch that has it. A row
// that came from another key, as the create of a changed key, goes on with the
// changes of the old key.
//
// A value from an older change is the right one if no change between the two is
// missing, that is if each row's changes arrive in order, as from one partition
// of a topic. Repeats do no harm, whether one by one or as after a restart, when
// the stream goes on from an earlier position. Where that is not so, set
// Disordered.
type Compactor struct {
	// Keys tells rows apart; nil means the transport's key, by
	// [envelope.Change.AppendKey] without columns. It should be the Filter's.
	Keys envelope.KeyFunc

	// Placeholder recognises values that are not there; nil means those of
	// [envelope.DefaultPlaceholder].
	Placeholder *envelope.Placeholder

	// Disordered says that changes of a row may arrive out of order. Columns are then
	// filled from the change's own before image alone.
	Disordered bool
}

var defaultPlaceholder = envelope.NewPlaceholder(envelope.DefaultPlaceholder)

// A Final is the last change of a row in a batch.
type Final struct {
	// Change is the newest change. Its After is memory of its own if columns were
	// filled, and aliases the record otherwise. Whether the row was there before the
	// batch is not known: apply it as its Effect says, whatever its Op.
	envelope.Change

	// Index is the newest change's in the batch.
	Index int

	// Unavailable names the columns of After that still hold the placeholder.
	Unavailable []string

	// Origin is the index of the change that names the row which has the unavailable
	// columns: the row of its key, as the table had it before this batch. It is
	// another key's if the key was changed. It is -1 if no row is known to have them;
	// that of the final change's own key may be one that was deleted in between.
	//
	// After a crash between the sink and Commit the table may be beyond that state.
	// Take a row of it only if it is known to be older than the change at Origin, by
	// its version or by the position that was committed with it.
	Origin int
}

// A Failure is a change that could not be used, with the reason, which holds no
// row data.
type Failure struct {
	Index int // in the batch
	Err   error
}

// Compact returns the final changes of a batch in an order in which they can be
// applied: truncates first, then one change for each row, in the order in which
// the final changes arrived. A truncate removes what is older than it. What is no
// change of rows is left out.
//
// decisions are a Filter's on the changes, or nil if all are to be applied. Only
// rows with an admitted change are returned; the others still serve to fill
// columns, since what is repeated or stale shows how the row was before.
//
// A change whose key cannot be read, and an update that changes its row's key
// ([ErrMoved]), is in failed and otherwise left out, but for what a Filter found
// to have failed.
func (c *Compactor) Compact(changes []envelope.Change, decisions []Decision) (finals []Final, failed []Failure) {
	b := compaction{
		Compactor: c,
		changes:   changes,
		rows:      keyindex.New(len(changes)),
		applied:   make([]bool, len(changes)),
		row:       make([]int, len(changes)),
		previous:  make([]int, len(changes)),
		truncates: map[envelope.Table]int{},
	}
	filter := Filter{Keys: c.Keys}
	for i := range changes {
		b.row[i], b.previous[i] = none, none
		admitted := true
		if decisions != nil {
			if decisions[i].Verdict == Failed {
				continue
			}
			admitted = decisions[i].Verdict.Admitted()
		}
		b.applied[i] = admitted
		switch changes[i].Effect() {
		case envelope.None:
		case envelope.Truncate:
			if admitted && b.supersedes(i, b.truncated(i)) {
				b.truncates[changes[i].Table] = i
			}
		default:
			if err := b.add(&filter, i, admitted); err != nil {
				failed = append(failed, Failure{i, err})
			}
		}
	}
	return b.finals(), failed
}

// none stands for no change.
const none = -1

// A compaction is a batch on its way through a Compactor. The changes of a row
// form a chain from the newest to the oldest.
type compaction struct {
	*Compactor
	changes   []envelope.Change
	rows      *keyindex.Index
	newest    []int  // by row
	admitted  []bool // by row: has it an admitted change?
	applied   []bool // by change: is it admitted?
	row       []int  // by change, or none
	previous  []int  // by change: the next older one of its row, or none
	truncates map[envelope.Table]int
	halves    map[halfOf]halves // made when it is needed
	key       []byte
}

// supersedes reports whether change i is to be applied after change j, or there
// is no j.
func (b *compaction) supersedes(i, j int) bool {
	if j == none {
		return true
	}
	v, w := b.changes[i].Version, b.changes[j].Version
	order := 0
	if !v.IsZero() && !w.IsZero() {
		order = v.Compare(w)
	}
	return order > 0 || order == 0 && i > j
}

// truncated returns the truncate of the table of change i, or none.
func (b *compaction) truncated(i int) int {
	if t, ok := b.truncates[b.changes[i].Table]; ok {
		return t
	}
	return none
}

// add puts a change into the chain of its row.
func (b *compaction) add(f *Filter, i int, admitted bool) error {
	key, err := f.appendKey(b.key[:0], &b.changes[i])
	if err != nil {
		return err
	}
	end := len(key)
	if f.Keys != nil {
		var moved bool
		if key, moved = f.moves(key, 0, &b.changes[i]); moved {
			return ErrMoved
		}
	}
	b.key = key
	row, isNew := b.rows.Add(key[:end])
	if isNew {
		b.newest, b.admitted = append(b.newest, none), append(b.admitted, false)
	}
	b.admitted[row] = b.admitted[row] || admitted
	at := &b.newest[row]
	for *at != none && !b.supersedes(i, *at) {
		at = &b.previous[*at]
	}
	b.row[i], b.previous[i], *at = row, *at, i
	return nil
}

// finals returns the final changes.
func (b *compaction) finals() []Final {
	truncates := slices.Sorted(maps.Values(b.truncates))
	rows := make([]int, 0, len(b.newest))
	for row, i := range b.newest {
		if b.admitted[row] && b.supersedes(i, b.truncated(i)) {
			rows = append(rows, i)
		}
	}
	slices.Sort(rows)
	finals := make([]Final, 0, len(truncates)+len(rows))
	for _, i := range truncates {
		finals = append(finals, Final{Change: b.changes[i], Index: i, Origin: none})
	}
	for _, i := range rows {
		finals = append(finals, b.final(i))
	}
	return finals
}
