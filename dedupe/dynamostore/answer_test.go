package dynamostore_test

import (
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/envelope"
)

// TestOddItems finds what nobody wrote where a mark would be. That is not no
// mark.
func TestOddItems(t *testing.T) {
	right, _ := at(1).MarshalBinary()
	unknown := append([]byte{0xf0}, right[1:]...)
	for name, it := range map[string]item{
		"no version":      {},
		"text":            {"version": "S" + string(right)},
		"a number":        {"version": "N1"},
		"empty":           {"version": "B"},
		"31 bytes":        {"version": "B" + string(right[:31])},
		"33 bytes":        {"version": "B" + string(right) + "\x00"},
		"zero":            {"version": "B" + strings.Repeat("\x00", 32)},
		"of a later kind": {"version": "B" + string(unknown)},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			all := keys(3)
			mustSwap(t, s, inserts(all), "111")
			const row = "\x00\x00private key 1"
			odd := maps.Clone(it)
			odd["row"] = "B" + row
			d.items[row] = odd

			fails(t, s.Load(t.Context(), all, make([]envelope.Version, 3)), dynamostore.ErrItem)
			mustLoad(t, s, [][]byte{all[0], all[2]}, 1, 3)
			// No swap gets by it.
			swaps := inserts(all)
			mustSwap(t, s, swaps, "000")
			swaps[1].Old = at(2)
			mustSwap(t, s, swaps, "000")
			if !maps.Equal(d.items[row], odd) {
				t.Errorf("it became %q", d.items[row])
			}
		})
	}
}

// TestOddLoads has answers that are not what was asked for. What is not in an
// answer has no mark; so the answer must be one.
func TestOddLoads(t *testing.T) {
	type answer = dynamodb.BatchGetItemOutput
	type entry = map[string]types.AttributeValue
	row := func(text string) entry { return entry{"row": value("B" + text)} }
	for name, spoil := range map[string]func(out *answer) *answer{
		"none":         func(*answer) *answer { return nil },
		"empty":        func(*answer) *answer { return new(answer) },
		"no responses": func(out *answer) *answer { out.Responses = nil; return out },
		"another table": func(out *answer) *answer {
			out.Responses = map[string][]entry{"other": out.Responses[tableName]}
			return out
		},
		"a table more": func(out *answer) *answer { out.Responses["other"] = nil; return out },
		"another key": func(out *answer) *answer {
			out.Responses[tableName][0]["row"] = value("B\x00\x00private key 777")
			return out
		},
		"a key of another request": func(out *answer) *answer {
			if items := out.Responses[tableName]; len(items) == 1 {
				items[0]["row"] = value("B\x00\x00private key 1")
			}
			return out
		},
		"a key of a later request": func(out *answer) *answer {
			if items := out.Responses[tableName]; len(items) > 1 {
				items[0]["row"] = value("B\x00\x00private key 100")
			}
			return out
		},
		"no key":    func(out *answer) *answer { delete(out.Responses[tableName][0], "row"); return out },
		"a text":    func(out *answer) *answer { out.Responses[tableName][0]["row"] = value("Sprivate"); return out },
		"a nil key": func(out *answer) *answer { out.Responses[tableName][0]["row"] = nil; return out },
		"a nil mark": func(out *answer) *answer {
			out.Responses[tableName][0]["version"] = (*types.AttributeValueMemberS)(nil)
			return out
		},
		"left of another table": func(out *answer) *answer {
			out.UnprocessedKeys = map[string]types.KeysAndAttributes{"other": {Keys: []entry{{"row": out.Responses[tableName][0]["row"]}}}}
			return out
		},
		"another key left": func(out *answer) *answer {
			out.UnprocessedKeys = map[string]types.KeysAndAttributes{tableName: {Keys: []entry{row("\x00\x00private key 777")}}}
			return out
		},
		"no key left": func(out *answer) *answer {
			out.UnprocessedKeys = map[string]types.KeysAndAttributes{tableName: {Keys: []entry{{}}}}
			return out
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			all := keys(101)
			if err := s.Swap(t.Context(), inserts(all)); err != nil {
				t.Fatal(err)
			}
			d.gets, s.Attempts = spoil, 2
			for _, n := range []int{3, 101} {
				if n == 3 && strings.HasPrefix(name, "a key of") {
					continue // needs two requests
				}
				err := s.Load(t.Context(), all[:n], make([]envelope.Version, n))
				fails(t, err)
				if errors.Is(err, dynamostore.ErrBusy) {
					t.Error("it was taken for an answer:", err)
				}
			}
		})
	}
}

// TestAllLeft is an answer without results that is right.
func TestAllLeft(t *testing.T) {
	d := newDatabase()
	s := d.store()
	mustSwap(t, s, inserts(keys(1)), "1")
	d.leave = func(n, _ int) bool { return n == 1 }
	d.gets = func(out *dynamodb.BatchGetItemOutput) *dynamodb.BatchGetItemOutput {
		if out.UnprocessedKeys != nil {
			out.Responses = nil
		}
		return out
	}
	mustLoad(t, s, keys(1), 1)
}

// TestOddSwaps has answers without a result for each statement.
func TestOddSwaps(t *testing.T) {
	type answer = dynamodb.BatchExecuteStatementOutput
	for name, spoil := range map[string]func(out *answer) *answer{
		"none":           func(*answer) *answer { return nil },
		"empty":          func(*answer) *answer { return new(answer) },
		"one too few":    func(out *answer) *answer { out.Responses = out.Responses[1:]; return out },
		"one too many":   func(out *answer) *answer { out.Responses = append(out.Responses, out.Responses[0]); return out },
		"without a code": func(out *answer) *answer { out.Responses[1].Error = new(types.BatchStatementError); return out },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase()
			d.executes = spoil
			err := d.store().Swap(t.Context(), inserts(keys(3)))
			fails(t, err)
			if got := d.sent(); got != "execute 3" || errors.Is(err, dynamostore.ErrBusy) {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
}

// overHTTP returns a store whose server gives all requests one answer.
func overHTTP(t *testing.T, status int, body string) *dynamostore.Store {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return &dynamostore.Store{Table: tableName, Client: dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{}, Credentials: aws.AnonymousCredentials{},
	})}
}

// TestUnreadableAnswers has answers that the client cannot read. Its errors quote
// from them.
func TestUnreadableAnswers(t *testing.T) {
	row := base64.StdEncoding.EncodeToString([]byte("\x00\x00private key 0"))
	quoted := 0
	for _, body := range []string{
		"", " ", "{}", "[]", "null", `"` + row + `"`, "<html>" + row + "</html>", `{"Responses":"` + row + `"}`, `{"Responses":["` + row + `"]}`,
		`{"Responses":{"` + tableName + `":"` + row + `"}}`, `{"Responses":{"` + tableName + `":["` + row + `"]}}`,
		`{"Responses":{"` + tableName + `":[{"row":"` + row + `"}]}}`, `{"Responses":{"` + tableName + `":[{"row":{"B":{"` + row + `":1}}}]}}`,
		`{"Responses":{"` + tableName + `":[{"row":{"B":"` + row + `-"}}]}}`, `{"Responses":{"` + tableName + `":[{"row":{"B":"` + row,
		`{"Responses":[{"Error":"` + row + `"}]}`, `{"Responses":[{"Error":{"Code":["` + row + `"]}}]}`,
	} {
		for _, status := range []int{200, 400, 500} {
			s := overHTTP(t, status, body)
			for call, err := range map[string]error{
				"Load": s.Load(t.Context(), keys(2), make([]envelope.Version, 2)),
				"Swap": s.Swap(t.Context(), inserts(keys(2))),
			} {
				fails(t, err)
				if err != nil && strings.Contains(err.Error(), row[:12]) {
					t.Errorf("%s, status %d, %s: an error with a key: %v", call, status, body, err)
				}
				if cause, ok := errors.AsType[*smithy.DeserializationError](err); ok && strings.Contains(cause.Error(), row[:12]) {
					quoted++
				}
			}
		}
	}
	if quoted == 0 {
		t.Error("the client quotes nothing: this test shows nothing")
	}
}
