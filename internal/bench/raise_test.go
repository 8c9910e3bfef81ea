package main

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

func TestRaise(t *testing.T) {
	lines := regexp.MustCompile(`^text\t[0-9.]+\tmap\t[0-9.]+\t[0-9.]+\t[0-9.]+
text\t[0-9.]+\tsync\t[0-9.]+\t[0-9.]+\t[0-9.]+
text\tbytes/key\t[0-9]+\.[0-9]\tmap\t[0-9]+\.[0-9]\tsync\t[0-9]+\.[0-9]
int\t[0-9.]+\tmap\t[0-9.]+\t[0-9.]+\t[0-9.]+
int\t[0-9.]+\tsync\t[0-9.]+\t[0-9.]+\t[0-9.]+
int\t[0-9.]+\tintmap\t[0-9.]+\t[0-9.]+\t[0-9.]+
int\tbytes/key\t[0-9]+\.[0-9]\tmap\t[0-9]+\.[0-9]\tsync\t[0-9]+\.[0-9]\tintmap\t[0-9]+\.[0-9]
$`)
	var stdout, stderr bytes.Buffer
	small := []job{{"text", raiseJob(30_500, false)}, {"int", raiseJob(30_500, true)}}
	if status := run(small, quick, &stdout, &stderr); status != 0 || !lines.Match(stdout.Bytes()) {
		t.Errorf("status %d: %s%s", status, stdout.String(), stderr.String())
	}
}

func TestRaiseSizes(t *testing.T) {
	p, err := raiseJob(100_000, false)()
	if err != nil {
		t.Fatal(err)
	}
	// Versions alone take 32 bytes, texts and numbers 26.
	for i, least := range []float64{40, 26, 50} {
		if got := p.bytes[i]; got < least || got > 8*least {
			t.Errorf("%s takes %.1f bytes for a key", p.contenders[i].name, got)
		}
	}
	if p.ops != 100_000 {
		t.Errorf("%d ops", p.ops)
	}
	if got, want := sizes("j", &prepared{contenders: p.contenders[:2], bytes: []float64{40, 66.66}}), "j\tbytes/key\t40.0\tmap\t66.7"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRaiseKeys(t *testing.T) {
	text, integers := raiseKeys{}, raiseKeys{integers: true}
	number := func(i int) uint32 { return uint32(i) }
	if got, want := string(bytes.Join(text.of(3, number), []byte(" "))), "orders|0 orders|2654435761 orders|1013904226"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i, key := range integers.of(3, number) {
		if want := int64(uint32(i) * 2654435761); len(key) != 8 || intKey(key) != want {
			t.Errorf("%x, want %d", key, want)
		}
	}
	if keys := text.of(3, number); !bytes.Equal(append(keys[0], "|"...)[:8], []byte("orders|0")) || string(keys[1]) != "orders|2654435761" {
		t.Error("to append to a key writes over the next one")
	}
}

// A pass takes the next keys in turn, all of them, and then from the start.
func TestRaisePasses(t *testing.T) {
	keys := raiseKeys{integers: true}
	all := keys.of(10, func(i int) uint32 { return uint32(i) })
	marks := raiseIntMap{}
	pass := raisePasses(marks, all, 4)
	want := make([]int64, len(all))
	for n, at := range []int{0, 4, 0, 4} {
		if err := pass(); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			want[at+i] = int64(11 + n)
		}
		for i, key := range all {
			if got := marks[intKey(key)]; got != want[i] {
				t.Errorf("after pass %d key %d has %d, want %d", n, i, got, want[i])
			}
		}
	}
	marks[intKey(all[1])] = 1000
	if err := pass(); err == nil {
		t.Error("a mark that cannot be raised was")
	}
}

// A strange raiser does some of it wrong.
type strange struct {
	raiser
	change func(keys [][]byte, n int64) ([][]byte, int64)
	more   int
	err    error
}

func (s strange) raise(keys [][]byte, n int64) (int, error) {
	if s.change != nil {
		keys, n = s.change(keys, n)
	}
	raised, err := s.raiser.raise(keys, n)
	return raised + s.more, errors.Join(err, s.err)
}

func TestRaiseFindsDisagreement(t *testing.T) {
	broken := errors.New("broken")
	honest := func() raiser { return &raiseOurs{} }
	tests := map[string]func() raiser{
		"fails":       func() raiser { return strange{raiser: honest(), err: broken} },
		"counts more": func() raiser { return strange{raiser: honest(), more: 1} },
		"loses a key": func() raiser {
			return strange{raiser: honest(), change: func(k [][]byte, n int64) ([][]byte, int64) { return k[1:], n }}
		},
		"another number": func() raiser {
			return strange{raiser: honest(), change: func(k [][]byte, n int64) ([][]byte, int64) { return k, n + n/4 }}
		},
		"never lower": func() raiser {
			return strange{raiser: honest(), change: func(k [][]byte, n int64) ([][]byte, int64) { return k, max(n, 3) }}
		},
		"one for all": func() raiser {
			return &raiseSync[string]{key: func([]byte) string { return "" }, marks: map[string]envelope.Version{}}
		},
		"no order": func() raiser { return always{raiseMap{}} },
	}
	for name, open := range tests {
		if _, err := prepareRaise(5000, false, []string{ours, name}, []func() raiser{honest, open}); !errors.Is(err, errRaised) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := prepareRaise(5000, false, []string{ours}, []func() raiser{honest}); err != nil {
		t.Error(err)
	}
}

// always raises whatever there is.
type always struct{ raiseMap }

func (a always) raise(keys [][]byte, n int64) (int, error) {
	for _, key := range keys {
		a.raiseMap[string(key)] = n
	}
	return len(keys), nil
}

func TestRaiseNumbers(t *testing.T) {
	for _, n := range []int64{0, 1, 11, 1 << 30} {
		v := raiseVersion(n)
		if got := raiseNumber(v); got != n || v.IsZero() {
			t.Errorf("%d came back as %d", n, got)
		}
	}
	if raiseNumber(envelope.Version{}) != 0 {
		t.Error("no mark is a number")
	}
}

// The large jobs are what their names say.
func TestRaiseJobs(t *testing.T) {
	var names []string
	for _, j := range jobs {
		if strings.HasPrefix(j.name, raisePrefix) {
			names = append(names, strings.TrimPrefix(j.name, raisePrefix))
		}
	}
	if want := []string{"1M", "10M", "10M-int"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}
