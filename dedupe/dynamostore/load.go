package dynamostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rowdelta/rowdelta/envelope"
)

// maxGets is how many keys one BatchGetItem takes.
const maxGets = 100

var (
	errArguments   = errors.New("keys and versions of different lengths")
	errUnprocessed = errors.New("keys were left unprocessed")
	errAnswer      = errors.New("not an answer to the request")
)

// Load implements [dedupe.Store]. It is one request for each 100 different
// keys, strongly consistent. What the table does not process is asked for again.
func (s *Store) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	return s.fault(ctx, "load from", s.load(ctx, keys, versions))
}

func (s *Store) load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	if err := s.usable(); err != nil {
		return err
	}
	if len(keys) != len(versions) {
		return errArguments
	}
	l := &loading{store: s, number: make(map[string]int, len(keys))}
	of := make([]int, len(keys))
	for i, key := range keys {
		of[i] = l.add(s.row(key))
	}
	l.marks = make([]envelope.Version, len(l.rows))
	if err := s.batches(ctx, len(l.rows), maxGets, l.get); err != nil {
		return err
	}
	for i, n := range of {
		versions[i] = l.marks[n]
	}
	return nil
}

// loading is one call of Load. BatchGetItem refuses a key that is there twice,
// so that each row has one number.
type loading struct {
	store  *Store
	number map[string]int
	rows   [][]byte
	marks  []envelope.Version
}

func (l *loading) add(row []byte) int {
	n, ok := l.number[string(row)]
	if !ok {
		n = len(l.rows)
		l.rows = append(l.rows, row)
		l.number[string(row)] = n
	}
	return n
}

// get loads the marks of the rows from from up to to.
func (l *loading) get(ctx context.Context, from, to int) error {
	var pending []int
	for n := from; n < to; n++ {
		pending = append(pending, n)
	}
	retry := l.store.retries()
	for {
		out, err := l.store.Client.BatchGetItem(ctx, l.request(pending))
		left, cause := pending, err
		if err == nil {
			left, err = l.take(out, from, to)
			cause = errUnprocessed
		}
		switch {
		case err != nil && !throttled(err):
			return err
		case len(left) == 0:
			return nil
		}
		if err := retry.wait(ctx, len(left) < len(pending), cause); err != nil {
			return err
		}
		pending = left
	}
}

func (l *loading) request(pending []int) *dynamodb.BatchGetItemInput {
	keys := make([]map[string]types.AttributeValue, len(pending))
	for i, n := range pending {
		keys[i] = map[string]types.AttributeValue{rowName: binary(l.rows[n])}
	}
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		l.store.Table: {Keys: keys, ConsistentRead: new(true)},
	}}
}

// take sets the marks that an answer has and returns the rows that it leaves for
// another request. It trusts no answer that is odd: what is neither found nor
// left has no mark, and an older change would be let in.
func (l *loading) take(out *dynamodb.BatchGetItemOutput, from, to int) (left []int, err error) {
	if out == nil || out.Responses == nil && len(out.UnprocessedKeys) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errAnswer)
	}
	for table, items := range out.Responses {
		if table != l.store.Table {
			return nil, fmt.Errorf("%w: it is of another table", errAnswer)
		}
		for _, item := range items {
			n, err := l.find(item, from, to)
			if err != nil {
				return nil, err
			}
			if l.marks[n], err = markOf(item); err != nil {
				return nil, err
			}
		}
	}
	for table, unprocessed := range out.UnprocessedKeys {
		if table != l.store.Table {
			return nil, fmt.Errorf("%w: it is of another table", errAnswer)
		}
		for _, item := range unprocessed.Keys {
			n, err := l.find(item, from, to)
			if err != nil {
				return nil, err
			}
			left = append(left, n)
		}
	}
	return left, nil
}

// find returns the number of an item's row, which must be one of those asked for.
func (l *loading) find(item map[string]types.AttributeValue, from, to int) (int, error) {
	row, err := rowOf(item)
	if err != nil {
		return 0, err
	}
	n, ok := l.number[row]
	if !ok || n < from || n >= to {
		return 0, fmt.Errorf("%w: it has another key", errAnswer)
	}
	return n, nil
}
