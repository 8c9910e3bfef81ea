package route

import (
	"cmp"
	"errors"
	"slices"

	"github.com/segmentio/asm/base64"
)

// The parts of a response. An answer's size is counted from them before it is
// written, so that the response is allocated once and fits.
const (
	partOpen     = `{"records":[`
	partClose    = `]}`
	partID       = `{"recordId":`
	partResult   = `,"result":"`
	partData     = `","data":"`
	partKafka    = `","kafkaRecordValue":"`
	partEnd      = `"}`
	partMetadata = `","metadata":{"otfMetadata":{"destinationDatabaseName":`
	partTable    = `,"destinationTableName":`
	partOp       = `,"operation":"`
	partOpEnd    = `"}}}`
)

func (it *item) partPayload() string {
	if it.raw.kafka {
		return partKafka
	}
	return partData
}

// answerSize returns the size in bytes of an item's answer and the comma after
// it.
func (it *item) answerSize() int {
	n := len(partID) + len(it.raw.id) + len(partResult) + len(results[it.result]) + 1
	switch {
	case it.result == resultOk:
		n += len(it.partPayload()) + base64.StdEncoding.EncodedLen(len(it.row)+1)
		if it.to.metadata != nil {
			return n + len(it.to.metadata) + len(operations[it.operation]) + len(partOpEnd)
		}
	case it.result == resultFailed && !it.bare:
		n += len(it.partPayload()) + it.encoded
	}
	return n + len(partEnd)
}

var errResponse = errors.New("route: the record ids alone exceed the response limit")

// fit counts the response's size and fails records until it is within the limit:
// what failed already loses its payload, which Firehose has itself; then the
// largest rows fail, so that as few as possible do.
func (b *batch) fit() error {
	b.size = len(partOpen) + len(partClose)
	if len(b.items) > 0 {
		b.size -= len(`,`) // behind the last answer there is none
	}
	for i := range b.items {
		b.size += b.items[i].answerSize()
	}
	limit := cmp.Or(b.f.MaxResponse, MaxResponse)
	for _, result := range [...]result{resultFailed, resultOk} {
		if b.size <= limit {
			return nil
		}
		for _, s := range b.savings(result) {
			b.items[s.item].strip()
			if b.size -= s.bytes; b.size <= limit {
				return nil
			}
		}
	}
	return errResponse
}

// strip takes an item's payload out of its answer, which makes a row fail.
func (it *item) strip() {
	if it.result == resultOk {
		it.fail(TooLarge, nil)
	}
	it.bare = true
}

// A saving is what the response shrinks by if an item is stripped.
type saving struct{ item, bytes int }

// savings returns those of the items of a result, the largest first.
func (b *batch) savings(result result) []saving {
	var all []saving
	for i := range b.items {
		if b.items[i].result != result {
			continue
		}
		stripped := b.items[i]
		stripped.strip()
		if bytes := b.items[i].answerSize() - stripped.answerSize(); bytes > 0 {
			all = append(all, saving{i, bytes})
		}
	}
	slices.SortStableFunc(all, func(x, y saving) int { return cmp.Compare(y.bytes, x.bytes) })
	return all
}

// appendResponse writes the response in JSON.
func (b *batch) appendResponse(dst []byte) []byte {
	dst = append(dst, partOpen...)
	for i := range b.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = b.appendAnswer(dst, &b.items[i])
	}
	return append(dst, partClose...)
}

func (b *batch) appendAnswer(dst []byte, it *item) []byte {
	dst = append(append(dst, partID...), it.raw.id...)
	dst = append(append(dst, partResult...), results[it.result]...)
	switch {
	case it.result == resultOk:
		dst = append(dst, it.partPayload()...)
		dst = b.appendRow(dst, it.row)
		if it.to.metadata != nil {
			dst = append(dst, it.to.metadata...)
			return append(append(dst, operations[it.operation]...), partOpEnd...)
		}
	case it.result == resultFailed && !it.bare:
		dst = append(dst, it.partPayload()...)
		dst = append(dst, it.raw.payload...)
	}
	return append(dst, partEnd...)
}

// appendRow appends a row and a newline in base64. The newline falls into the
// last group of three bytes, so that the row needs no copy.
func (b *batch) appendRow(dst, row []byte) []byte {
	whole := len(row) / 3 * 3
	last := append(append(b.group[:0], row[whole:]...), '\n')
	n := len(dst)
	size := base64.StdEncoding.EncodedLen(len(row) + 1)
	dst = slices.Grow(dst, size)[:n+size]
	base64.StdEncoding.Encode(dst[n:], row[:whole])
	base64.StdEncoding.Encode(dst[n+whole/3*4:], last)
	return dst
}

// response returns the typed response.
func (b *batch) response() Response {
	r := Response{Records: make([]Answer, 0, len(b.items))}
	for i := range b.items {
		it := &b.items[i]
		a := Answer{RecordID: b.records[i].RecordID, Result: results[it.result]}
		var payload []byte
		switch {
		case it.result == resultOk:
			payload = append(slices.Clone(it.row), '\n')
			if to := it.to; to.metadata != nil {
				a.Metadata = &Metadata{OTFMetadata{to.Database, to.Table, operations[it.operation]}}
			}
		case it.result == resultFailed && !it.bare:
			payload = slices.Clone(b.records[i].payload())
		}
		if it.raw.kafka {
			a.KafkaRecordValue = payload
		} else {
			a.Data = payload
		}
		r.Records = append(r.Records, a)
	}
	return r
}
