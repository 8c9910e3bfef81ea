package dsql

import "github.com/rowdelta/rowdelta/internal/jsonscan"

// The members that are known, of records, their source block and the
// description of split images. One numbering serves all.
const (
	fieldNone jsonscan.Field = iota
	fieldAfter
	fieldBefore
	fieldChunked
	fieldChunkID
	fieldCluster
	fieldCRC32C
	fieldData
	fieldDB
	fieldIndex
	fieldOp
	fieldSchema
	fieldSource
	fieldTable
	fieldTotalFragments
	fieldTSNS
	fieldTxID
	fieldType
	fieldCount
)

var fieldNames = [fieldCount]string{
	fieldAfter:          "after",
	fieldBefore:         "before",
	fieldChunked:        "chunked",
	fieldChunkID:        "chunk_id",
	fieldCluster:        "cluster",
	fieldCRC32C:         "crc32c",
	fieldData:           "data",
	fieldDB:             "db",
	fieldIndex:          "index",
	fieldOp:             "op",
	fieldSchema:         "schema",
	fieldSource:         "source",
	fieldTable:          "table",
	fieldTotalFragments: "total_fragments",
	fieldTSNS:           "ts_ns",
	fieldTxID:           "txId",
	fieldType:           "type",
}

// known returns the names of the fields.
func known(fields ...jsonscan.Field) map[string]jsonscan.Field {
	m := make(map[string]jsonscan.Field, len(fields))
	for _, f := range fields {
		m[fieldNames[f]] = f
	}
	return m
}

var (
	recordFields = known(fieldType, fieldOp, fieldBefore, fieldAfter, fieldSource, fieldChunked, fieldChunkID, fieldIndex, fieldData)
	sourceFields = known(fieldTSNS, fieldTxID, fieldSchema, fieldTable, fieldDB, fieldCluster)
	splitFields  = known(fieldBefore, fieldAfter)
	imageFields  = known(fieldChunkID, fieldTotalFragments, fieldCRC32C)
)
