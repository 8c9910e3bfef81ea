package dsql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

var ctx = context.Background()

func checksum(text string) uint32 {
	return crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli))
}

// fragment returns the record of one fragment.
func fragment(id string, index int, data string) []byte {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"type":"fragment","chunk_id":%q,"index":%d,"data":%s}`, id, index, b)
}

// fragments cuts an image into so many pieces and returns their records.
func fragments(id, image string, total int) (out [][]byte) {
	for i := range total {
		out = append(out, fragment(id, i, image[len(image)*i/total:len(image)*(i+1)/total]))
	}
	return out
}

// described returns what a main record says of an image.
func described(id, image string, total int) string {
	return fmt.Sprintf(`{"chunk_id":%q,"total_fragments":%d,"crc32c":"%d"}`, id, total, checksum(image))
}

// main returns a main record with what it says of its images.
func mainRecord(chunked string) []byte {
	return fmt.Appendf(nil, `{"type":"chunked","op":"u","before":null,"after":null,%s,"chunked":{%s},%s`, source, chunked, processed)
}

// A feed adds records to shards with sequence numbers of their own.
type feed struct {
	t *testing.T
	r *dsql.Reassembler
	n map[string]int
}

func newFeed(t *testing.T, r *dsql.Reassembler) *feed { return &feed{t, r, map[string]int{}} }

func sequence(n int) string { return fmt.Sprint(n) }

// try adds a record to the end of a shard.
func (f *feed) try(shard string, data []byte) ([]byte, error) {
	f.n[shard]++
	return f.again(shard, f.n[shard], data)
}

// again adds a record that has a place already.
func (f *feed) again(shard string, n int, data []byte) ([]byte, error) {
	return f.r.Add(ctx, dsql.Record{Shard: shard, Sequence: sequence(n), Arrival: time.Unix(int64(n), 0), Data: data})
}

// add adds a record that must be taken and returns what it completes.
func (f *feed) add(shard string, data []byte) []byte {
	f.t.Helper()
	out, err := f.try(shard, data)
	require.NoError(f.t, err)
	return out
}

// fails adds a record that must give an error over the cause.
func (f *feed) fails(shard string, data []byte, cause error) *dsql.PartError {
	f.t.Helper()
	out, err := f.try(shard, data)
	require.ErrorIs(f.t, err, cause)
	require.Nil(f.t, out)
	var fault *dsql.PartError
	require.ErrorAs(f.t, err, &fault)
	require.True(f.t, envelope.IsPermanent(err))
	return fault
}

func (f *feed) commit() {
	f.t.Helper()
	require.NoError(f.t, f.r.Commit(ctx, func([]dsql.Floor) error { return nil }))
}

// floors returns the floors, as in "a@3 b+5 c+9." for with 3, behind 5, and the end behind 9.
func (f *feed) floors() string {
	var out []string
	for _, floor := range f.r.Floors() {
		how, end := "@", ""
		if floor.After {
			how = "+"
		}
		if floor.End {
			end = "."
		}
		out = append(out, floor.Shard+how+floor.Sequence+end)
	}
	return strings.Join(out, " ")
}

func decode(t *testing.T, record []byte) envelope.Change {
	t.Helper()
	require.NotNil(t, record)
	require.True(t, json.Valid(record))
	var c envelope.Change
	require.NoError(t, new(dsql.Decoder).Decode(&c, record))
	return c.Clone()
}
