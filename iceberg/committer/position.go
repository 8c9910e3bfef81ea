package committer

import (
	"maps"
	"slices"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/iceberg"
)

// Of each input, a snapshot's summary has these, the input's name behind them. Every
// snapshot of a Committer has those of all inputs, so that none is lost when older
// snapshots expire. The table's properties have them too: for snapshots of others, as
// of a service that compacts, behind which all of ours have expired.
const (
	propertyPrefix   = "rowdelta."
	propertyPosition = propertyPrefix + "position" // up to where the table has everything
	propertyFrom     = propertyPrefix + "from"     // of the delta that was committed last
	propertyTo       = propertyPrefix + "to"
	propertyDeltas   = propertyPrefix + "deltas" // the IDs of the deltas with that From and To, with blanks between them
)

// A progress is what a table has of its inputs.
type progress ice.Properties

// progressOf returns what the table's newest snapshot tells, or else the nearest of
// those before it that tells something.
func progressOf(t *table.Table) progress {
	s := t.CurrentSnapshot()
	for s != nil {
		if s.Summary != nil {
			if p := ours(s.Summary.Properties); len(p) > 0 {
				return p
			}
		}
		if s.ParentSnapshotID == nil {
			// Nessie shows the newest snapshot alone, without a parent.
			if s.SequenceNumber > 1 && len(t.Metadata().Snapshots()) == 1 {
				return ours(t.Properties())
			}
			return progress{}
		}
		if s = t.SnapshotByID(*s.ParentSnapshotID); s == nil {
			return ours(t.Properties())
		}
	}
	return progress{}
}

func ours(properties ice.Properties) progress {
	p := progress{}
	for name, value := range properties {
		if strings.HasPrefix(name, propertyPrefix) {
			p[name] = value
		}
	}
	return p
}

// has reports whether the table has a delta. One without positions is always new.
func (p progress) has(d *iceberg.Delta, source string, compare func(a, b string) int) bool {
	if d.To == "" {
		return false
	}
	if p[propertyFrom+source] == d.From && p[propertyTo+source] == d.To &&
		slices.Contains(strings.Fields(p[propertyDeltas+source]), d.ID) {
		return true
	}
	position, ok := p[propertyPosition+source]
	return ok && compare != nil && compare(d.To, position) <= 0
}

// with returns the progress with a delta in addition.
func (p progress) with(d *iceberg.Delta, source string) progress {
	next := maps.Clone(p)
	if d.To == "" {
		return next
	}
	deltas := d.ID
	if p[propertyFrom+source] == d.From && p[propertyTo+source] == d.To && p[propertyDeltas+source] != "" {
		deltas = p[propertyDeltas+source] + " " + d.ID
	}
	next[propertyFrom+source], next[propertyTo+source], next[propertyDeltas+source] = d.From, d.To, deltas
	if !d.More {
		next[propertyPosition+source] = d.To
	}
	return next
}
