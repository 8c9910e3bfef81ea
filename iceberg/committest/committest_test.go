package committest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestRight(t *testing.T) { Run(t, places("")) }

// faults are the reference committer's, with the checks that must reject each; others
// may as well.
var faults = map[string]string{
	"has no key":                               "Create",
	"clears the delta":                         "Insert",
	"sorts the nulls of keys":                  "Insert",
	"keeps the delta":                          "Insert Text",
	"deletes nothing":                          "Update Delete ChangedKey Model",
	"deletes what is written again":            "Delete ChangedKey",
	"deletes what is not written again":        "Update",
	"commits what has rows only":               "Nothing Delete",
	"leaves out the table's schema":            "Tables",
	"truncates nothing":                        "Truncate TruncateAndRows Model",
	"truncates at the end":                     "TruncateAndRows",
	"needs a table to truncate":                "TruncateNothing",
	"writes again":                             "Again AgainTruncated AgainMore AgainMoved",
	"writes truncates again":                   "AgainTruncated",
	"writes changed keys again":                "AgainMoved",
	"writes two snapshots":                     "Again",
	"remembers in the process":                 "Again AgainMore Model",
	"remembers the last one":                   "AgainMore",
	"compares positions":                       "Position AgainMore",
	"has no position":                          "Position Nothing Tables",
	"has the position of rows only":            "Nothing",
	"has the position of the first of several": "Position AgainMore",
	"adds no columns":                          "AddColumn",
	"widens no column":                         "Widen TruncateAndRows",
	"loses what it widens":                     "Widen WidenKey",
	"takes narrower types":                     "Narrower",
	"keeps columns required":                   "Relax",
	"drops columns":                            "Dropped",
	"goes by the place of columns":             "Reordered",
	"widens no key":                            "WidenKey WidenDecimalKey",
	"writes some before it looks":              "GapsUnknown",
	"tells the cause as text":                  "Incompatible GapsUnknown",
	"tells values":                             "Incompatible GapsUnknown",
	"takes floats of 32 bits":                  "Types Widen",
	"takes decimals of 64 bits":                "Types",
	"takes milliseconds":                       "Types Keys",
	"takes empty for null":                     "Text Types WideKey",
	"ends texts at NUL":                        "Text Types",
	"has a null like no other":                 "Keys WideKey Relax GapsOfKeys",
	"puts keys together":                       "WideKey",
	"up to 255 columns":                        "Wide",
	"up to 5000 rows":                          "Large",
	"looks for gaps behind the deletes":        "Gaps GapsOfKeys",
	"takes from the row's own key":             "Gaps Model",
	"takes values of the same type only":       "GapsWidened",
	"fills gaps with null":                     "GapsUnknown",
	"has no own rows":                          "GapsOwn",
	"sweeps nothing":                           "Sweep",
	"says it worked":                           "Cancelled",
	"tells no cause":                           "Cancelled",
	"does a half":                              "Cancelled",
}

// A spy is a test that records how it ends instead of ending.
type spy struct {
	testing.TB
	messages []string
}

func (s *spy) Helper() {}

func (s *spy) Fatalf(format string, args ...any) {
	s.messages = append(s.messages, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (s *spy) Fatal(args ...any) { s.Fatalf("%s", fmt.Sprint(args...)) }

// TestBrokenCommitters shows that each fault is found by the checks that are there for
// it, and that each check finds one.
func TestBrokenCommitters(t *testing.T) {
	caught := map[string]bool{}
	for fault, by := range faults {
		for name := range strings.FieldsSeq(by) {
			t.Run(name+"/"+fault, func(t *testing.T) {
				found := false
				for _, c := range checks {
					if c.name != name {
						continue
					}
					found = true
					s := &spy{TB: t}
					done := make(chan struct{})
					go func() {
						defer close(done)
						c.run(newSubject(s, places(fault)(t)))
					}()
					<-done
					if len(s.messages) != 1 || s.messages[0] == "" || len(s.messages[0]) > 4000 {
						t.Errorf("said %.1000q", s.messages)
					}
				}
				if !found {
					t.Error("no such check")
				}
			})
			caught[name] = true
		}
	}
	for _, c := range checks {
		if !caught[c.name] {
			t.Errorf("no broken committer shows that %s can fail", c.name)
		}
	}
}
