package main

import (
	"slices"
	"strings"
	"testing"
)

func TestShards(t *testing.T) {
	var s shards
	expect := func(want string) {
		t.Helper()
		if got := s.start(); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect("")
	s.add("d", "b") // a child can be known before its parent
	s.add("e", "b", "c")
	s.add("b", "a") // a has left the stream
	s.add("c")
	s.add("c")
	expect("b c")
	expect("")
	s.end("b")
	expect("d")
	s.add("b", "a")
	expect("")
	s.end("c")
	expect("e")
	s.end("e")
	s.add("f", "e")
	s.end("f") // ended in an earlier life
	s.add("g", "f")
	expect("g")
}
