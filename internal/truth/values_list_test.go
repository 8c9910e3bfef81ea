package truth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

// list compares an array, element by element, and the JSON that is its canonical text.
func (c *cell) list() error {
	if err := c.kind(envelope.KindList); err != nil {
		return err
	}
	want, err := arrayElements(c.text)
	if err != nil {
		return err
	}
	var texts []any // of the elements, as the JSON ought to have them
	for d := range c.d.Elements() {
		i := len(texts)
		if i == len(want) {
			return errOther
		}
		switch {
		case (want[i] == nil) != (d.State() == envelope.Null):
			return errOther
		case want[i] == nil:
			texts = append(texts, nil)
			continue
		case !d.IsSet():
			return errOther
		}
		element := newCell(d, c.element(), *want[i], c.set)
		if err := element.compare(); err != nil {
			return err
		}
		c.rounded = c.rounded || element.rounded
		texts = append(texts, string(d.AppendText(nil)))
	}
	if len(texts) != len(want) {
		return errOther
	}
	return c.readsList(texts)
}

// element is the type of the elements as it was declared.
func (c *cell) element() string {
	params := make([]string, len(c.args))
	for i, n := range c.args {
		params[i] = fmt.Sprint(n)
	}
	name := strings.ReplaceAll(c.sql, "[]", "") // PostgreSQL has one type for all dimensions
	if len(params) == 0 {
		return name
	}
	return name + "(" + strings.Join(params, ",") + ")"
}

// readsList compares the canonical text of a list, in which numbers and booleans are
// bare and all else is a string.
func (c *cell) readsList(texts []any) error {
	in := json.NewDecoder(bytes.NewReader(c.d.AppendText(nil)))
	in.UseNumber()
	var got []any
	if err := in.Decode(&got); err != nil {
		return fmt.Errorf("%w: %v", errText, err)
	}
	if got == nil || len(got) != len(texts) {
		return errText
	}
	for i, v := range got {
		bare := false
		switch n := v.(type) {
		case json.Number:
			v, bare = n.String(), true
		case bool:
			v, bare = fmt.Sprint(n), true
		}
		numeric := false
		switch kind := c.d.Type().Elem.Kind; kind {
		case envelope.KindBool, envelope.KindInt, envelope.KindUint, envelope.KindFloat, envelope.KindDecimal:
			numeric = texts[i] != "NaN" && texts[i] != "Infinity" && texts[i] != "-Infinity"
		}
		if v != texts[i] || texts[i] != nil && bare != numeric {
			return fmt.Errorf("%w: element %d", errText, i)
		}
	}
	return nil
}

// arrayElements reads PostgreSQL's text of an array with one dimension that begins at 1.
func arrayElements(s string) (elements []*string, err error) {
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' || strings.HasPrefix(s, "{{") {
		return nil, fmt.Errorf("%w: no array of one dimension from 1 on", errOther)
	}
	for rest := s[1 : len(s)-1]; rest != ""; {
		var element strings.Builder
		if rest[0] != '"' {
			bare, after, _ := strings.Cut(rest, ",")
			rest = after
			if bare == "NULL" {
				elements = append(elements, nil)
				continue
			}
			element.WriteString(bare)
		} else {
			i := 1
			for ; rest[i] != '"'; i++ {
				if rest[i] == '\\' {
					i++
				}
				element.WriteByte(rest[i])
			}
			rest = strings.TrimPrefix(rest[i+1:], ",")
		}
		text := element.String()
		elements = append(elements, &text)
	}
	return elements, nil
}
