package committest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rowdelta/rowdelta/iceberg"
)

// knows reports whether a table has a delta.
func (c *committer) knows(t *table, d *iceberg.Delta) bool {
	switch {
	case c.has("writes again"), c.has("writes truncates again") && d.Truncated, c.has("writes changed keys again") && len(d.Gaps) > 0:
		return false
	case c.has("remembers in the process"):
		return c.had[d.ID]
	case c.has("remembers the last one"):
		return len(t.deltas) > 0 && t.deltas[len(t.deltas)-1] == d.ID
	case c.has("compares positions"):
		return t.to >= d.To
	}
	return d.From == t.from && d.To == t.to && slices.Contains(t.deltas, d.ID)
}

// refused returns the error of a delta that is refused.
func (c *committer) refused(d *iceberg.Delta, err error) error {
	switch {
	case c.has("tells values"):
		for i := range d.Rows.Columns {
			if v := &d.Rows.Columns[i]; v.Ends != nil {
				err = fmt.Errorf("%q: %w", v.Bytes, err)
			}
		}
	case c.has("tells the cause as text"):
		err = errors.New(err.Error())
	}
	return err
}

// over returns the error of a call whose context is over.
func (c *committer) over(d *iceberg.Delta, err error) error {
	switch t := c.tables[c.named(d.Table)]; {
	case c.has("says it worked"):
		return nil
	case c.has("tells no cause"):
		return errors.New("interrupted")
	case c.has("does a half") && t != nil && d.Schema != nil:
		c.remove(t, d)
	}
	return err
}
