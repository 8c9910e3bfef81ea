package route_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func asItIs(f *dedupe.Filter) route.Admission { return f }

// The replay rule, although Firehose never tells when it has delivered.
func TestAdmissionSurvivesKills(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
		s := setup{coalesce: pick(2) == 1, literal: pick(2) == 1, admission: asItIs}
		require.Empty(t, newCloud(t, pick, s).run())
	})
}

// An altered Admission does something else than it should.
type altered struct {
	*dedupe.Filter
	order func(order []int)
	raise func(ctx context.Context, raise func(context.Context, []bool) error, sent []bool) error
	early bool // it raises in Order
}

func (a altered) Order(ctx context.Context, changes []envelope.Change, order []int, errs []error) (func(context.Context, []bool) error, error) {
	raise, err := a.Filter.Order(ctx, changes, order, errs)
	switch {
	case err != nil:
		return nil, err
	case a.order != nil:
		a.order(order)
		return raise, nil
	case a.early:
		return nil, a.raise(ctx, raise, make([]bool, len(changes)))
	}
	return func(ctx context.Context, sent []bool) error { return a.raise(ctx, raise, sent) }, nil
}

func raiseNone(context.Context, func(context.Context, []bool) error, []bool) error { return nil }

func raiseAll(ctx context.Context, raise func(context.Context, []bool) error, sent []bool) error {
	for i := range sent {
		sent[i] = true
	}
	return raise(ctx, sent)
}

func dropRepeats(order []int) {
	for i := range order {
		if order[i] == 0 {
			order[i] = -1
		}
	}
}

// Each part of the rule is needed: without it the same model ends with a wrong table. Marks that were raised too early,
// before a process died, do no harm by themselves, as repeats are sent again; those of a change that fails after all do.
func TestAdmissionRuleIsNeeded(t *testing.T) {
	const clouds = 300
	// search returns what is wrong with the first table that is.
	search := func(s setup) (wrong string) {
		for seed := uint64(0); seed < clouds && wrong == ""; seed++ {
			wrong = newCloud(t, rand.New(rand.NewPCG(seed, 4)).IntN, s).run()
		}
		return wrong
	}
	type admit = func(f *dedupe.Filter) route.Admission
	for _, s := range []setup{{}, {literal: true}, {coalesce: true}, {coalesce: true, literal: true}} {
		s.admission = asItIs
		require.Empty(t, search(s), "coalesce %t, literal %t", s.coalesce, s.literal)
		for name, admission := range map[string]admit{
			"nothing is dropped":               func(*dedupe.Filter) route.Admission { return nil },
			"nothing is raised":                func(f *dedupe.Filter) route.Admission { return altered{Filter: f, raise: raiseNone} },
			"repeats are dropped":              func(f *dedupe.Filter) route.Admission { return altered{Filter: f, order: dropRepeats} },
			"raised before there is an answer": func(f *dedupe.Filter) route.Admission { return altered{Filter: f, raise: raiseAll, early: true} },
			"raised for what fails":            func(f *dedupe.Filter) route.Admission { return altered{Filter: f, raise: raiseAll} },
		} {
			s.admission = admission
			require.NotEmpty(t, search(s), "%s, and nobody sees it: coalesce %t, literal %t", name, s.coalesce, s.literal)
		}
	}
}
