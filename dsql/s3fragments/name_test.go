package s3fragments

import (
	"regexp"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for id, want := range map[string]string{
		"5f9c6b0e-0b1f-4B43":     "5f9c6b0e-0b1f-4B43",
		"a/b":                    "a_2fb",
		"a_2fb":                  "a_5f2fb",
		"..":                     "_2e_2e",
		"é":                      "_c3_a9",
		"\x00\xff":               "_00_ff",
		"_":                      "_5f",
		"__":                     "_5f_5f",
		"":                       "__e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		strings.Repeat("x", 200): strings.Repeat("x", 200),
		strings.Repeat("x", 201): "__84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed",
	} {
		if got := escape(id); got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
	}
}

// TestEscapeIsInjective tries all IDs of up to two bytes and long ones.
func TestEscapeIsInjective(t *testing.T) {
	safe := regexp.MustCompile(`^[0-9A-Za-z_-]{1,200}$`)
	seen := map[string]string{}
	try := func(id string) {
		name := escape(id)
		if other, ok := seen[name]; ok {
			t.Fatalf("%q and %q are both %s", id, other, name)
		}
		if !safe.MatchString(name) {
			t.Fatalf("%q is %s", id, name)
		}
		seen[name] = id
	}
	try("")
	for i := range 256 {
		try(string([]byte{byte(i)}))
		for j := range 256 {
			try(string([]byte{byte(i), byte(j)}))
		}
	}
	for n := 60; n < 260; n++ {
		try(strings.Repeat("/", n))
		try(strings.Repeat("x", n))
		try(strings.Repeat("x", n-1) + "y")
		try(escape(strings.Repeat("/", n)))
	}
}

func TestIndex(t *testing.T) {
	for name, want := range map[string]int{"0": 0, "7": 7, "10": 10, "1023": 1023} {
		if got, ok := index(name); !ok || got != want {
			t.Errorf("%s: %d, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "-1", "+1", "01", "1 ", "1.0", "1e3", "0x1", "1_0", "x", "1/2", "99999999999999999999"} {
		if got, ok := index(name); ok {
			t.Errorf("%q is %d", name, got)
		}
	}
}
