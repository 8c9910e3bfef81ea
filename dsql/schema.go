package dsql

import (
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
)

// maxColumns is the most columns that a table of PostgreSQL can have.
const maxColumns = 1600

// ParseSchema reads the schema of a table's rows from the statement that makes the
// table, since DSQL's records tell no types:
//
//	CREATE TABLE [IF NOT EXISTS] [schema.]name (column type [constraint …], …, PRIMARY KEY (column, …))
//
// It takes what a person writes and what pg_dump does with --schema-only for one table,
// where the primary key is a statement of its own. Statements that have no effect on
// the columns are left out. The schema has the columns in the statement's order and
// the primary key.
//
// What it does not understand, among it types for which [ColumnType] has none, is a
// [*SchemaError].
func ParseSchema(createTable string) (*envelope.Schema, error) {
	p := tableParser{parser: newParser(createTable)}
	for p.token.kind != tokenEnd {
		switch {
		case p.takeMark(";"):
			continue
		case p.isMark("\\"): // a command to psql
			p.lexer.line()
			p.advance()
			continue
		case p.isWord("create"):
			p.create()
		case p.isWord("alter"):
			p.alter()
		case p.isWord("set"), p.isWord("select"), p.isWord("comment"), p.isWord("grant"), p.isWord("revoke"):
			p.skip(never)
		default:
			p.fail("CREATE TABLE expected")
		}
		if p.token.kind != tokenEnd && !p.isMark(";") {
			p.fail(`";" expected`)
		}
	}
	switch {
	case p.err != nil:
		return nil, p.err
	case p.schema == nil:
		return nil, &SchemaError{Offset: len(createTable), Reason: "CREATE TABLE expected"}
	}
	return p.finish()
}

// A tableParser reads the statements about one table.
type tableParser struct {
	*parser
	table  envelope.Table
	schema *envelope.Schema
	key    token // where the primary key is
}

// create reads a statement that makes something.
func (p *tableParser) create() {
	p.advance()
	for p.isWord("global") || p.isWord("local") || p.isWord("temp") || p.isWord("temporary") || p.isWord("unlogged") {
		p.advance()
	}
	if p.isWord("index") || p.isWord("unique") || p.isWord("sequence") || p.isWord("schema") {
		p.skip(never)
		return
	}
	if p.expect("table"); p.schema != nil {
		p.fail("one table expected")
	}
	p.take("if", "not", "exists")
	p.table.Schema, p.table.Name = p.qualified()
	p.schema = &envelope.Schema{Name: p.table.String()}
	p.expectMark("(")
	for p.err == nil {
		p.element()
		if !p.takeMark(",") {
			break
		}
	}
	p.expectMark(")")
	switch {
	case p.take("with"), p.take("without"), p.take("using"), p.take("tablespace"): // where and how it is stored
		p.skip(never)
	}
}

// element reads a column, or what holds for several of them.
func (p *tableParser) element() {
	if p.tableConstraint() {
		return
	}
	if p.isWord("like") {
		p.fail("a column expected")
	}
	if len(p.schema.Fields) == maxColumns {
		p.fail("too many columns")
	}
	at := p.token
	f := envelope.Field{Name: p.name(), Optional: true}
	if slices.ContainsFunc(p.schema.Fields, func(other envelope.Field) bool { return other.Name == f.Name }) {
		p.failAt(at, "column occurs twice")
	}
	f.Type = p.columnType()
	for p.err == nil && p.constraint(&f) {
	}
	p.schema.Fields = append(p.schema.Fields, f)
}

// constraint reads what stands behind a column's type, and reports false if there is no
// more.
func (p *tableParser) constraint(f *envelope.Field) bool {
	at := p.token
	switch {
	case p.take("constraint"):
		p.name()
	case p.take("not"):
		if !p.take("deferrable") {
			p.expect("null")
			f.Optional = false
		}
	case p.take("null"), p.take("deferrable"):
	case p.take("initially"), p.take("collate"):
		p.qualified()
	case p.take("default"):
		p.expression()
	case p.take("check"):
		p.brackets()
		p.take("no", "inherit")
	case p.take("generated"):
		p.generated(f)
	case p.take("unique"):
		p.unique()
	case p.take("primary", "key"):
		p.setKey(at, []string{f.Name})
		p.include()
	case p.take("references"):
		p.references()
	default:
		return false
	}
	return true
}

// generated reads how a column's values are made.
func (p *tableParser) generated(f *envelope.Field) {
	if !p.take("by", "default") {
		p.expect("always")
	}
	p.expect("as")
	if p.take("identity") {
		f.Optional = false
		if p.isMark("(") {
			p.brackets()
		}
		return
	}
	p.brackets()
	p.expect("stored")
}

// unique reads what can stand behind UNIQUE, before and behind its columns.
func (p *tableParser) unique() {
	if p.take("nulls") {
		p.take("not")
		p.expect("distinct")
	}
	if p.isMark("(") {
		p.brackets()
	}
	p.include()
}

// include reads the columns that an index has besides its key.
func (p *tableParser) include() {
	if p.take("include") {
		p.brackets()
	}
}

// references reads the table that a foreign key leads to.
func (p *tableParser) references() {
	p.qualified()
	if p.isMark("(") {
		p.brackets()
	}
	if p.take("match") {
		p.name()
	}
	for p.take("on") {
		if !p.take("delete") {
			p.expect("update")
		}
		if !p.take("set") { // SET NULL, SET DEFAULT
			p.take("no") // NO ACTION
		}
		p.name()
		if p.isMark("(") {
			p.brackets()
		}
	}
}

// tableConstraint reads a constraint of several columns, and reports false if none is
// next.
func (p *tableParser) tableConstraint() bool {
	at := p.token
	named := p.take("constraint")
	if named {
		p.name()
	}
	switch {
	case p.take("primary", "key"):
		p.setKey(at, p.names())
		p.include()
	case p.take("unique"):
		p.unique()
	case p.take("check"):
		p.brackets()
		p.take("no", "inherit")
	case p.take("foreign", "key"):
		p.brackets()
		p.expect("references")
		p.references()
	default:
		if named {
			p.fail("a constraint expected")
		}
		return named
	}
	for p.isWord("not") || p.isWord("deferrable") || p.isWord("initially") {
		p.take("not")
		if p.take("valid") || p.take("deferrable") {
			continue
		}
		p.expect("initially")
		p.name()
	}
	return true
}

// setKey keeps the columns of the primary key.
func (p *tableParser) setKey(at token, columns []string) {
	if p.schema.Key != nil {
		p.failAt(at, "primary key occurs twice")
		return
	}
	p.schema.Key, p.key = columns, at
}

// alter reads a statement that changes something.
func (p *tableParser) alter() {
	p.advance()
	if !p.take("table") {
		if !p.isWord("sequence") && !p.isWord("index") && !p.isWord("schema") {
			p.fail("ALTER TABLE expected")
		}
		p.skip(never)
		return
	}
	p.take("if", "exists")
	p.take("only")
	at := p.token
	schema, name := p.qualified()
	if p.schema == nil || name != p.table.Name || schema != p.table.Schema {
		p.failAt(at, "another table")
		return
	}
	for p.err == nil {
		p.action()
		if !p.takeMark(",") {
			break
		}
	}
}

// action reads one change of the table.
func (p *tableParser) action() {
	comma := func() bool { return p.isMark(",") }
	switch {
	case p.take("add"):
		if !p.tableConstraint() {
			p.fail("a constraint expected")
		}
	case p.take("owner", "to"), p.take("cluster"), p.take("replica", "identity"):
		p.skip(comma)
	case p.take("alter"):
		p.take("column")
		at := p.token
		i := p.schema.Index(p.name())
		if i < 0 {
			p.failAt(at, "no such column")
			return
		}
		p.columnAction(&p.schema.Fields[i], comma)
	default:
		p.fail("unknown change of a table")
	}
}

// columnAction reads one change of a column.
func (p *tableParser) columnAction(f *envelope.Field, comma func() bool) {
	switch {
	case p.take("add"):
		p.expect("generated")
		p.generated(f)
	case p.take("set"):
		if p.take("not", "null") {
			f.Optional = false
			return
		}
		if !p.isWord("default") && !p.isWord("storage") && !p.isWord("statistics") {
			p.fail("unknown change of a column")
		}
		p.skip(comma)
	case p.take("drop", "default"):
	default:
		p.fail("unknown change of a column")
	}
}

// finish returns the schema with its key.
func (p *tableParser) finish() (*envelope.Schema, error) {
	for i, name := range p.schema.Key {
		column := p.schema.Index(name)
		if column < 0 || slices.Contains(p.schema.Key[:i], name) {
			return nil, &SchemaError{Offset: p.key.start, Reason: "primary key of other columns"}
		}
		p.schema.Fields[column].Optional = false
	}
	return p.schema, nil
}
