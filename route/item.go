package route

import (
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// An item is one record of a batch and what becomes of it. A batch has thousands
// and goes over them several times, so an item is kept small; an Outcome is made
// of it when somebody asks.
type item struct {
	raw       rawRecord // of a typed event only the id and the payload's name
	row       []byte    // what to send, if Ok
	to        *place    // nil unless the record was routed
	table     envelope.Table
	err       error
	encoded   int // size of the payload that came in, in base64
	op        envelope.Op
	result    result
	operation operation
	reason    Reason
	bare      bool // answered without a payload
}

type result uint8

const (
	resultOk result = iota
	resultDropped
	resultFailed
)

var results = [...]Result{resultOk: Ok, resultDropped: Dropped, resultFailed: ProcessingFailed}

type operation uint8

const (
	operationNone operation = iota
	operationInsert
	operationUpdate
	operationDelete
)

var operations = [...]Operation{operationNone: "", operationInsert: OperationInsert, operationUpdate: OperationUpdate, operationDelete: OperationDelete}

func (it *item) fail(why Reason, err error) {
	it.result, it.reason, it.err = resultFailed, why, err
	it.row = nil
}

func (it *item) drop(why Reason) {
	it.result, it.reason = resultDropped, why
	it.row = nil
}

func (it *item) outcome() Outcome {
	out := Outcome{
		RecordID: it.raw.id[1 : len(it.raw.id)-1],
		Table:    it.table,
		Op:       it.op,
		Result:   results[it.result],
		Reason:   it.reason,
		Err:      it.err,
	}
	if it.to != nil {
		out.Destination = it.to.Destination
	}
	if it.result == resultOk {
		out.Operation = operations[it.operation]
	}
	return out
}

// A place is a destination with the metadata that leads there.
type place struct {
	Destination
	metadata []byte // up to the operation; nil if append-only
}

// places keeps the destinations that were met.
type places struct {
	last  *place
	known map[Destination]*place
}

func (p *places) of(to Destination) *place {
	if p.last != nil && p.last.Destination == to {
		return p.last
	}
	found := p.known[to]
	if found == nil {
		if p.known == nil || len(p.known) >= maxResolved {
			p.known = make(map[Destination]*place)
		}
		found = &place{Destination: to}
		if to.Mode != AppendOnly {
			found.metadata = jsonscan.AppendQuoted([]byte(partMetadata), to.Database)
			found.metadata = jsonscan.AppendQuoted(append(found.metadata, partTable...), to.Table)
			found.metadata = append(found.metadata, partOp...)
		}
		p.known[to] = found
	}
	p.last = found
	return found
}
