package dsql

import "fmt"

// A parser reads tokens. Once something failed its token is the end.
type parser struct {
	lexer lexer
	token token // the next one
	err   error
}

func newParser(sql string) *parser {
	p := &parser{lexer: lexer{sql: sql}}
	p.advance()
	return p
}

// advance steps over the token.
func (p *parser) advance() {
	if p.err != nil {
		return
	}
	p.token = p.lexer.next()
	if p.lexer.err != nil {
		p.err = p.lexer.err
	}
}

// fail is for a token that cannot stand where it is.
func (p *parser) fail(reason string) { p.failAt(p.token, reason) }

func (p *parser) failAt(t token, reason string) {
	if p.err == nil {
		p.err = &SchemaError{Offset: t.start, Reason: reason}
	}
	p.token = token{start: t.start, end: t.start}
}

func (p *parser) isWord(word string) bool {
	return p.token.kind == tokenWord && p.token.text == word
}

func (p *parser) isMark(mark string) bool {
	return p.token.kind == tokenMark && p.token.text == mark
}

// word steps over a word and returns it, empty if there is none.
func (p *parser) word() string {
	if p.token.kind != tokenWord {
		return ""
	}
	word := p.token.text
	p.advance()
	return word
}

// take steps over the words, if the first of them is next.
func (p *parser) take(words ...string) bool {
	if !p.isWord(words[0]) {
		return false
	}
	p.advance()
	for _, word := range words[1:] {
		p.expect(word)
	}
	return true
}

func (p *parser) takeMark(mark string) bool {
	if !p.isMark(mark) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(word string) {
	if !p.take(word) {
		p.fail(fmt.Sprintf("%q expected", word))
	}
}

func (p *parser) expectMark(mark string) {
	if !p.takeMark(mark) {
		p.fail(fmt.Sprintf("%q expected", mark))
	}
}

// name reads a name.
func (p *parser) name() string {
	if p.token.kind != tokenWord && p.token.kind != tokenName {
		p.fail("a name expected")
		return ""
	}
	name := p.token.text
	p.advance()
	return name
}

// qualified reads a name with the schema that can stand before it.
func (p *parser) qualified() (schema, name string) {
	name = p.name()
	if p.takeMark(".") {
		schema, name = name, p.name()
	}
	return schema, name
}

// names reads (name, …).
func (p *parser) names() (names []string) {
	p.expectMark("(")
	for p.err == nil {
		names = append(names, p.name())
		if !p.takeMark(",") {
			break
		}
		if len(names) == maxColumns {
			p.fail("too many names")
		}
	}
	p.expectMark(")")
	return names
}

// skip steps over tokens to one for which stop is true outside of all brackets, or to
// what ends them: a closing bracket, a semicolon, the end.
func (p *parser) skip(stop func() bool) {
	for depth := 0; p.token.kind != tokenEnd; p.advance() {
		switch {
		case depth == 0 && (p.isMark(")") || p.isMark("]") || p.isMark(";") || stop()):
			return
		case p.isMark("("), p.isMark("["), p.isWord("case"):
			depth++
		case p.isMark(")"), p.isMark("]"), depth > 0 && p.isWord("end"):
			depth--
		}
	}
}

func never() bool { return false }

// brackets steps over a bracket and what is in it.
func (p *parser) brackets() {
	p.expectMark("(")
	p.skip(never)
	p.expectMark(")")
}

// expression steps over the expression of a default, up to what can stand behind it in
// a column's definition.
func (p *parser) expression() {
	start, is := p.token.start, false
	p.skip(func() bool {
		switch {
		case p.isMark(","):
			return true
		case p.token.start == start, is && p.isWord("not"): // DEFAULT NULL; x IS NOT DISTINCT FROM y
			return false
		}
		is = p.isWord("is")
		return p.token.kind == tokenWord && constraintWords[p.token.text]
	})
	if p.token.start == start {
		p.fail("an expression expected")
	}
}

// constraintWords are the words with which what stands behind a column's type begins.
var constraintWords = map[string]bool{
	"constraint": true, "not": true, "null": true, "default": true, "check": true, "generated": true, "unique": true,
	"primary": true, "references": true, "collate": true, "deferrable": true, "initially": true,
}
