package route

import (
	"cmp"
	"errors"
	"slices"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
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
	n := len(partID) + len(it.raw.id) + len(partResult) + len(it.out.Result) + 1
	switch {
	case it.out.Result == Ok:
		n += len(it.partPayload()) + base64.StdEncoding.EncodedLen(len(it.row)+1)
		if it.meta != nil {
			return n + len(it.meta) + len(it.out.Operation) + len(partOpEnd)
		}
	case it.out.Result == ProcessingFailed && !it.bare:
		n += len(it.partPayload())
		if it.record != nil {
			n += base64.StdEncoding.EncodedLen(len(it.record.payload()))
		} else {
			n += len(it.raw.payload)
		}
	}
	return n + len(partEnd)
}

// metadata keeps the metadata of destinations up to the operation.
type metadata struct {
	last  Destination
	part  []byte // of last
	parts map[Destination][]byte
}

func (m *metadata) of(to Destination) []byte {
	if m.part != nil && to == m.last {
		return m.part
	}
	part, ok := m.parts[to]
	if !ok {
		if m.parts == nil || len(m.parts) >= maxResolved {
			m.parts = make(map[Destination][]byte)
		}
		part = jsonscan.AppendQuoted([]byte(partMetadata), to.Database)
		part = jsonscan.AppendQuoted(append(part, partTable...), to.Table)
		part = append(part, partOp...)
		m.parts[to] = part
	}
	m.last, m.part = to, part
	return part
}

var errResponse = errors.New("route: the record ids alone exceed the response limit")

// fit counts the response's size and fails records until it is within the limit:
// what failed already loses its payload, which Firehose has itself; then the
// largest rows fail, so that as few as possible do.
func (b *batch) fit() error {
	b.size = len(partOpen) + len(partClose)
	for i := range b.items {
		it := &b.items[i]
		if it.out.Result == Ok && it.out.Destination.Mode != AppendOnly {
			it.meta = b.meta.of(it.out.Destination)
		}
		it.size = it.answerSize()
		b.size += it.size
	}
	limit := cmp.Or(b.f.MaxResponse, MaxResponse)
	for _, result := range [...]Result{ProcessingFailed, Ok} {
		if b.size <= limit {
			return nil
		}
		for _, i := range b.largest(result) {
			it := &b.items[i]
			if result == Ok {
				it.fail(TooLarge, nil)
			}
			it.bare = true
			was := it.size
			it.size = it.answerSize()
			b.size += it.size - was
			if b.size <= limit {
				return nil
			}
		}
	}
	if b.size <= limit {
		return nil
	}
	return errResponse
}

// largest returns the items of a result, largest answer first.
func (b *batch) largest(result Result) []int {
	var all []int
	for i := range b.items {
		if b.items[i].out.Result == result {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(i, j int) int { return cmp.Compare(b.items[j].size, b.items[i].size) })
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
	dst = append(append(dst, partResult...), it.out.Result...)
	switch {
	case it.out.Result == Ok:
		dst = append(dst, it.partPayload()...)
		dst = b.appendRow(dst, it.row)
		if it.meta != nil {
			dst = append(dst, it.meta...)
			return append(append(dst, it.out.Operation...), partOpEnd...)
		}
	case it.out.Result == ProcessingFailed && !it.bare:
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
		a := Answer{RecordID: it.record.RecordID, Result: it.out.Result}
		var payload []byte
		switch {
		case it.out.Result == Ok:
			payload = append(slices.Clone(it.row), '\n')
			if to := it.out.Destination; it.meta != nil {
				a.Metadata = &Metadata{OTFMetadata{to.Database, to.Table, it.out.Operation}}
			}
		case it.out.Result == ProcessingFailed && !it.bare:
			payload = slices.Clone(it.record.payload())
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
