package committer_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/apache/iceberg-go/catalog"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/iceberg/committest"
)

// modes are the ways to delete rows, by their names.
var modes = []struct {
	name    string
	deletes committer.Deletes
}{
	{"EqualityDeletes", committer.EqualityDeletes},
	{"DeletionVectors", committer.DeletionVectors},
	{"CopyOnWrite", committer.CopyOnWrite},
}

// A sink is a Committer as the suite sees it.
type sink struct{ *committer.Committer }

func (s sink) Schema(ctx context.Context, source envelope.Table) (*iceberg.Schema, error) {
	info, err := s.Info(ctx, source)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return info.Schema, nil
}

func (s sink) Rows(ctx context.Context, source envelope.Table) iter.Seq2[*iceberg.Rows, error] {
	return s.Committer.Rows(ctx, source, 0)
}

func (s sink) Snapshots(ctx context.Context, source envelope.Table) (int, error) {
	info, err := s.Info(ctx, source)
	if err != nil {
		return 0, err
	}
	return len(info.Snapshots), nil
}

func TestConformance(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			committest.Run(t, func(t *testing.T) func() committest.Sink {
				dir := t.TempDir()
				return func() committest.Sink {
					c, err := committer.Local(dir, committer.Options{Deletes: mode.deletes})
					require.NoError(t, err)
					t.Cleanup(func() { require.NoError(t, c.Close()) })
					return sink{c}
				}
			})
		})
	}
}
