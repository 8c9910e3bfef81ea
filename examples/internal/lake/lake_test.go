package lake

import (
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/examples/internal/captured"
	"github.com/rowdelta/rowdelta/route"
)

func answer(row string, table string, op route.Operation) route.Answer {
	return route.Answer{
		RecordID: "r", Result: route.Ok, KafkaRecordValue: []byte(row),
		Metadata: &route.Metadata{OTF: route.OTFMetadata{Database: "db", Table: table, Operation: op}},
	}
}

func TestApply(t *testing.T) {
	l := Lake{Keys: map[string]string{"t": "id"}}
	err := l.Apply(route.Response{Records: []route.Answer{
		answer(`{"id":1,"v":"a"}`+"\n", "t", route.OperationInsert),
		answer(`{"id":2,"v":"b"}`+"\n", "t", route.OperationUpdate),
		answer(`{"id":3,"v":"c"}`+"\n", "t", route.OperationUpdate),
		{RecordID: "dropped", Result: route.Dropped},
		{RecordID: "failed", Result: route.ProcessingFailed},
		answer(`{"id":1,"v":"d"}`+"\n", "t", route.OperationUpdate),
		answer(`{"id":3}`+"\n", "t", route.OperationDelete),
		answer(`{"id":4}`+"\n", "t", route.OperationDelete),
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, d := "a", "d"
	one, two := "1", "2"
	got := l.Compare([]captured.Row{
		{Table: "s.t", Columns: map[string]*string{"id": &one, "v": &d}},
		{Table: "s.t", Columns: map[string]*string{"id": &two, "v": &a}},
	})
	if want := []string{`t 2: v is "b", in the database "a"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var out strings.Builder
	if err := l.Table("t").PrintLast(&out, 1, "id"); err != nil {
		t.Fatal(err)
	}
	if want := "  v\n  b\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// What Firehose could not use must not pass for a row.
func TestApplyErrors(t *testing.T) {
	for name, bad := range map[string]route.Answer{
		"second insert":  answer(`{"id":1}`, "t", route.OperationInsert),
		"no key":         answer(`{"v":1}`, "t", route.OperationUpdate),
		"null key":       answer(`{"id":null}`, "t", route.OperationDelete),
		"no row":         answer("", "t", route.OperationUpdate),
		"unknown table":  answer(`{"id":1}`, "u", route.OperationUpdate),
		"no operation":   answer(`{"id":1}`, "t", ""),
		"no destination": {RecordID: "r", Result: route.Ok, KafkaRecordValue: []byte(`{"id":1}`)},
	} {
		l := Lake{Keys: map[string]string{"t": "id"}}
		first := answer(`{"id":1}`, "t", route.OperationInsert)
		if err := l.Apply(route.Response{Records: []route.Answer{first, bad}}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if len(l.Table("t")) != 1 {
			t.Errorf("%s: %d rows", name, len(l.Table("t")))
		}
	}
}
