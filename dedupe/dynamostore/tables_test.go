package dynamostore_test

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tables are the answers of a database to requests about its table, and what was
// asked.
type tables struct {
	created  []*dynamodb.CreateTableInput
	expiries []*dynamodb.UpdateTimeToLiveInput

	creation  error
	describes []described // one for each request, the last again and again
	expiry    *types.TimeToLiveDescription
	expiryErr error
	update    func() error
}

type described struct {
	table *types.TableDescription
	err   error
}

func (t *tables) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.created = append(t.created, in)
	return &dynamodb.CreateTableOutput{}, t.creation
}

func (t *tables) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := t.describes[0]
	if len(t.describes) > 1 {
		t.describes = t.describes[1:]
	}
	return &dynamodb.DescribeTableOutput{Table: d.table}, d.err
}

func (t *tables) DescribeTimeToLive(ctx context.Context, in *dynamodb.DescribeTimeToLiveInput, _ ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: t.expiry}, t.expiryErr
}

func (t *tables) UpdateTimeToLive(ctx context.Context, in *dynamodb.UpdateTimeToLiveInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.expiries = append(t.expiries, in)
	if t.update != nil {
		if err := t.update(); err != nil {
			return nil, err
		}
	}
	t.expiry = &types.TimeToLiveDescription{AttributeName: in.TimeToLiveSpecification.AttributeName, TimeToLiveStatus: types.TimeToLiveStatusEnabling}
	return &dynamodb.UpdateTimeToLiveOutput{}, nil
}
