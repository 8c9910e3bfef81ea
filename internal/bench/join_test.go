package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

func TestJoin(t *testing.T) {
	s := split(3, 100_000)
	if len(s.fragments) != 3 {
		t.Fatalf("%d fragments", len(s.fragments))
	}
	p, err := prepareJoin(s)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, c := range p.contenders {
			if err := c.pass(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

func TestJoinIsChecked(t *testing.T) {
	s := split(3, 100_000)
	s.image = bytes.Replace(s.image, []byte(`"id":1`), []byte(`"id":2`), 1)
	if _, err := prepareJoin(s); err == nil {
		t.Error("another image passed")
	}
	s = split(3, 100_000)
	b := s.fragments[2]
	b[len(b)-10] ^= 1 // of Base64
	if _, err := prepareJoin(s); !errors.Is(err, dsql.ErrChecksum) {
		t.Errorf("got %v", err)
	}
	s = split(3, 100_000)
	s.fragments = s.fragments[1:]
	if _, err := prepareJoin(s); !errors.Is(err, dsql.ErrIncomplete) {
		t.Errorf("got %v", err)
	}
}
