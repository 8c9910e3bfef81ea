package committer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/iceberg"
)

// partitioned refuses a table of which a partition does not follow from the key. An
// equality delete reaches the rows of one partition: it would need the value that the
// row had before, which no change tells for certain.
func partitioned(d *iceberg.Delta, t *table.Table) error {
	spec := t.Spec()
	for _, f := range spec.Fields() {
		for _, id := range f.SourceIDs {
			name, _ := t.Schema().FindColumnName(id)
			if !slices.Contains(d.Schema.Key, name) {
				return &iceberg.SchemaError{Table: d.Table, Column: name, Err: ErrPartition}
			}
		}
	}
	return nil
}

// specOf returns the partitions that are made of terms such as bucket[16](id).
func specOf(terms []string, s *ice.Schema, d *iceberg.Delta) (*ice.PartitionSpec, error) {
	var fields []ice.PartitionField
	for i, term := range terms {
		transform, column, ok := strings.Cut(strings.TrimSuffix(term, ")"), "(")
		if !ok || !strings.HasSuffix(term, ")") {
			transform, column = "identity", term
		}
		f, found := s.FindFieldByName(column)
		if !found || !slices.Contains(d.Schema.Key, column) {
			return nil, &iceberg.SchemaError{Table: d.Table, Column: column, Err: ErrPartition}
		}
		how, err := ice.ParseTransform(transform)
		if _, unknown := how.(ice.UnknownTransform); unknown {
			err = ice.ErrInvalidTransform
		}
		if err != nil {
			return nil, &iceberg.SchemaError{Table: d.Table, Column: column, Err: fmt.Errorf("%w: %w", ErrPartition, err)}
		}
		name := column + "_" + strings.Map(letters, transform)
		fields = append(fields, ice.PartitionField{SourceIDs: []int{f.ID}, FieldID: 1000 + i, Name: name + strconv.Itoa(i), Transform: how})
	}
	spec := ice.NewPartitionSpec(fields...)
	return &spec, nil
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}
