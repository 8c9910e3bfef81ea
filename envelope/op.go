package envelope

// Op is what a record says happened.
type Op uint8

// The operations. Only those down to OpRead, and OpUnknown with an after
// image, change one row.
const (
	OpUnknown      Op = iota // an operation that this package does not know
	OpCreate                 // "c", and Cassandra's "i"
	OpUpdate                 // "u"
	OpDelete                 // "d"
	OpRead                   // "r", a snapshot read
	OpTruncate               // "t", all rows of the table at once
	OpMessage                // "m", a logical decoding message
	OpTombstone              // no value: what follows a delete on a compacted topic
	OpHeartbeat              // the connector is alive
	OpTransaction            // a transaction began or ended
	OpSchemaChange           // a table's definition changed
	OpNotification           // progress of a snapshot
	OpSignal                 // a row of the signal table, see Debezium.SignalTable
)

var opNames = [...]string{"unknown", "create", "update", "delete", "read", "truncate", "message", "tombstone",
	"heartbeat", "transaction", "schema change", "notification", "signal"}

// String returns the operation's name, lower case.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return opNames[OpUnknown]
}

// Effect is what applying a change does to a table.
type Effect uint8

// The effects.
const (
	None     Effect = iota // nothing: not a change of rows
	Upsert                 // the row is as After shows it, whether it was there before or not
	Delete                 // the row is gone
	Truncate               // all rows are gone
)

var effectNames = [...]string{"none", "upsert", "delete", "truncate"}

// String returns the effect's name, lower case.
func (e Effect) String() string {
	if int(e) < len(effectNames) {
		return effectNames[e]
	}
	return effectNames[None]
}
