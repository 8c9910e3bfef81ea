package main

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"time"
)

// A contender is one way to do a job. pass does the whole corpus once; its operations are counted by the job.
type contender struct {
	name string
	pass func() error
}

// A sampling says how long to measure.
type sampling struct {
	rounds int
	least  time.Duration // of each sample
}

func (s sampling) valid() error {
	if s.rounds < 1 || s.least <= 0 {
		return errors.New("-rounds and -time must be positive")
	}
	return nil
}

// measure returns the nanoseconds per pass of each contender, medians over the rounds. In each round everyone has its
// turn, and another one begins, so that what slows the machine for a while slows all of them: testing.B finishes one
// before it starts the next and shows the weather as a ratio.
func (s sampling) measure(contenders []contender) ([]float64, error) {
	samples := make([][]float64, len(contenders))
	for _, c := range contenders {
		if err := c.pass(); err != nil { // to warm up
			return nil, err
		}
	}
	for round := range s.rounds {
		for turn := range contenders {
			i := (turn + round) % len(contenders)
			runtime.GC() // nobody pays for another's garbage
			t, err := s.sample(contenders[i].pass)
			if err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], t)
		}
	}
	medians := make([]float64, len(contenders))
	for i := range samples {
		medians[i] = median(samples[i])
	}
	return medians, nil
}

// sample returns the nanoseconds per pass over as many passes as fill the time.
func (s sampling) sample(pass func() error) (float64, error) {
	begin := time.Now()
	for n := 1; ; n++ {
		if err := pass(); err != nil {
			return 0, err
		}
		if t := time.Since(begin); t >= s.least {
			return float64(t.Nanoseconds()) / float64(n), nil
		}
	}
}

// allocations returns how often a pass allocates, the least of three counts: the counter is the whole program's.
func allocations(pass func() error) (float64, error) {
	least := math.Inf(1)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := pass(); err != nil {
			return 0, err
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs))
	}
	return least, nil
}

// median returns the middle of v, which has at least one element.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s) / 2
	if len(s)%2 == 1 {
		return s[n]
	}
	return (s[n-1] + s[n]) / 2
}
