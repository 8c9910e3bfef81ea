//go:build servers

package servers

import (
	"slices"
	"strings"
	"testing"
)

// call is a request that must succeed.
func (d *Dynamo) call(t *testing.T, operation string, in, out any) {
	t.Helper()
	if err := d.Request(t.Context(), operation, in, out); err != nil {
		t.Fatal(err)
	}
}

// create makes a table with a binary key.
func (d *Dynamo) create(t *testing.T, table string) {
	t.Helper()
	d.call(t, "CreateTable", map[string]any{
		"TableName": table, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []any{map[string]any{"AttributeName": "k", "AttributeType": "B"}},
		"KeySchema":            []any{map[string]any{"AttributeName": "k", "KeyType": "HASH"}},
	}, nil)
}

func (d *Dynamo) tables(t *testing.T) []string {
	t.Helper()
	var answer struct{ TableNames []string }
	d.call(t, "ListTables", map[string]any{}, &answer)
	return answer.TableNames
}

// run executes PartiQL statements, each with the key k, and returns their errors.
func (d *Dynamo) run(t *testing.T, statements ...string) (codes []string) {
	t.Helper()
	var batch []any
	for i, s := range statements {
		batch = append(batch, map[string]any{"Statement": s, "Parameters": []any{map[string]any{"B": []byte{byte(i)}}}})
	}
	var answer struct {
		Responses []struct{ Error struct{ Code string } }
	}
	d.call(t, "BatchExecuteStatement", map[string]any{"Statements": batch}, &answer)
	for _, r := range answer.Responses {
		codes = append(codes, r.Error.Code)
	}
	return codes
}

func TestDynamo(t *testing.T) {
	const (
		insert = `INSERT INTO "marks" VALUE {'k': ?, 'v': 1}`
		update = `UPDATE "marks" SET "v" = 2 WHERE "k" = ? AND "v" = 1`
		exists = "DuplicateItem"
		failed = "ConditionalCheckFailed"
	)
	expect := func(d *Dynamo, when string, want []string, statements ...string) {
		t.Helper()
		if got := d.run(t, statements...); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	memory, disk := StartDynamo(t), StartDynamoOnDisk(t)
	if memory.Endpoint() == disk.Endpoint() {
		t.Fatal("two servers with one address")
	}
	for _, d := range []*Dynamo{memory, disk} {
		if got := d.tables(t); len(got) > 0 {
			t.Error("a new server has the tables", got)
		}
		d.create(t, "marks")
		expect(d, "new", []string{"", failed}, insert, update)
		expect(d, "there", []string{exists, failed}, insert, update)
		expect(d, "update", []string{""}, update)
	}
	memory.Kill()
	memory.Restart()
	if got := memory.tables(t); len(got) > 0 {
		t.Error("memory outlives the process:", got)
	}
	for when, end := range map[string]func(){"killed": disk.Kill, "stopped": disk.Stop} {
		end()
		disk.Restart()
		expect(disk, when, []string{exists, failed}, insert, update)
		expect(disk, when, []string{failed}, update)
	}
	err := disk.Request(t.Context(), "DescribeTable", map[string]any{"TableName": "other"}, nil)
	if err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Error("a table that is not there:", err)
	}
}
