package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// How often CreateTable looks for a table that is being made, and how long it
// waits in between.
const (
	createLooks = 600
	createPause = time.Second
)

// CreateTable makes the table of the package's comment, billed on demand, unless
// there is one of that name, and turns on its expiry if Keep is set. It returns
// when the table can be used and is as [Store.Check] wants it, or an error. It
// may be called by several processes at once.
//
// The table has neither backups nor protection against deletion.
func (s *Store) CreateTable(ctx context.Context) error {
	return s.fault(ctx, "create", s.create(ctx))
}

func (s *Store) create(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	_, err := s.Client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &s.Table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: new(rowName), AttributeType: types.ScalarAttributeTypeB}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: new(rowName), KeyType: types.KeyTypeHash}},
	})
	if _, exists := errors.AsType[*types.ResourceInUseException](err); err != nil && !exists {
		return err
	}
	table, err := s.made(ctx)
	if err != nil {
		return err
	}
	if err := judge(table); err != nil || s.Keep <= 0 {
		return err
	}
	attribute, err := s.expiry(ctx)
	if err != nil || attribute != "" {
		return judgeExpiry(attribute, err)
	}
	_, err = s.Client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &s.Table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: new(expiresName), Enabled: new(true)},
	})
	if err != nil { // perhaps another process was first
		if again, e := s.expiry(ctx); e == nil && again == expiresName {
			return nil
		}
	}
	return err
}

// made waits for a table that is being made. Not the client's waiter: near its
// limit it asks without any pause.
func (s *Store) made(ctx context.Context) (*types.TableDescription, error) {
	for range createLooks {
		out, err := s.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.Table})
		// Another server than the one that made it need not know of it yet.
		_, absent := errors.AsType[*types.ResourceNotFoundException](err)
		switch {
		case absent:
		case err != nil:
			return nil, err
		case out.Table == nil || out.Table.TableStatus != types.TableStatusCreating:
			return out.Table, nil
		}
		if err := sleep(ctx, createPause); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: it is still being made", ErrBusy)
}

// Check returns an error that wraps [ErrTable] if the table cannot hold marks or
// would lose them: its partition key is another one, or it has a sort key; it is
// not in service; it is a global table whose replicas follow each other only
// eventually; Keep is set and the table does not expire items by it.
func (s *Store) Check(ctx context.Context) error {
	return s.fault(ctx, "check", s.check(ctx))
}

func (s *Store) check(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	out, err := s.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.Table})
	if err != nil {
		return err
	}
	if err := judge(out.Table); err != nil || s.Keep <= 0 {
		return err
	}
	return judgeExpiry(s.expiry(ctx))
}

func judge(table *types.TableDescription) error {
	if table == nil {
		return fmt.Errorf("%w: no description", ErrTable)
	}
	if status := table.TableStatus; status != types.TableStatusActive && status != types.TableStatusUpdating {
		return fmt.Errorf("%w: its status is %q", ErrTable, status)
	}
	if len(table.KeySchema) != 1 || aws.ToString(table.KeySchema[0].AttributeName) != rowName || table.KeySchema[0].KeyType != types.KeyTypeHash {
		return fmt.Errorf("%w: its key is not the partition key %s alone", ErrTable, rowName)
	}
	if !slices.ContainsFunc(table.AttributeDefinitions, func(a types.AttributeDefinition) bool {
		return aws.ToString(a.AttributeName) == rowName && a.AttributeType == types.ScalarAttributeTypeB
	}) {
		return fmt.Errorf("%w: its key is not binary", ErrTable)
	}
	if len(table.Replicas) > 0 && table.MultiRegionConsistency != types.MultiRegionConsistencyStrong {
		return fmt.Errorf("%w: its replicas are eventually consistent", ErrTable)
	}
	return nil
}

// expiry returns the attribute by which the table expires items, or "" for none.
func (s *Store) expiry(ctx context.Context) (string, error) {
	out, err := s.Client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &s.Table})
	if err != nil {
		return "", err
	}
	d := out.TimeToLiveDescription
	if d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return "", nil
	}
	return aws.ToString(d.AttributeName), nil
}

func judgeExpiry(attribute string, err error) error {
	switch {
	case err != nil:
		return err
	case attribute == "":
		return fmt.Errorf("%w: Keep is set, and it expires no items", ErrTable)
	case attribute != expiresName:
		return fmt.Errorf("%w: it expires items by another attribute than %s", ErrTable, expiresName)
	}
	return nil
}
