package route

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A hostile stream of table names does not make the rules grow, and every table still finds its way.
func TestRulesRememberALimitedNumberOfTables(t *testing.T) {
	r := &Rules{Database: "lake", Patterns: []Pattern{{Name: "t*"}}}
	route := func(i int, prefix string) (Destination, error) {
		return r.Route(&envelope.Change{Table: envelope.Table{Name: fmt.Sprint(prefix, i)}})
	}
	for i := range maxResolved + 500 {
		to, err := route(i, "t")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("t", i), to.Table)
		require.LessOrEqual(t, len(r.resolved), maxResolved)
	}
	assert.Len(t, r.resolved, maxResolved)
	_, err := route(0, "unknown")
	require.ErrorIs(t, err, ErrNoRoute)
	for _, i := range []int{0, maxResolved - 1, maxResolved, maxResolved + 499} {
		to, err := route(i, "t")
		require.NoError(t, err)
		assert.Equal(t, Destination{Database: "lake", Table: fmt.Sprint("t", i)}, to)
	}
	assert.Len(t, r.resolved, maxResolved)
}

// The same of the metadata that a batch keeps, and of the memory that it keeps from event to event.
func TestBatchRemembersALimitedNumberOfDestinations(t *testing.T) {
	var p places
	for i := range maxResolved + 500 {
		to := Destination{Database: "lake", Table: fmt.Sprint("t", i)}
		want := fmt.Sprintf(`","metadata":{"otfMetadata":{"destinationDatabaseName":"lake","destinationTableName":"t%d","operation":"`, i)
		for range 2 {
			got := p.of(to)
			require.Equal(t, want, string(got.metadata))
			require.Equal(t, to, got.Destination)
		}
		require.LessOrEqual(t, len(p.known), maxResolved)
	}
}

func TestBatchKeepsLittle(t *testing.T) {
	b := &batch{}
	b.grow(maxKept)
	assert.True(t, b.reset())
	b.grow(maxKept + 1)
	assert.False(t, b.reset(), "a batch of one large event must not stay")
}
