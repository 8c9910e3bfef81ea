package dynamostore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
)

// definition is the table that the package's comment shows.
func definition() *types.TableDescription {
	return &types.TableDescription{
		TableStatus: types.TableStatusActive,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("other"), AttributeType: types.ScalarAttributeTypeS}, // of an index
			{AttributeName: aws.String("row"), AttributeType: types.ScalarAttributeTypeB},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("row"), KeyType: types.KeyTypeHash}},
	}
}

func expiryBy(attribute string, status types.TimeToLiveStatus) *types.TimeToLiveDescription {
	return &types.TimeToLiveDescription{AttributeName: &attribute, TimeToLiveStatus: status}
}

func TestCheck(t *testing.T) {
	cause := errors.New("as if")
	for name, c := range map[string]struct {
		spoil  func(*types.TableDescription)
		expiry *types.TimeToLiveDescription
		keep   time.Duration
		right  bool
	}{
		"as it should be": {right: true},
		"updating":        {right: true, spoil: func(d *types.TableDescription) { d.TableStatus = types.TableStatusUpdating }},
		"creating":        {spoil: func(d *types.TableDescription) { d.TableStatus = types.TableStatusCreating }},
		"deleting":        {spoil: func(d *types.TableDescription) { d.TableStatus = types.TableStatusDeleting }},
		"archived":        {spoil: func(d *types.TableDescription) { d.TableStatus = types.TableStatusArchived }},
		"another key":     {spoil: func(d *types.TableDescription) { d.KeySchema[0].AttributeName = aws.String("id") }},
		"a nameless key":  {spoil: func(d *types.TableDescription) { d.KeySchema[0].AttributeName = nil }},
		"a sort key":      {spoil: func(d *types.TableDescription) { d.KeySchema[0].KeyType = types.KeyTypeRange }},
		"no key":          {spoil: func(d *types.TableDescription) { d.KeySchema = nil }},
		"two keys": {spoil: func(d *types.TableDescription) {
			d.KeySchema = append(d.KeySchema, types.KeySchemaElement{AttributeName: aws.String("other"), KeyType: types.KeyTypeRange})
		}},
		"a text": {spoil: func(d *types.TableDescription) {
			d.AttributeDefinitions[0].AttributeType, d.AttributeDefinitions[1].AttributeType = types.ScalarAttributeTypeB, types.ScalarAttributeTypeS
		}},
		"an undefined key": {spoil: func(d *types.TableDescription) { d.AttributeDefinitions = d.AttributeDefinitions[:1] }},
		"replicas":         {spoil: func(d *types.TableDescription) { d.Replicas = make([]types.ReplicaDescription, 1) }},
		"eventual replicas": {spoil: func(d *types.TableDescription) {
			d.Replicas, d.MultiRegionConsistency = make([]types.ReplicaDescription, 2), types.MultiRegionConsistencyEventual
		}},
		"consistent replicas": {right: true, spoil: func(d *types.TableDescription) {
			d.Replicas, d.MultiRegionConsistency = make([]types.ReplicaDescription, 2), types.MultiRegionConsistencyStrong
		}},
		"expires":               {keep: 1, right: true, expiry: expiryBy("expires", types.TimeToLiveStatusEnabled)},
		"will expire":           {keep: 1, right: true, expiry: expiryBy("expires", types.TimeToLiveStatusEnabling)},
		"expires by another":    {keep: 1, expiry: expiryBy("version", types.TimeToLiveStatusEnabled)},
		"expires by nothing":    {keep: 1, expiry: &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusEnabled}},
		"expires no more":       {keep: 1, expiry: expiryBy("expires", types.TimeToLiveStatusDisabling)},
		"does not expire":       {keep: 1, expiry: expiryBy("expires", types.TimeToLiveStatusDisabled)},
		"says nothing":          {keep: 1},
		"expires without Keep":  {right: true, expiry: expiryBy("version", types.TimeToLiveStatusEnabled)},
		"expires and is broken": {keep: 1, spoil: func(d *types.TableDescription) { d.KeySchema = nil }, expiry: expiryBy("expires", types.TimeToLiveStatusEnabled)},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase()
			table := definition()
			if c.spoil != nil {
				c.spoil(table)
			}
			d.describes, d.expiry = []described{{table: table}}, c.expiry
			s := d.store()
			s.Keep = c.keep
			if err := s.Check(t.Context()); c.right && err != nil {
				t.Error(err)
			} else if !c.right {
				fails(t, err, dynamostore.ErrTable)
			}
			d.expiryErr = cause
			if err := s.Check(t.Context()); c.keep == 0 && c.right && err != nil {
				t.Error("it asked for what it does not need:", err)
			} else if c.keep > 0 && table.KeySchema != nil {
				fails(t, err, cause)
			}
			d.describes = []described{{err: cause}}
			fails(t, s.Check(t.Context()), cause)
		})
	}
	d := newDatabase()
	d.describes = []described{{}}
	fails(t, d.store().Check(t.Context()), dynamostore.ErrTable)
}

func TestCreateTable(t *testing.T) {
	gone := &types.ResourceNotFoundException{}
	creating := definition()
	creating.TableStatus = types.TableStatusCreating
	other := definition()
	other.KeySchema[0].AttributeName = aws.String("id")
	cause := errors.New("as if")
	for name, c := range map[string]struct {
		tables tables
		keep   time.Duration
		want   error // an error that is wrapped; nil for success
		asked  int   // for expiry
		takes  time.Duration
	}{
		"new":                     {tables: tables{describes: []described{{err: gone}, {table: creating}, {table: creating}, {table: definition()}}}, takes: 3 * time.Second},
		"there":                   {tables: tables{creation: &types.ResourceInUseException{}, describes: []described{{table: definition()}}}},
		"another one":             {tables: tables{creation: &types.ResourceInUseException{}, describes: []described{{table: other}}}, want: dynamostore.ErrTable},
		"another one that exists": {tables: tables{creation: &types.ResourceInUseException{}, describes: []described{{table: other}}}, keep: 1, want: dynamostore.ErrTable},
		"not allowed":             {tables: tables{creation: cause, describes: []described{{table: definition()}}}, want: cause},
		"blind":                   {tables: tables{describes: []described{{err: cause}}}, want: cause},
		"undescribed":             {tables: tables{describes: []described{{}}}, want: dynamostore.ErrTable},
		"never there":             {tables: tables{describes: []described{{table: creating}}}, want: dynamostore.ErrBusy, takes: 10 * time.Minute},
		"expiring":                {tables: tables{describes: []described{{table: definition()}}}, keep: 1, asked: 1},
		"to expire":               {tables: tables{describes: []described{{table: definition()}}, expiry: expiryBy("expires", types.TimeToLiveStatusDisabled)}, keep: 1, asked: 1},
		"expires already":         {tables: tables{describes: []described{{table: definition()}}, expiry: expiryBy("expires", types.TimeToLiveStatusEnabled)}, keep: 1},
		"expires by another":      {tables: tables{describes: []described{{table: definition()}}, expiry: expiryBy("version", types.TimeToLiveStatusEnabled)}, keep: 1, want: dynamostore.ErrTable},
		"expiry unknown":          {tables: tables{describes: []described{{table: definition()}}, expiryErr: cause}, keep: 1, want: cause},
		"expiry not allowed":      {tables: tables{describes: []described{{table: definition()}}, update: func() error { return cause }}, keep: 1, want: cause, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDatabase()
				d.tables = c.tables
				s := d.store()
				s.Keep = c.keep
				begin := time.Now()
				err := s.CreateTable(t.Context())
				if c.want == nil && err != nil {
					t.Fatal(err)
				}
				if c.want != nil {
					fails(t, err, c.want)
				}
				if took := time.Since(begin); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
				want := []*dynamodb.CreateTableInput{{
					TableName:            aws.String(tableName),
					BillingMode:          types.BillingModePayPerRequest,
					AttributeDefinitions: definition().AttributeDefinitions[1:],
					KeySchema:            definition().KeySchema,
				}}
				if diff := cmp.Diff(want, d.created, cmpopts.IgnoreUnexported(dynamodb.CreateTableInput{}, types.AttributeDefinition{}, types.KeySchemaElement{})); diff != "" {
					t.Error(diff)
				}
				if len(d.expiries) != c.asked {
					t.Errorf("asked %d times for expiry, want %d", len(d.expiries), c.asked)
				}
				for _, in := range d.expiries {
					if *in.TableName != tableName || *in.TimeToLiveSpecification.AttributeName != "expires" || !*in.TimeToLiveSpecification.Enabled {
						t.Errorf("asked for %+v", in.TimeToLiveSpecification)
					}
				}
			})
		})
	}
}

// TestCreateTableAtOnce has another process turn on expiry first.
func TestCreateTableAtOnce(t *testing.T) {
	cause := errors.New("TimeToLive is already enabled")
	for attribute, right := range map[string]bool{"expires": true, "version": false} {
		d := newDatabase()
		d.describes = []described{{table: definition()}}
		d.update = func() error {
			d.expiry = expiryBy(attribute, types.TimeToLiveStatusEnabling)
			return cause
		}
		s := d.store()
		s.Keep = time.Hour
		if err := s.CreateTable(t.Context()); right && err != nil {
			t.Error(err)
		} else if !right {
			fails(t, err, cause)
		}
	}
}

// TestCreateTableEnds has the context end before and while it waits.
func TestCreateTableEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		creating := definition()
		creating.TableStatus = types.TableStatusCreating
		for _, limit := range []time.Duration{0, 90500 * time.Millisecond} {
			d := newDatabase()
			d.describes = []described{{table: creating}}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			begin := time.Now()
			fails(t, d.store().CreateTable(ctx), context.DeadlineExceeded)
			if took := time.Since(begin); took != limit {
				t.Errorf("it ended after %v", took)
			}
			cancel()
		}
	})
}
