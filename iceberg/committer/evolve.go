package committer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/iceberg"
)

// evolve adds changes of columns to a transaction.
func evolve(tx *table.Transaction, e *iceberg.Evolution) error {
	if e.IsZero() {
		return nil
	}
	u := tx.UpdateSchema(true, false) // one for all: the library takes no second one in a transaction
	former := make(map[string]string)
	for _, r := range e.Rename {
		former[r.To] = r.From
		u.RenameColumn([]string{r.From}, r.To)
	}
	if e.NewKey {
		paths := make([][]string, len(e.Key))
		for i, name := range e.Key {
			paths[i] = []string{name}
		}
		u.SetIdentifierField(paths)
	}
	for _, name := range e.Delete {
		u.DeleteColumn([]string{name})
	}
	for _, name := range e.Relax {
		u.UpdateColumn([]string{cmp.Or(former[name], name)}, table.ColumnUpdate{Required: ice.Optional[bool]{Valid: true, Val: false}})
	}
	for _, c := range e.Widen {
		t, err := typeOf(c.Type)
		if err != nil {
			return err
		}
		u.UpdateColumn([]string{c.Name}, table.ColumnUpdate{FieldType: ice.Optional[ice.Type]{Valid: true, Val: t}})
	}
	for _, c := range e.Add {
		t, err := typeOf(c.Type)
		if err != nil {
			return err
		}
		u.AddColumn([]string{c.Name}, t, "", false, nil)
	}
	if err := u.Commit(); err != nil {
		return fmt.Errorf("committer: change columns: %w", err)
	}
	return nil
}

// propertyKey is the table's property that says of which types the key's columns are in
// all data files: their field IDs and types.
const propertyKey = "rowdelta-key"

// typesOf spells the types of the key's columns.
func typesOf(t *table.Table, s *iceberg.Schema) (string, error) {
	fields, err := keyFields(t, s)
	if err != nil {
		return "", err
	}
	slices.SortFunc(fields, func(a, b ice.NestedField) int { return a.ID - b.ID })
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = fmt.Sprintf("%d:%v", f.ID, f.Type)
	}
	return strings.Join(parts, ";"), nil
}

// history returns whether a column of the key had another type once, and the name of one
// that the table did not always have, or an empty one.
func history(t *table.Table, key []ice.NestedField) (widened bool, added string) {
	for _, former := range t.Metadata().Schemas() {
		for _, f := range key {
			switch was, ok := former.FindFieldByID(f.ID); {
			case !ok:
				added = f.Name
			case !was.Type.Equals(f.Type):
				widened = true
			}
		}
	}
	return widened, added
}

// checkKey finds out whether data files have the key's columns as the table has them now;
// somebody else may have changed them, or they may be of the key only now. It sets
// e.Rewrite if they must be rewritten with other types. Rows that lack a column would
// never be deleted by the key. mark tells that from now on all files are as they should,
// since the table has none.
func (w *writing) checkKey(ctx context.Context, t *table.Table, e *iceberg.Evolution) (mark bool, err error) {
	s := w.source.Schema
	key, err := keyFields(t, s)
	if err != nil || e.Rewrite {
		return false, err
	}
	widened, added := history(t, key)
	if !widened && added == "" {
		return false, nil
	}
	if types, err := typesOf(t, s); err != nil || types == t.Properties()[propertyKey] {
		return false, err
	}
	empty, err := isEmpty(ctx, t)
	switch {
	case err != nil:
		return false, err
	case empty || w.source.Truncated:
		return true, nil
	case added != "":
		return false, &iceberg.SchemaError{Table: w.source.Table, Column: added, Err: fmt.Errorf("%w: the table has rows that are older than the column", iceberg.ErrKey)}
	}
	e.Rewrite = true
	return false, nil
}

// widenKey changes the columns and rewrites all data files, in one commit: equality
// deletes with the new type miss rows in files with the old one.
func (c *Committer) widenKey(ctx context.Context, t *table.Table, key *iceberg.Schema, e *iceberg.Evolution) error {
	tx := t.NewTransaction()
	if err := tx.AssertRefSnapshotID(""); err != nil {
		return err
	}
	if err := evolve(tx, e); err != nil {
		return err
	}
	staged, err := tx.StagedTable()
	if err != nil {
		return err
	}
	empty, err := isEmpty(ctx, t)
	if err != nil {
		return err
	}
	if !empty {
		tasks, err := wholeFiles(ctx, staged.Table)
		if err != nil {
			return err
		}
		if err := rewrite(ctx, tx, staged.Table, tasks, ice.Properties(progressOf(t))); err != nil {
			return err
		}
	}
	types, err := typesOf(staged.Table, key)
	if err != nil {
		return err
	}
	if err := tx.SetProperties(ice.Properties{propertyKey: types}); err != nil {
		return err
	}
	_, err = tx.Commit(ctx)
	return overtaken(err)
}

// rewrite adds to a transaction that data files are written anew, with all deletes
// applied.
func rewrite(ctx context.Context, tx *table.Transaction, t *table.Table, tasks []table.FileScanTask, summary ice.Properties) error {
	kept, err := rewritten(ctx, t, tasks, nil, nil)
	if err != nil {
		return err
	}
	done := table.CompactionGroupResult{
		NewDataFiles:        kept,
		SafePosDeletes:      table.CollectSafePositionDeletes(tasks),
		SafeDeletionVectors: table.CollectSafeDeletionVectors(tasks),
	}
	for _, task := range tasks {
		done.OldDataFiles = append(done.OldDataFiles, task.File)
	}
	return tx.NewRewrite(summary).ApplyResult(done).Commit(ctx)
}
