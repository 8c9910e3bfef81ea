package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
)

// The jobs with tables, with fewer rows.
func TestDelta(t *testing.T) {
	jobs := []job{{"iceberg/delta", deltaJob(2000, 300)}, {"iceberg/scan", scanJob(1000, 6, 50, 3)}}
	for i, rival := range []string{"iceberg-go", "compacted"} {
		var stdout, stderr bytes.Buffer
		if status := run(jobs, []string{"-rounds", "2", "-time", "1us", jobs[i].name}, &stdout, &stderr); status != 0 {
			t.Fatalf("%s: status %d: %s", jobs[i].name, status, stderr.String())
		}
		want := regexp.MustCompile(`^` + jobs[i].name + `\t[0-9.]+\t` + rival + `\t[0-9.]+\t[0-9.]+\t[0-9.]+\n$`)
		if !want.MatchString(stdout.String()) {
			t.Errorf("bad line %q", stdout.String())
		}
	}
}

// Tables that differ are not compared.
func TestDeltaDiffers(t *testing.T) {
	p, err := deltaJob(500, 100)()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	a, err := openLakehouse(500, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	b, err := openLakehouse(501, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if err := deltaAgree(p, [2]*lakehouse{a, b}); !errors.Is(err, errDelta) || !strings.Contains(err.Error(), "500 and 501 rows") {
		t.Error(err)
	}
}
