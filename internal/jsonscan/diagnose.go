package jsonscan

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Causes that [Diagnose] names.
var (
	ErrEnd   = errors.New("unexpected end")
	ErrByte  = errors.New("unexpected byte")
	ErrUTF8  = errors.New("invalid UTF-8")
	ErrDepth = errors.New("nested too deeply")
)

// A Fault is where and why input is not valid JSON.
type Fault struct {
	Offset int      // of the first byte that cannot stand there; len(input) at its end
	Path   []string // names and indexes that lead to the innermost value being read
	Err    error    // ErrEnd, ErrByte, ErrUTF8 or ErrDepth
}

// Diagnose returns what is wrong with b as one JSON value; Err is nil if
// nothing is. It is written for clarity, apart from the fast scanner, so that
// each can be tested against the other.
func Diagnose(b []byte) Fault {
	p := parser{b: b}
	p.value()
	if p.space(); p.err == nil && p.i < len(b) {
		p.fail(ErrByte)
	}
	if p.err == nil {
		return Fault{}
	}
	return Fault{Offset: p.i, Path: p.path, Err: p.err}
}

// Pointer returns the JSON Pointer (RFC 6901) of what the names lead to.
func Pointer(names ...string) string {
	var s strings.Builder
	for _, name := range names {
		s.WriteByte('/')
		s.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return s.String()
}

// A parser reads b from i. Once err is set, i and path stay as they are.
type parser struct {
	b    []byte
	i    int
	path []string
	err  error
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) space() {
	for p.err == nil && p.i < len(p.b) && strings.IndexByte(" \n\t\r", p.b[p.i]) >= 0 {
		p.i++
	}
}

// peek returns the next byte, or 0 and fails at the end of the input.
func (p *parser) peek() byte {
	if p.err == nil && p.i >= len(p.b) {
		p.fail(ErrEnd)
	}
	if p.err != nil {
		return 0
	}
	return p.b[p.i]
}

// take consumes each byte of s in turn.
func (p *parser) take(s string) {
	for _, c := range []byte(s) {
		if got := p.peek(); p.err != nil {
			return
		} else if got != c {
			p.fail(ErrByte)
			return
		}
		p.i++
	}
}

func (p *parser) value() {
	p.space()
	switch c := p.peek(); {
	case p.err != nil:
	case c == '{':
		p.list('}', func(int) {
			p.space()
			start := p.i
			p.string()
			if p.err != nil {
				return
			}
			p.path[len(p.path)-1] = string(AppendText(nil, p.b[start+1:p.i-1]))
			p.space()
			p.take(":")
			p.value()
		})
	case c == '[':
		p.list(']', func(n int) {
			p.path[len(p.path)-1] = strconv.Itoa(n)
			p.value()
		})
	case c == '"':
		p.string()
	case c == 't':
		p.take("true")
	case c == 'f':
		p.take("false")
	case c == 'n':
		p.take("null")
	case c == '-' || '0' <= c && c <= '9':
		p.number()
	default:
		p.fail(ErrByte)
	}
}

// list reads an array or object, calling element for each of its parts.
func (p *parser) list(closer byte, element func(n int)) {
	if len(p.path) >= MaxDepth {
		p.fail(ErrDepth)
		return
	}
	p.i++
	if p.space(); p.peek() == closer {
		p.i++
		return
	}
	for n := 0; p.err == nil; n++ {
		p.path = append(p.path, "")
		element(n)
		if p.err != nil {
			if last := len(p.path) - 1; p.path[last] == "" && closer == '}' {
				p.path = p.path[:last] // the fault is in the name itself
			}
			return
		}
		p.path = p.path[:len(p.path)-1]
		p.space()
		if c := p.peek(); p.err == nil && c == closer {
			p.i++
			return
		}
		p.take(",")
	}
}

func (p *parser) string() {
	p.take(`"`)
	for {
		c := p.peek()
		switch {
		case p.err != nil:
			return
		case c == '"':
			p.i++
			return
		case c < 0x20:
			p.fail(ErrByte)
			return
		case c == '\\':
			p.i++
			p.escape()
		default:
			r, n := utf8.DecodeRune(p.b[p.i:])
			if r == utf8.RuneError && n <= 1 {
				p.fail(ErrUTF8)
				return
			}
			p.i += n
		}
	}
}

func (p *parser) escape() {
	c := p.peek()
	if p.err != nil {
		return
	}
	if strings.IndexByte(`"\/bfnrtu`, c) < 0 {
		p.fail(ErrByte)
		return
	}
	p.i++
	for n := 0; c == 'u' && n < 4; n++ {
		if h := p.peek(); p.err == nil && strings.IndexByte("0123456789abcdefABCDEF", h) < 0 {
			p.fail(ErrByte)
		}
		if p.err != nil {
			return
		}
		p.i++
	}
}

func (p *parser) number() {
	if p.b[p.i] == '-' {
		p.i++
	}
	if p.peek() == '0' {
		p.i++
	} else {
		p.digits()
	}
	if p.more('.', '.') {
		p.digits()
	}
	if p.more('e', 'E') {
		if !p.more('+', '-') {
			p.peek()
		}
		p.digits()
	}
}

// more consumes one of two bytes if it comes next; the end is no fault.
func (p *parser) more(c, d byte) bool {
	if p.err != nil || p.i >= len(p.b) || p.b[p.i] != c && p.b[p.i] != d {
		return false
	}
	p.i++
	return true
}

// digits consumes at least one digit.
func (p *parser) digits() {
	if c := p.peek(); p.err == nil && (c < '0' || c > '9') {
		p.fail(ErrByte)
	}
	for p.err == nil && p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9' {
		p.i++
	}
}
