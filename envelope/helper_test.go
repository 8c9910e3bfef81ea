package envelope

import "github.com/rowdelta/rowdelta/internal/jsonscan"

// quote returns a text as JSON.
func quote(s string) Value { return Value(jsonscan.AppendQuoted(nil, s)) }
