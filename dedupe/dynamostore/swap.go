package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/rowdelta/rowdelta/dedupe"
)

// maxStatements is how many statements one BatchExecuteStatement takes.
const maxStatements = 25

var errZero = errors.New("a swap for the zero version")

// Swap implements [dedupe.Store]. It is one request for each 25 swaps. What the
// table throttles is sent again, alone.
func (s *Store) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	return s.fault(ctx, "swap in", s.swap(ctx, swaps))
}

func (s *Store) swap(ctx context.Context, swaps []dedupe.Swap) error {
	if err := s.usable(); err != nil {
		return err
	}
	for i := range swaps {
		if swaps[i].New.IsZero() {
			return errZero
		}
	}
	w := s.writer()
	return s.batches(ctx, len(swaps), maxStatements, func(ctx context.Context, from, to int) error {
		return s.execute(ctx, w, swaps[from:to])
	})
}

// execute makes the swaps of one batch. Which of them are lost is told by each
// statement's own result.
func (s *Store) execute(ctx context.Context, w *writer, swaps []dedupe.Swap) error {
	pending := make([]*dedupe.Swap, len(swaps))
	for i := range swaps {
		pending[i] = &swaps[i]
	}
	retry := s.retries()
	for {
		statements := make([]types.BatchStatementRequest, len(pending))
		for i, swap := range pending {
			statements[i] = w.statement(swap)
		}
		out, err := s.Client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: statements})
		left, cause := pending, err
		if err == nil {
			left, cause, err = settle(out, pending)
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

// settle sets Done of the swaps that an answer is about, and returns those that
// have to be sent again, and why.
func settle(out *dynamodb.BatchExecuteStatementOutput, pending []*dedupe.Swap) (left []*dedupe.Swap, cause, err error) {
	if out == nil || len(out.Responses) != len(pending) {
		return nil, nil, fmt.Errorf("%w: not a result for each statement", errAnswer)
	}
	for i, swap := range pending {
		fault := out.Responses[i].Error
		if fault == nil {
			swap.Done = true
			continue
		}
		switch fault.Code {
		case types.BatchStatementErrorCodeEnumConditionalCheckFailed, types.BatchStatementErrorCodeEnumDuplicateItem:
			// Also if an attempt whose answer was lost has made it: the caller loads the
			// mark and sees. Asking for the item that failed the condition would spare
			// that load, and bring the key into answers and into what logs them.
			swap.Done = false
		case types.BatchStatementErrorCodeEnumProvisionedThroughputExceeded, types.BatchStatementErrorCodeEnumThrottlingError,
			types.BatchStatementErrorCodeEnumRequestLimitExceeded, types.BatchStatementErrorCodeEnumInternalServerError,
			types.BatchStatementErrorCodeEnumTransactionConflict:
			left = append(left, swap)
			cause = statementError(fault)
		default:
			return nil, nil, statementError(fault)
		}
	}
	return left, cause, nil
}

// statementError makes an error of what is none in the client's types.
func statementError(fault *types.BatchStatementError) error {
	return &smithy.GenericAPIError{Code: string(fault.Code), Message: aws.ToString(fault.Message)}
}

// The statements. Names are quoted, since any word may become a keyword. With
// REMOVE, a mark that is raised without Keep stays, even if it was made with it.
const (
	insertMark     = `INSERT INTO "%s" VALUE {'row': ?, 'version': ?}`
	insertExpiring = `INSERT INTO "%s" VALUE {'row': ?, 'version': ?, 'expires': ?}`
	updateMark     = `UPDATE "%s" SET "version" = ? REMOVE "expires" WHERE "row" = ? AND "version" = ?`
	updateExpiring = `UPDATE "%s" SET "version" = ? SET "expires" = ? WHERE "row" = ? AND "version" = ?`
)

// A writer writes the statements of one call.
type writer struct {
	store          *Store
	now            time.Time
	insert, update string
}

func (s *Store) writer() *writer {
	insert, update := insertMark, updateMark
	if s.Keep > 0 {
		insert, update = insertExpiring, updateExpiring
	}
	return &writer{s, time.Now(), fmt.Sprintf(insert, s.Table), fmt.Sprintf(update, s.Table)}
}

func (w *writer) statement(swap *dedupe.Swap) types.BatchStatementRequest {
	row := binary(w.store.row(swap.Key))
	values := []types.AttributeValue{version(swap.New)}
	if w.store.Keep > 0 {
		values = append(values, w.store.expires(swap.New, w.now))
	}
	if swap.Old.IsZero() {
		return types.BatchStatementRequest{Statement: &w.insert, Parameters: append([]types.AttributeValue{row}, values...)}
	}
	return types.BatchStatementRequest{Statement: &w.update, Parameters: append(values, row, version(swap.Old))}
}
