package envelope

import (
	"maps"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A field is a member that the decoder knows, of the envelope or of its source
// block. One numbering serves both.
type field = jsonscan.Field

const (
	fieldNone field = iota
	fieldAdditionalData
	fieldAfter
	fieldAggregateType
	fieldBefore
	fieldChangeLSN
	fieldCollection
	fieldCommitLSN
	fieldCommitSCN
	fieldCommitTS
	fieldConnectSchema // the schema in the converter's wrapper
	fieldConnector
	fieldData
	fieldDataCollections
	fieldDatabaseID
	fieldDatabaseName
	fieldDB
	fieldDDL
	fieldDeleted
	fieldFile
	fieldGTID
	fieldID
	fieldKeyspace
	fieldLSN
	fieldMessage
	fieldModNumber
	fieldOp
	fieldOrd
	fieldPatch
	fieldPayload
	fieldPos
	fieldRow
	fieldSchema
	fieldSCN
	fieldSeenMS // a flattened record's name for the envelope's ts_ms
	fieldSeenNS
	fieldSeenUS
	fieldSequence
	fieldServerID
	fieldSnapshot
	fieldSource
	fieldSpecVersion
	fieldStatus
	fieldTable
	fieldTableChanges
	fieldTransaction
	fieldTSHLC
	fieldTSMS
	fieldTSNS
	fieldTSUS
	fieldTxID
	fieldType
	fieldUpdateDescription
	fieldVersion
	fieldCount // at most 64: presence is a bit in a word
)

var fieldNames = [fieldCount]string{
	fieldAdditionalData:    "additional_data",
	fieldAfter:             "after",
	fieldAggregateType:     "aggregate_type",
	fieldBefore:            "before",
	fieldChangeLSN:         "change_lsn",
	fieldCollection:        "collection",
	fieldCommitLSN:         "commit_lsn",
	fieldCommitSCN:         "commit_scn",
	fieldCommitTS:          "commit_ts",
	fieldConnector:         "connector",
	fieldDataCollections:   "data_collections",
	fieldDatabaseID:        "database_id",
	fieldDatabaseName:      "databaseName",
	fieldDB:                "db",
	fieldDDL:               "ddl",
	fieldFile:              "file",
	fieldGTID:              "gtid",
	fieldID:                "id",
	fieldKeyspace:          "keyspace",
	fieldLSN:               "lsn",
	fieldMessage:           "message",
	fieldModNumber:         "mod_number",
	fieldOp:                "op",
	fieldOrd:               "ord",
	fieldPatch:             "patch",
	fieldPayload:           "payload",
	fieldPos:               "pos",
	fieldRow:               "row",
	fieldSchema:            "schema",
	fieldSCN:               "scn",
	fieldSequence:          "sequence",
	fieldServerID:          "server_id",
	fieldSnapshot:          "snapshot",
	fieldSource:            "source",
	fieldStatus:            "status",
	fieldTable:             "table",
	fieldTableChanges:      "tableChanges",
	fieldTransaction:       "transaction",
	fieldTSHLC:             "ts_hlc",
	fieldTSMS:              "ts_ms",
	fieldTSNS:              "ts_ns",
	fieldTSUS:              "ts_us",
	fieldTxID:              "txId",
	fieldType:              "type",
	fieldUpdateDescription: "updateDescription",
	fieldVersion:           "version",
}

// envelopeFields are the members of an envelope and its source block by name.
var envelopeFields = fieldsByName(func(name string) string { return name })

// recordFields are those of a record: the same, and the wrapper's schema.
var recordFields = func() map[string]field {
	m := maps.Clone(envelopeFields)
	m["schema"] = fieldConnectSchema
	return m
}()

// fieldsByName maps the spelling of each field's name to the field.
func fieldsByName(spell func(name string) string) map[string]field {
	m := make(map[string]field, fieldCount)
	for f, name := range fieldNames {
		if name != "" {
			m[spell(name)] = field(f)
		}
	}
	return m
}
