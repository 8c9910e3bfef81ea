package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// An item is what a table holds: the attributes, in the notation of text.
type item map[string]string

// text writes an attribute as its type and its bytes or digits.
func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberB:
		return "B" + string(v.Value)
	case *types.AttributeValueMemberN:
		return "N" + v.Value
	case *types.AttributeValueMemberS:
		return "S" + v.Value
	}
	return "?"
}

func value(text string) types.AttributeValue {
	switch rest := text[1:]; text[0] {
	case 'B':
		return &types.AttributeValueMemberB{Value: []byte(rest)}
	case 'N':
		return &types.AttributeValueMemberN{Value: rest}
	default:
		return &types.AttributeValueMemberS{Value: rest}
	}
}

func values(i item) map[string]types.AttributeValue {
	out := map[string]types.AttributeValue{}
	for name, t := range i {
		out[name] = value(t)
	}
	return out
}

// A database is a DynamoDB in this process, with one table that has the binary
// partition key row. It has the service's limits, refuses what the service
// refuses, and answers in the words of DynamoDB Local.
type database struct {
	table string

	// refuse may answer in the database's place, lose instead of it when it has
	// done what it was asked for. n counts the requests of a kind from 1.
	refuse, lose func(call string, n int) error
	// leave tells whether a key is left unprocessed, code what is reported instead
	// of a statement's result. A code of InternalServerError and spoiled is reported
	// although the statement was done.
	leave   func(n, i int) bool
	code    func(n, i int) types.BatchStatementErrorCodeEnum
	spoiled bool
	// during is called while a request is under way.
	during func()
	// gets and executes may change answers.
	gets     func(out *dynamodb.BatchGetItemOutput) *dynamodb.BatchGetItemOutput
	executes func(out *dynamodb.BatchExecuteStatementOutput) *dynamodb.BatchExecuteStatementOutput

	tables // what CreateTable and its like work on

	mu       sync.Mutex
	items    map[string]item // by row
	before   map[string]item // what a read that is not consistent may see
	requests []string        // "get 100", "execute 25"
	counts   map[string]int
}

func newDatabase() *database {
	return &database{table: tableName, items: map[string]item{}, before: map[string]item{}, counts: map[string]int{}}
}

const tableName = "cdc-marks_1.test"

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

// request counts a request and runs it.
func (d *database) request(ctx context.Context, call string, size int, run func(n int) error) error {
	d.mu.Lock()
	d.counts[call]++
	n := d.counts[call]
	d.requests = append(d.requests, fmt.Sprint(call, " ", size))
	d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return wrap(call, &smithy.CanceledError{Err: err})
	}
	if d.during != nil {
		d.during()
	}
	if d.refuse != nil {
		if err := d.refuse(call, n); err != nil {
			return wrap(call, err)
		}
	}
	d.mu.Lock()
	err := run(n)
	d.mu.Unlock()
	if err == nil && d.lose != nil {
		err = d.lose(call, n)
	}
	return wrap(call, err)
}

func wrap(call string, err error) error {
	if err == nil {
		return nil
	}
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: call, Err: err}
}

// sent returns the requests since the last time.
func (d *database) sent() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := strings.Join(d.requests, ", ")
	d.requests = nil
	return out
}

func (d *database) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
	request, ok := in.RequestItems[d.table]
	err := d.request(ctx, "get", len(request.Keys), func(n int) error {
		switch {
		case !ok || len(in.RequestItems) != 1:
			return &types.ResourceNotFoundException{Message: aws.String("Cannot do operations on a non-existent table")}
		case len(request.Keys) == 0 || len(request.Keys) > 100:
			return invalid("Too many items requested for the BatchGetItem call")
		}
		from := d.before
		if aws.ToBool(request.ConsistentRead) {
			from = d.items
		}
		items := []map[string]types.AttributeValue{}
		var left types.KeysAndAttributes
		seen := map[string]bool{}
		for i, key := range request.Keys {
			row, err := d.key(key["row"])
			if err != nil || len(key) != 1 {
				return invalid("The provided key element does not match the schema")
			}
			if seen[row] {
				return invalid("Provided list of item keys contains duplicates")
			}
			seen[row] = true
			if d.leave != nil && d.leave(n, i) {
				left.Keys = append(left.Keys, map[string]types.AttributeValue{"row": value("B" + row)})
			} else if got, ok := from[row]; ok {
				items = append(items, values(got))
			}
		}
		slices.Reverse(items) // in no order
		out.Responses[d.table] = items
		if left.Keys != nil {
			left.ConsistentRead = request.ConsistentRead
			out.UnprocessedKeys = map[string]types.KeysAndAttributes{d.table: left}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.gets != nil {
		out = d.gets(out)
	}
	return out, nil
}

// key returns the bytes of a partition key.
func (d *database) key(v types.AttributeValue) (string, error) {
	b, ok := v.(*types.AttributeValueMemberB)
	switch {
	case !ok:
		return "", errors.New("Key attribute's data type should match its data type in table's schema: Key row")
	case len(b.Value) == 0:
		return "", errors.New("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: row")
	case len(b.Value) > 2048:
		return "", errors.New("Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes")
	}
	return string(b.Value), nil
}

func (d *database) BatchExecuteStatement(ctx context.Context, in *dynamodb.BatchExecuteStatementInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchExecuteStatementOutput, error) {
	out := &dynamodb.BatchExecuteStatementOutput{}
	err := d.request(ctx, "execute", len(in.Statements), func(n int) error {
		if len(in.Statements) == 0 || len(in.Statements) > 25 {
			return invalid("BatchWriteItem cannot write more than 25 items")
		}
		parsed := make([]statement, len(in.Statements))
		seen := map[string]bool{}
		for i, request := range in.Statements {
			parsed[i] = parse(request)
			if row := text(parsed[i].where["row"]); seen[row] {
				return invalid("Provided list of item keys contains duplicates")
			} else {
				seen[row] = true
			}
		}
		for i := range parsed {
			var fault *types.BatchStatementError
			code := types.BatchStatementErrorCodeEnum("")
			if d.code != nil {
				code = d.code(n, i)
			}
			if code == "" || d.spoiled {
				fault = d.execute(&parsed[i])
			}
			if code != "" {
				fault = &types.BatchStatementError{Code: code, Message: aws.String("as if")}
			}
			out.Responses = append(out.Responses, types.BatchStatementResponse{Error: fault, TableName: &d.table})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.executes != nil {
		out = d.executes(out)
	}
	return out, nil
}

// A statement is one of PartiQL's, as far as there are any here.
type statement struct {
	fault  string
	insert bool
	table  string
	set    map[string]types.AttributeValue
	remove []string
	where  map[string]types.AttributeValue
}

var (
	insertForm = regexp.MustCompile(`^INSERT INTO "([^"]*)" VALUE \{((?:'\w+': \?(?:, )?)+)\}$`)
	updateForm = regexp.MustCompile(`^UPDATE "([^"]*)"((?: SET "\w+" = \?)*)((?: REMOVE "\w+")*) WHERE ("\w+" = \?(?: AND "\w+" = \?)*)$`)
	word       = regexp.MustCompile(`['"](\w+)['"]`)
)

func parse(in types.BatchStatementRequest) statement {
	params := in.Parameters
	bind := func(names string) map[string]types.AttributeValue {
		out := map[string]types.AttributeValue{}
		for _, m := range word.FindAllStringSubmatch(names, -1) {
			if len(params) == 0 {
				return nil
			}
			out[m[1]], params = params[0], params[1:]
		}
		return out
	}
	var s statement
	if m := insertForm.FindStringSubmatch(aws.ToString(in.Statement)); m != nil {
		s = statement{insert: true, table: m[1], set: bind(m[2])}
		s.where = map[string]types.AttributeValue{"row": s.set["row"]}
	} else if m := updateForm.FindStringSubmatch(aws.ToString(in.Statement)); m != nil {
		s = statement{table: m[1], set: bind(m[2])}
		for _, w := range word.FindAllStringSubmatch(m[3], -1) {
			s.remove = append(s.remove, w[1])
		}
		s.where = bind(m[4])
	} else {
		s.fault = "Statement wasn't well formed, can't be processed"
	}
	if s.fault == "" && (len(params) > 0 || s.set == nil || s.where == nil) {
		s.fault = "Number of parameters in request and statement don't match."
	}
	return s
}

// execute does a statement: an insert if there is no such row, an update if the
// row is as its where wants it.
func (d *database) execute(s *statement) *types.BatchStatementError {
	fault := func(code types.BatchStatementErrorCodeEnum, message string) *types.BatchStatementError {
		return &types.BatchStatementError{Code: code, Message: &message}
	}
	row, err := d.key(s.where["row"])
	switch {
	case s.fault != "":
		return fault("ValidationError", s.fault)
	case s.table != d.table:
		return fault("ResourceNotFound", "Cannot do operations on a non-existent table")
	case err != nil:
		return fault("ValidationError", err.Error())
	}
	now, exists := d.items[row]
	next := maps.Clone(now)
	if s.insert {
		if exists {
			return fault("DuplicateItem", "Duplicate primary key exists in table")
		}
		next = item{}
	} else {
		for name, v := range s.where {
			if !exists || now[name] != text(v) {
				return fault("ConditionalCheckFailed", "The conditional request failed")
			}
		}
	}
	for name, v := range s.set {
		next[name] = text(v)
	}
	for _, name := range s.remove {
		delete(next, name)
	}
	if d.before[row] = now; !exists {
		delete(d.before, row)
	}
	d.items[row] = next
	return nil
}
