package jsonscan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// walk returns where the values of the object at b[i] begin, and the index after
// it or -1, by a way to step from one to the next.
func walk(b []byte, step func(b []byte, i, k int) (value int, last bool)) (values []int, end int) {
	i := Space(b, 0)
	for k := 0; ; k++ {
		value, last := step(b, i, k)
		if last || value < 0 {
			return values, value
		}
		values = append(values, value)
		if i = Skip(b, value); i < 0 {
			return values, -1
		}
	}
}

func plainly(b []byte, i, k int) (int, bool) {
	_, _, value, last := Member(b, i, k)
	return value, last
}

// agree compares a walk by what was learned with one that knows nothing.
func agree(t *testing.T, s *Shapes, b []byte) {
	t.Helper()
	want, wantEnd := walk(b, plainly)
	got, end := walk(b, s.Of(b, Space(b, 0)).Value)
	if !slices.Equal(got, want) || end != wantEnd {
		t.Fatalf("%q: values at %v, end %d by what was learned; %v, %d without", b, got, end, want, wantEnd)
	}
}

// objects are alike in part, so that what was learned of one misleads about the
// next where it can.
var objects = []string{
	`{"id":1,"name":"x","a_column_with_a_name_of_more_than_32_bytes":2,"last":3}`, `{"id":2,"name":"y","a_column_with_a_name_of_more_than_32_bytes":4,"last":5}`,
	`{"id": 1,"name" :"x" , "last":3}`, `{"id":1 ,"name":"x"}`, ` { "id":1}`, `{"id":1,"name":"x","a_column_with_a_name_of_more_than_32_byteS":2}`,
	`{"id":1,"nam":"x"}`, `{"id":1,"names":"x"}`, `{"id":1,"name"}`, `{"id":1,"name":`, `{"id":1,"name": `, `{"id":1`, `{"id":`, `{"id"`, `{`, ``, `{}`, ` { } `, `{"id":1}x`,
	`{"id":1,"exactly_sixteen":1,"name":"x"}`, `{"id":1,"name":{"id":1,"name":"x"},"last":[1]}`, `{"other":1,"name":"x"}`, `{"id":1,"id":1}`, `[1]`, `null`, `{"id":x}`,
	`{"":1,"":2}`, `{"\u0069d":1,"name":"x"}`, `{"é":1,"ü":"ß"}`,
	`{"é":`, "{\"é\":000\xa9000000", "{\"é\":\"\xa9\"}", // what is wrong behind a string is not the string's fault
}

func TestShapes(t *testing.T) {
	var s Shapes
	for _, a := range objects {
		for _, b := range objects {
			agree(t, &s, []byte(a))
			agree(t, &s, []byte(b))
		}
	}
	var wide strings.Builder
	for i := range 2 * maxMembers {
		fmt.Fprintf(&wide, `,"c%d":%d`, i, i)
	}
	for range 2 {
		agree(t, &s, []byte("{"+wide.String()[1:]+"}"))
	}
	for i := range s.known {
		if n := len(s.known[i].before); n > maxMembers {
			t.Errorf("%d members are remembered", n)
		}
	}
	b := []byte(objects[0])
	if n := testing.AllocsPerRun(10, func() {
		shape := s.Of(b, 0)
		for i, k := 0, 0; ; k++ {
			value, last := shape.Value(b, i, k)
			if last || value < 0 {
				break
			}
			i = Skip(b, value)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzShapes(f *testing.F) {
	for _, o := range objects {
		f.Add([]byte(objects[0]), []byte(o))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var s Shapes
		for _, o := range [][]byte{a, b, a, b} {
			agree(t, &s, o)
		}
	})
}
