package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

var errBroken = errors.New("connection reset")

// faults are what goes wrong in a database, each by chance, in percent.
type faults struct {
	seed                             uint64
	refuse, lose, leave, code, fatal int
	spoiled                          bool
}

func drawFaults(t *rapid.T) faults {
	percent := rapid.SampledFrom([]int{0, 0, 5, 30, 60})
	return faults{
		rapid.Uint64().Draw(t, "seed"),
		percent.Draw(t, "refuse"), percent.Draw(t, "lose"), percent.Draw(t, "leave"), percent.Draw(t, "code"),
		rapid.SampledFrom([]int{0, 0, 2, 20}).Draw(t, "fatal"),
		rapid.Bool().Draw(t, "spoiled"),
	}
}

// spoil has them happen.
func (f faults) spoil(d *database) {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(f.seed, 0))
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(100) < percent
	}
	fault := func(percent int) func(string, int) error {
		return func(string, int) error {
			switch {
			case chance(f.fatal):
				return errBroken
			case chance(percent):
				return busy[0]
			}
			return nil
		}
	}
	d.refuse, d.lose, d.spoiled = fault(f.refuse), fault(f.lose), f.spoiled
	d.leave = func(int, int) bool { return chance(f.leave) }
	d.code = func(int, int) types.BatchStatementErrorCodeEnum {
		if chance(f.code) {
			return types.BatchStatementErrorCodeEnumInternalServerError
		}
		return ""
	}
}

// hide reports whether a swap may be made without being said so.
func (f faults) hide() bool { return f.lose > 0 || f.fatal > 0 || f.spoiled && f.code > 0 }

// A resender is a client that sends a request again whose answer it did not get,
// as the SDK's does.
type resender struct{ *database }

func resend[In, Out any](call func(context.Context, In, ...func(*dynamodb.Options)) (Out, error), ctx context.Context, in In) (out Out, err error) {
	for range 3 {
		if out, err = call(ctx, in); err == nil {
			return out, nil
		}
	}
	return out, err
}

func (r resender) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return resend(r.database.BatchGetItem, ctx, in)
}

func (r resender) BatchExecuteStatement(ctx context.Context, in *dynamodb.BatchExecuteStatementInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchExecuteStatementOutput, error) {
	return resend(r.database.BatchExecuteStatement, ctx, in)
}

// mark reads the mark of a key past the store.
func (d *database) mark(key []byte) (v envelope.Version) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if it, ok := d.items["\x00\x00"+string(key)]; ok {
		if err := v.UnmarshalBinary([]byte(it["version"][1:])); err != nil {
			panic(err)
		}
	}
	return v
}

// A step is a call on a number of keys from the first on. Wrong is in how many
// swaps, of ten, Old is not the mark.
type step struct {
	load        bool
	first, keys int
	wrong       int
}

// TestFaults makes calls whose requests fail in all ways. After each, the marks
// are what the contract allows.
func TestFaults(t *testing.T) {
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{rapid.Bool().Draw(t, "load"), rapid.IntRange(0, 80).Draw(t, "first"), rapid.IntRange(0, 130).Draw(t, "keys"), rapid.IntRange(0, 5).Draw(t, "wrong")}
	}), 1, 12)
	rapid.Check(t, func(rt *rapid.T) {
		f, script := drawFaults(rt), steps.Draw(rt, "steps")
		resends := rapid.Bool().Draw(rt, "resends")
		var err error
		synctest.Test(t, func(t *testing.T) {
			d := newDatabase()
			f.spoil(d)
			s := d.store()
			s.Attempts, s.Concurrency = 6, 3
			if resends {
				s.Client = resender{d}
			}
			for n, step := range script {
				if err = step.run(t.Context(), s, f, 1000*n); err != nil {
					err = fmt.Errorf("step %d: %w", n, err)
					return
				}
			}
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// run makes a call and judges it. New versions are those from base on.
func (p step) run(ctx context.Context, s *dynamostore.Store, f faults, base int) error {
	d, ok := s.Client.(*database)
	if !ok {
		d = s.Client.(resender).database
	}
	all := keys(p.first + p.keys)[p.first:]
	before := make([]envelope.Version, len(all))
	for i, key := range all {
		before[i] = d.mark(key)
	}
	if p.load {
		got := make([]envelope.Version, len(all))
		if err := s.Load(ctx, all, got); err != nil {
			return known(err)
		}
		for i := range all {
			if got[i] != before[i] {
				return fmt.Errorf("key %d: loaded %v, the mark is %v", i, got[i], before[i])
			}
		}
		return nil
	}
	swaps := make([]dedupe.Swap, len(all))
	for i, key := range all {
		swaps[i] = dedupe.Swap{Key: key, Old: before[i], New: at(base + i + 1), Done: i%2 == 0}
		if i%10 < p.wrong {
			swaps[i].Old = at(base + 999)
		}
	}
	failed := s.Swap(ctx, swaps)
	for i, swap := range swaps {
		after := d.mark(all[i])
		may := swap.Old == before[i]
		switch {
		case after != before[i] && (!may || after != swap.New):
			return fmt.Errorf("key %d: the mark went from %v to %v in a swap from %v to %v", i, before[i], after, swap.Old, swap.New)
		case failed != nil:
		case may && after == before[i]:
			return fmt.Errorf("key %d: the swap was not made", i)
		case swap.Done && !may:
			return fmt.Errorf("key %d: the swap from %v is said to be done; the mark was %v", i, swap.Old, before[i])
		case may && !swap.Done && !f.hide():
			return fmt.Errorf("key %d: the swap is said to be lost", i)
		}
	}
	if failed != nil {
		return known(failed)
	}
	return nil
}

// known returns nil for errors that the faults explain.
func known(err error) error {
	if errors.Is(err, errBroken) || errors.Is(err, dynamostore.ErrBusy) {
		return nil
	}
	return fmt.Errorf("it fails with %w", err)
}

// TestFaultsAtOnce has stores count in the same marks while their requests fail.
// No step is taken twice and none is lost.
func TestFaultsAtOnce(t *testing.T) {
	const counters, writers, rounds = 30, 3, 4
	rapid.Check(t, func(rt *rapid.T) {
		f := drawFaults(rt)
		var err error
		synctest.Test(t, func(t *testing.T) { err = count(t.Context(), f, keys(counters), writers, rounds) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func count(ctx context.Context, f faults, all [][]byte, writers, rounds int) error {
	d := newDatabase()
	f.spoil(d)
	rng := rand.New(rand.NewPCG(f.seed, 1))
	var mu sync.Mutex
	d.during = func() {
		mu.Lock()
		n := rng.IntN(1000)
		mu.Unlock()
		time.Sleep(time.Duration(n) * time.Microsecond)
	}
	type taken struct {
		key  string
		from envelope.Version
	}
	takes := map[taken]int{}
	var problem error
	var wg sync.WaitGroup
	for range writers {
		s := d.store()
		s.Attempts, s.Concurrency = 4, 2
		wg.Go(func() {
			held := make([]envelope.Version, len(all))
			for range rounds {
				if s.Load(ctx, all, held) != nil {
					continue
				}
				swaps := make([]dedupe.Swap, len(all))
				for i, key := range all {
					swaps[i] = dedupe.Swap{Key: key, Old: held[i], New: after(held[i])}
				}
				if s.Swap(ctx, swaps) != nil {
					continue
				}
				mu.Lock()
				for i, swap := range swaps {
					if !swap.Done {
						continue
					}
					step := taken{string(all[i]), swap.Old}
					if takes[step]++; takes[step] > 1 {
						problem = fmt.Errorf("two writers took the step from %v of key %d", swap.Old, i)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for step := range takes {
		if end := d.mark([]byte(step.key)); end.Compare(after(step.from)) < 0 {
			return fmt.Errorf("a mark is %v, and the step from %v was done", end, step.from)
		}
	}
	return problem
}
