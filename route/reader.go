package route

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A reader finds the records of an event and calls record for each. The event is
// validated as a whole; its other members are not looked at.
type reader struct {
	event  []byte
	record func(rawRecord) error
	shape  *recordShape
}

// A recordShape remembers how the members of a record are spelled and ordered.
// Firehose spells all records of an event alike.
type recordShape [16]struct {
	spelling jsonscan.Spelling
	member   member
}

// A member is one of a record that the transform needs.
type member uint8

const (
	memberOther member = iota
	memberRecordID
	memberData
	memberKafkaRecordValue
)

func memberOf(name []byte) member {
	if bytes.IndexByte(name, '\\') >= 0 {
		name = jsonscan.AppendText(nil, name)
	}
	switch string(name) {
	case "recordId":
		return memberRecordID
	case "data":
		return memberData
	case "kafkaRecordValue":
		return memberKafkaRecordValue
	}
	return memberOther
}

// A rawRecord is a record as it is spelled in an event. Its slices alias the
// event.
type rawRecord struct {
	id      []byte // the recordId, a JSON string with its quotes
	payload []byte // base64, between the quotes; nil if there is none
	kafka   bool   // the payload's name is kafkaRecordValue
	trusted bool   // the payload was not looked at
	wrong   error  // what is wrong with the payload before it is decoded
}

var (
	errNoID  = errors.New("no recordId")
	errTrust = errors.New("not the base64 it was taken for")
)

// read reads the event. An error is that of record, or says where the event is
// malformed.
func (r *reader) read() error {
	end, found, err := r.readEvent()
	if err != nil && !envelope.IsPermanent(err) {
		return err // not of the event: the context's, say
	}
	if end < 0 || err != nil || jsonscan.Space(r.event, end) != len(r.event) {
		if f := jsonscan.Diagnose(r.event); f.Err != nil {
			return eventError(f.Offset, jsonscan.Pointer(f.Path[:min(2, len(f.Path))]...), fmt.Errorf("%w: %w", envelope.ErrSyntax, f.Err))
		}
		if err == nil {
			err = eventError(0, "", envelope.ErrType)
		}
		return err
	}
	if !found {
		return eventError(end, "/records", envelope.ErrMissing)
	}
	return nil
}

func (r *reader) readEvent() (i int, found bool, err error) {
	b := r.event
	i = jsonscan.Space(b, 0)
	for k := 0; ; k++ {
		start, end, value, last := jsonscan.Member(b, i, k)
		if last || value < 0 {
			return value, found, nil
		}
		if !jsonscan.TextIs(b[start+1:end], "records") {
			i = jsonscan.SkipWithin(b, value, 1)
		} else if found {
			return -1, found, eventError(value, "/records", envelope.ErrDuplicate)
		} else {
			found = true
			i, err = r.readRecords(value)
		}
		if i < 0 || err != nil {
			return -1, found, err
		}
	}
}

// readRecords reads the array of records at index i.
func (r *reader) readRecords(i int) (int, error) {
	b := r.event
	if i >= len(b) || b[i] != '[' {
		return -1, eventError(i, "/records", envelope.ErrType)
	}
	if i = jsonscan.Space(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for n := 0; ; n++ {
		if i < len(b) && b[i] != '{' {
			return -1, eventError(i, fmt.Sprintf("/records/%d", n), envelope.ErrType)
		}
		end, err := r.readRecord(i, true)
		if end < 0 {
			end, err = r.readRecord(i, false)
		}
		switch {
		case errors.Is(err, errNoID):
			return -1, eventError(i, fmt.Sprintf("/records/%d/recordId", n), envelope.ErrMissing)
		case end < 0 || err != nil:
			return end, err
		}
		next, last := jsonscan.Next(b, end, ']')
		if last || next < 0 {
			return next, nil
		}
		i = next
	}
}

// readRecord reads the record at index i. With trust a payload is taken to end
// at the next quote and to be nothing but base64, which decoding it shows; that
// spares one look at most of the event's bytes. If it was not so, the index is
// -1 and the record must be read without.
func (r *reader) readRecord(i int, trust bool) (int, error) {
	raw := rawRecord{trusted: trust}
	for k := 0; ; k++ {
		m, value := memberOther, -1
		if k < len(r.shape) {
			m, value = r.shape[k].member, r.shape[k].spelling.Value(r.event, i)
		}
		if value < 0 {
			start, end, at, last := jsonscan.Member(r.event, i, k)
			if at < 0 {
				return -1, nil
			}
			if last {
				return r.finish(at, raw)
			}
			m, value = memberOf(r.event[start+1:end]), at
			if k < len(r.shape) {
				r.shape[k].spelling, r.shape[k].member = jsonscan.Spell(r.event[i:value]), m
			}
		}
		if i = raw.read(r.event, value, m); i < 0 {
			return -1, nil
		}
	}
}

// finish hands on a record that ends before index end.
func (r *reader) finish(end int, raw rawRecord) (int, error) {
	if raw.id == nil {
		return 0, errNoID
	}
	if err := r.record(raw); errors.Is(err, errTrust) {
		return -1, nil
	} else if err != nil {
		return 0, err
	}
	return end, nil
}

// read reads the value of a member at b[i] and returns the index after it. A
// recordId that is no string is none; a payload that is neither a string nor null
// is wrong, and so are two of them.
func (r *rawRecord) read(b []byte, i int, m member) int {
	const depth = 3 // the event, its records, the record
	payload := m == memberData || m == memberKafkaRecordValue
	if m == memberOther || i >= len(b) || b[i] != '"' {
		if payload && i < len(b) && b[i] != 'n' {
			r.wrong = &envelope.DecodeError{Err: envelope.ErrType}
		}
		return jsonscan.SkipWithin(b, i, depth)
	}
	if payload && r.payload != nil {
		r.wrong = &envelope.DecodeError{Err: envelope.ErrDuplicate}
	}
	if m == memberRecordID || !r.trusted {
		end := jsonscan.SkipWithin(b, i, depth)
		switch {
		case end < 0:
		case m == memberRecordID:
			r.id = b[i:end:end]
		default:
			r.payload, r.kafka = b[i+1:end-1:end-1], m == memberKafkaRecordValue
		}
		return end
	}
	n := bytes.IndexByte(b[i+1:], '"')
	if n < 0 || r.payload != nil { // only one is decoded, and so shown to be what it was taken for
		return -1
	}
	end := i + 1 + n
	r.payload, r.kafka = b[i+1:end:end], m == memberKafkaRecordValue
	return end + 1
}

func eventError(offset int, path string, err error) error {
	return fmt.Errorf("route: event: %w", &envelope.DecodeError{Offset: int64(offset), Path: path, Err: err})
}
