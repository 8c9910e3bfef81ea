package dsql

import (
	"fmt"
	"strings"
)

// A SchemaError says where and why a definition of a table or a type could not be read.
type SchemaError struct {
	Offset int // of the first byte that is not understood
	Reason string
}

// Error returns the reason with the offset.
func (e *SchemaError) Error() string { return fmt.Sprintf("dsql: %s (offset %d)", e.Reason, e.Offset) }

// A token is a piece of SQL.
type token struct {
	kind  tokenKind
	text  string // of words in lower case; of names without quotes; of strings nothing; else as it stands
	start int
	end   int
}

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a keyword, or a name without quotes
	tokenName             // a name in quotes
	tokenString           // in any kind of quotes
	tokenNumber
	tokenMark // one byte of anything else
)

// A lexer splits SQL into tokens. Comments are between them.
type lexer struct {
	sql string
	i   int
	err *SchemaError // the first fault; there are no tokens behind it
}

func (l *lexer) fail(at int, reason string) {
	if l.err == nil {
		l.err = &SchemaError{Offset: at, Reason: reason}
	}
	l.i = len(l.sql)
}

// maxName is how many bytes of a name PostgreSQL takes.
const maxName = 63

// next returns the next token.
func (l *lexer) next() token {
	l.space()
	start := l.i
	if start >= len(l.sql) {
		return token{start: start, end: start}
	}
	t := token{kind: tokenMark, start: start}
	switch c := l.sql[start]; {
	case isLetter(c):
		for l.i < len(l.sql) && (isLetter(l.sql[l.i]) || isDigit(l.sql[l.i]) || l.sql[l.i] == '$') {
			l.i++
		}
		t.text = l.sql[start:l.i]
		if l.i < len(l.sql) && l.sql[l.i] == '\'' && len(t.text) == 1 && strings.Contains("eEbBxXnN", t.text) {
			t.kind = tokenString
			l.quoted('\'', t.text == "e" || t.text == "E")
			t.text = ""
			break
		}
		t.kind = tokenWord
		t.text = lower(t.text)
		if len(t.text) > maxName {
			l.fail(start, "name too long")
		}
	case isDigit(c):
		for l.i < len(l.sql) && (isLetter(l.sql[l.i]) || isDigit(l.sql[l.i]) || l.sql[l.i] == '.') {
			l.i++
		}
		t.kind, t.text = tokenNumber, l.sql[start:l.i]
	case c == '"':
		l.quoted('"', false)
		t.kind = tokenName
		if l.err == nil {
			t.text = strings.ReplaceAll(l.sql[start+1:l.i-1], `""`, `"`)
			if t.text == "" || len(t.text) > maxName {
				l.fail(start, "name empty or too long")
			}
		}
	case c == '\'':
		l.quoted('\'', false)
		t.kind = tokenString
	case c == '$' && l.dollars():
		t.kind = tokenString
	default:
		l.i++
		t.text = l.sql[start:l.i]
	}
	if l.err != nil {
		return token{start: l.err.Offset, end: l.err.Offset}
	}
	t.end = l.i
	return t
}

// space steps over white space and comments.
func (l *lexer) space() {
	for l.i < len(l.sql) {
		rest := l.sql[l.i:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.i++
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexAny(rest, "\r\n")
			if n < 0 {
				n = len(rest)
			}
			l.i += n
		case strings.HasPrefix(rest, "/*"):
			l.comment()
		default:
			return
		}
	}
}

// comment steps over a comment, in which there can be others.
func (l *lexer) comment() {
	start, depth := l.i, 0
	for l.i < len(l.sql) {
		rest := l.sql[l.i:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.i += 2
		case strings.HasPrefix(rest, "*/"):
			l.i += 2
			if depth--; depth == 0 {
				return
			}
		default:
			l.i++
		}
	}
	l.fail(start, "comment without an end")
}

// quoted steps over what stands in quotes, doubled ones and, if there are escapes, ones
// behind a backslash inside.
func (l *lexer) quoted(quote byte, escapes bool) {
	start := l.i
	for l.i++; l.i < len(l.sql); l.i++ {
		switch c := l.sql[l.i]; {
		case c == '\\' && escapes:
			l.i++
		case c != quote:
		case l.i+1 < len(l.sql) && l.sql[l.i+1] == quote:
			l.i++
		default:
			l.i++
			return
		}
	}
	l.fail(start, "quote without an end")
}

// dollars steps over a string between $tag$ and $tag$, and reports false if there is
// none.
func (l *lexer) dollars() bool {
	rest := l.sql[l.i+1:]
	n := 0
	for n < len(rest) && (isLetter(rest[n]) || n > 0 && isDigit(rest[n])) {
		n++
	}
	if n == len(rest) || rest[n] != '$' {
		return false
	}
	tag := l.sql[l.i : l.i+n+2]
	body := rest[n+1:]
	end := strings.Index(body, tag)
	if end < 0 {
		l.fail(l.i, "quote without an end")
		return true
	}
	l.i += len(tag) + end + len(tag)
	return true
}

// line steps to the end of the line.
func (l *lexer) line() {
	for l.i < len(l.sql) && l.sql[l.i] != '\n' {
		l.i++
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// lower returns a name as PostgreSQL has it, which lowers the letters of ASCII.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
