package committer

import (
	"errors"
	"maps"
	"strconv"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/iceberg"
)

// Deletes says how rows are deleted.
type Deletes uint8

// How rows are deleted.
const (
	// EqualityDeletes writes the keys of deleted rows. It reads nothing of the table and
	// is the fastest to write; readers must look every row up among the keys, and some
	// cannot.
	EqualityDeletes Deletes = iota

	// DeletionVectors finds the rows in the table and marks their places. It reads the
	// columns of the key of all data files in which a key can be. Tables that it makes
	// have version 3 of the format; it cannot write others.
	DeletionVectors

	// CopyOnWrite writes the data files anew in which there are deleted rows. Readers
	// have nothing to do; it is the slowest to write.
	CopyOnWrite
)

// ErrVersion is the cause of a SchemaError for a table whose version of the format has
// not the deletes that are to be written.
var ErrVersion = errors.New("deletion vectors need version 3 of the format")

// ErrPartition is the cause of a SchemaError for a table of which a partition does not
// follow from the key.
var ErrPartition = errors.New("a partition of a column that is not of the key")

// propertyDictionary, with a column's name behind it, says whether its values are
// written as numbers of a dictionary's.
const propertyDictionary = "write.parquet.dict-encoding-enabled.column."

// defaults returns the properties of a table that is made.
func (c *Committer) defaults(s *iceberg.Schema) ice.Properties {
	version := 2
	if c.options.Deletes == DeletionVectors {
		version = 3
	}
	p := ice.Properties{
		table.PropertyFormatVersion:               strconv.Itoa(newest(s, version)),
		table.ParquetCompressionKey:               "zstd",
		table.ParquetCompressionLevelKey:          "1", // files are a hundredth larger, and a tenth of the time is saved
		table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.MetadataPreviousVersionsMaxKey:      "20",
	}
	if len(s.Key) == 1 { // no value comes twice in a file
		p[propertyDictionary+s.Key[0]] = "false"
	}
	maps.Copy(p, c.options.Properties)
	return p
}
