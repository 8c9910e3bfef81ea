package servers

import "testing"

func TestProperties(t *testing.T) {
	for _, c := range []struct {
		p    Properties
		want string
	}{
		{nil, ""},
		{Properties{"b": "2", "a": "1"}, "a=1\nb=2\n"},
		{Properties{"regex": `a\.cdc\.(.*)`}, `regex=a\\.cdc\\.(.*)` + "\n"},
		{Properties{"a b=c:d#e!": "f = g:h#i!"}, `a\ b\=c\:d\#e\!=f = g:h#i!` + "\n"},
		{Properties{"v": "  two"}, `v=\  two` + "\n"},
		{Properties{"v": "a\nb\tü𝄞"}, `v=a\u000ab\u0009\u00fc\ud834\udd1e` + "\n"},
		{Properties{"v": ""}, "v=\n"},
	} {
		if got := c.p.text(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.p, got, c.want)
		}
	}
}

func TestPropertiesWith(t *testing.T) {
	base := Properties{"a": "1", "b": "2"}
	if got := base.with(Properties{"b": "3", "c": "4"}).text(); got != "a=1\nb=3\nc=4\n" {
		t.Error("got", got)
	}
	if base["b"] != "2" || base["c"] != "" {
		t.Error("the original changed:", base)
	}
	if got := Properties(nil).with(base).text(); got != "a=1\nb=2\n" {
		t.Error("got", got)
	}
}
