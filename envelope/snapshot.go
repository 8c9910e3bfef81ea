package envelope

// Snapshot says whether a change is a snapshot's, and where in it.
type Snapshot uint8

// The places, by what Debezium calls them (source.snapshot). A record has but one:
// the only one of a table is the last of it, and the last of a snapshot's last table is
// the last of all. Debezium 1.9 tells no more than SnapshotBetween and
// SnapshotLast.
const (
	SnapshotNone        Snapshot = iota // no snapshot's: "false", or nothing is told
	SnapshotFirst                       // the first record of all
	SnapshotFirstOf                     // the first of its table: first_in_data_collection
	SnapshotBetween                     // one that is no other: "true"
	SnapshotLastOf                      // the last of its table: last_in_data_collection
	SnapshotLast                        // the last record of all
	SnapshotIncremental                 // of an incremental snapshot, whose rows come between the streamed changes
)

var snapshotNames = [...]string{"none", "first", "first of its table", "between", "last of its table", "last", "incremental"}

// String returns the place in lower case.
func (s Snapshot) String() string {
	if int(s) < len(snapshotNames) {
		return snapshotNames[s]
	}
	return "unknown"
}

// snapshotOf returns what a marker says.
func snapshotOf(marker []byte) Snapshot {
	switch string(marker) {
	case "true":
		return SnapshotBetween
	case "first":
		return SnapshotFirst
	case "first_in_data_collection":
		return SnapshotFirstOf
	case "last_in_data_collection":
		return SnapshotLastOf
	case "last":
		return SnapshotLast
	case "incremental":
		return SnapshotIncremental
	}
	return SnapshotNone
}
