package truth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

// bytes compares bytes, which in some modes of the connector are text.
func (c *cell) bytes(want []byte) error {
	got, ok := c.d.Bytes()
	var err error
	if c.d.Kind() == envelope.KindText { // for all that the record's schema says
		typ := envelope.Type{Kind: envelope.KindBytes}
		written := string(got)
		switch c.set.bytes {
		case "hex":
			typ.Form = envelope.FormHex
			got, err = hex.DecodeString(written)
		case "base64":
			got, err = base64.StdEncoding.DecodeString(written)
		case "base64url":
			typ.Form = envelope.FormBase64URL
			got, err = base64.URLEncoding.DecodeString(written)
		default:
			err = errOther
		}
		if err == nil { // whoever knows better can say so
			var reader envelope.RowReader
			err = reader.Read(&envelope.Schema{Fields: []envelope.Field{{Name: "b", Type: typ}}}, envelope.Row(`{"b":"`+written+`"}`))
			if read, isBytes := reader.Datum(0).Bytes(); err == nil && (!isBytes || !bytes.Equal(read, got)) {
				err = errOther
			}
		}
	} else if err = c.kind(envelope.KindBytes); err == nil {
		err = c.reads(base64.StdEncoding.EncodeToString(want))
	}
	switch {
	case err != nil:
		return err
	case !ok || !bytes.Equal(got, want):
		return errOther
	}
	return nil
}

// bytea is the bytes of a PostgreSQL text such as \x00ff.
func (c *cell) bytea() []byte {
	if c.canon != nil {
		b, _ := base64.StdEncoding.DecodeString(text(c.canon))
		return b
	}
	return unhex(strings.TrimPrefix(c.text, `\x`))
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// bits compares binary digits. How many zeros a bit varying leads with is not in the
// records, which have its length at most.
func (c *cell) bits() error {
	if c.sql == "bit" && (len(c.args) == 0 || c.args[0] == 1) {
		if v, ok := c.d.Bool(); !ok || v != (c.text == "1") {
			return errOther
		}
		return c.reads(strconv.FormatBool(c.text == "1"))
	}
	if err := c.kind(envelope.KindBits); err != nil {
		return err
	}
	want := c.text
	if c.sql == "bit varying" {
		want = strings.TrimLeft(want, "0")
		if len(c.args) == 1 {
			want = strings.Repeat("0", c.args[0]-len(want)) + want
		} else if want == "" {
			want = "0"
		}
	}
	if len(c.args) == 1 && c.d.Type().Length != c.args[0] {
		return fmt.Errorf("length %d, want %d", c.d.Type().Length, c.args[0])
	}
	if got, ok := c.d.Any().(string); !ok || got != want {
		return errOther
	}
	return c.reads(want)
}
