package main

import (
	"bytes"
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// workless returns jobs that do nothing, and one that fails.
func workless() []job {
	idle := func() (*prepared, error) {
		pass := func() error { return nil }
		return &prepared{contenders: []contender{{ours, pass}, {"one", pass}, {"two", pass}}, ops: 10}, nil
	}
	return []job{
		{"a", idle},
		{"b/c", idle},
		{"unequal", func() (*prepared, error) { return nil, errors.New("they differ") }},
	}
}

// raisePrefix begins the names of the jobs that take gigabytes.
const raisePrefix = "dedupe/raise-"

var quick = []string{"-rounds", "1", "-time", "1us"}

func TestRun(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		status int
		stdout string // the first and third field of each line
		stderr string
	}{
		{"one job", []string{"b/c"}, 0, "b/c one,b/c two", ""},
		{"in the order asked for", []string{"b/c", "a"}, 0, "b/c one,b/c two,a one,a two", ""},
		{"unknown job", []string{"a", "z"}, 2, "", `unknown job "z"`},
		{"unknown flag", []string{"-z"}, 2, "", "-z"},
		{"no rounds", []string{"-rounds", "0"}, 2, "", "-rounds"},
		{"no time", []string{"-time", "0"}, 2, "", "-time"},
		{"contenders differ", []string{"unequal"}, 1, "", "bench: unequal: they differ"},
		{"all jobs", nil, 1, "a one,a two,b/c one,b/c two", "they differ"},
		{"help", []string{"-h"}, 0, "", "usage: bench"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(workless(), slices.Concat(quick, tt.args), &stdout, &stderr)
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			var got []string
			for l := range strings.Lines(stdout.String()) {
				fields := strings.Split(l, "\t")
				got = append(got, fields[0]+" "+fields[2])
			}
			if s := strings.Join(got, ","); s != tt.stdout {
				t.Errorf("stdout %q, want %q", s, tt.stdout)
			}
			if !strings.Contains(stderr.String(), tt.stderr) || (tt.stderr == "") != (stderr.Len() == 0) {
				t.Errorf("stderr %q, want %q in it", stderr.String(), tt.stderr)
			}
			if tt.status == 2 && !strings.Contains(stderr.String(), "jobs:\n  a\n  b/c\n  unequal\n") {
				t.Errorf("no list of jobs in %q", stderr.String())
			}
		})
	}
}

func TestJobs(t *testing.T) {
	want := regexp.MustCompile(`^[a-z/-]+\t[0-9]+\.[0-9]\t(goccy|encoding/json|reference|hash/crc32)\t[0-9]+\.[0-9]\t[0-9]+\.[0-9]{2}\t[0-9]+(\.[0-9]{1,4})?\n$`)
	rivals := map[string]int{"firehose": 3, "join": 1}
	for _, j := range jobs {
		if strings.HasPrefix(j.name, raisePrefix) || strings.HasPrefix(j.name, "iceberg/") { // millions of keys: TestRaise and TestDelta have the same with fewer
			continue
		}
		t.Run(j.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(jobs, slices.Concat(quick, []string{j.name}), &stdout, &stderr); status != 0 {
				t.Fatalf("status %d: %s", status, stderr.String())
			}
			n := 0
			for l := range strings.Lines(stdout.String()) {
				if n++; !want.MatchString(l) || !strings.HasPrefix(l, j.name+"\t") {
					t.Errorf("bad line %q", l)
				}
			}
			if want := cmp.Or(rivals[j.name], 2); n != want {
				t.Errorf("%d lines, want %d", n, want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	tests := []struct {
		our, their, allocs float64
		want               string
	}{
		{200, 1000, 0, "j\t200.0\tr\t1000.0\t5.00\t0"},
		{312.34, 156.17, 2, "j\t312.3\tr\t156.2\t0.50\t2"},
		{1, 1, 0.00004, "j\t1.0\tr\t1.0\t1.00\t0.0001"},
	}
	for _, tt := range tests {
		if got := line("j", tt.our, "r", tt.their, tt.allocs); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestMeasureRotates(t *testing.T) {
	var turns string
	var contenders []contender
	for _, name := range []string{"a", "b", "c"} {
		contenders = append(contenders, contender{name, func() error { turns += name; time.Sleep(time.Microsecond); return nil }})
	}
	times, err := sampling{4, time.Nanosecond}.measure(contenders)
	if err != nil {
		t.Fatal(err)
	}
	if want := "abc" + "abc" + "bca" + "cab" + "abc"; turns != want {
		t.Errorf("turns %s, want %s", turns, want)
	}
	if len(times) != 3 || slices.Min(times) <= 0 {
		t.Errorf("times %v", times)
	}
}

func TestMeasureFails(t *testing.T) {
	broken := errors.New("broken")
	for calls := range 3 {
		left := calls
		pass := func() error {
			if left--; left < 0 {
				return broken
			}
			return nil
		}
		if _, err := (sampling{9, time.Nanosecond}).measure([]contender{{"x", pass}}); !errors.Is(err, broken) {
			t.Errorf("after %d calls: %v", calls, err)
		}
	}
}

var sink []byte

func TestAllocations(t *testing.T) {
	for _, want := range []int{0, 3} {
		got, err := allocations(func() error {
			for i := range want {
				sink = make([]byte, 100+i)
			}
			return nil
		})
		// The runtime may allocate in between; it does not do so by itself in each of the counts.
		if err != nil || got != float64(want) {
			t.Errorf("got %v, %v, want %d", got, err, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		v    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 9, 2}, 3}} {
		if got := median(tt.v); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.v, got, tt.want)
		}
	}
}
