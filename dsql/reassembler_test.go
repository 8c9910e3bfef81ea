package dsql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

const image = `{"id":1,"body":"one \"two\" é \\n {[ three","n":[{"}":"]"}]}`

func TestWholeRecordsPass(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	for _, tt := range records[:11] {
		in := []byte(tt.in)
		out := f.add("a", in)
		require.NotNil(t, out)
		assert.Same(t, &in[0], &out[0], tt.name)
	}
	_, err := f.try("a", []byte(`{"type":`))
	assert.ErrorIs(t, err, envelope.ErrSyntax)
	_, err = f.try("a", []byte(`{"type":"new"}`))
	assert.ErrorIs(t, err, envelope.ErrType)
	assert.Equal(t, "a@1", f.floors())
	f.commit()
	assert.Equal(t, "a+13", f.floors())
}

// Fragments before, after and around their main record, in any order.
func TestJoin(t *testing.T) {
	const total = 4
	main := mainRecord(`"after":` + described("x", image, total))
	parts := append(fragments("x", image, total), main)
	for _, order := range permutations(len(parts)) {
		f := newFeed(t, new(dsql.Reassembler))
		for i, p := range order {
			out := f.add([]string{"a", "b", "c"}[p%3], parts[p])
			if i < len(order)-1 {
				require.Nil(t, out)
				continue
			}
			c := decode(t, out)
			require.Equal(t, image, string(c.After))
			require.Nil(t, c.Before)
			require.Equal(t, envelope.OpUpdate, c.Op)
			require.Equal(t, int64(1705318200000000001), c.Time)
			require.Equal(t, `{"type":"full","op":"u","before":null,"after":`+image+`,`+source+`,"chunked":null,`+processed, string(out))
		}
		require.Empty(t, f.r.Pending())
	}
}

func permutations(n int) (out [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, p := range permutations(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return out
}

// The main record, however it is written: images null, absent or in another
// order, one split or both, the other whole.
func TestMainRecordForms(t *testing.T) {
	const before = `{"id":1}`
	a, b := described("a", image, 2), described("b", before, 3)
	for _, tt := range []struct{ main, before, after string }{
		{`{"type":"chunked","op":"u",` + source + `,"chunked":{"after":` + a + `,"before":` + b + `}}`, before, image},
		{`{"type":"chunked","op":"u","before":null,"after":null,` + source + `,"chunked":{"after":` + a + `,"before":` + b + `}}`, before, image},
		{`{"chunked":{"before":` + b + `,"after":` + a + `},"after":null,` + source + `,"op":"u","type":"chunked"}`, before, image},
		{` { "chunked" : {"before":` + b + `} , "after" : {"x":1} ,` + source + `,"op":"u", "type" : "chunked" } `, before, `{"x":1}`},
		{`{"after":null,"type":"chunked","op":"u","before":{"y":1},"chunked":{"after":` + a + `,"before":null},` + source + `}`, `{"y":1}`, image},
		{`{"type":"chunked","op":"d",` + source + `,"chunked":{"before":` + b + `}}`, before, ``},
		{`{"t\u0079pe":"chunked","op":"u","aft\u0065r":null,` + source + `,"chunked":{"aft\u0065r":{"total_fragments":"2","crc32c":` + fmt.Sprint(checksum(image)) + `,"chunk_id":"\u0061"}}}`, ``, image},
	} {
		f := newFeed(t, new(dsql.Reassembler))
		var out []byte
		for _, part := range append(append(fragments("a", image, 2), []byte(tt.main)), fragments("b", before, 3)...) {
			if joined := f.add("s", part); joined != nil {
				require.Nil(t, out, "twice")
				out = slices.Clone(joined)
			}
		}
		c := decode(t, out)
		assert.Equal(t, tt.before, string(c.Before), tt.main)
		assert.Equal(t, tt.after, string(c.After), tt.main)
	}
}

// What a stream can get wrong, and that the rest goes on.
func TestFaults(t *testing.T) {
	good := mainRecord(`"after":` + described("x", image, 3))
	pieces := fragments("x", image, 3)
	for _, tt := range []struct {
		name  string
		in    []byte
		cause error
		path  string
		lost  bool // the image cannot be completed any more
	}{
		{"conflicting fragment", fragment("x", 1, "other"), dsql.ErrConflict, "/data", false},
		{"index out of range", fragment("x", 3, "more"), dsql.ErrRange, "/index", false},
		{"index far out of range", fragment("x", 1<<30, "more"), dsql.ErrRange, "/index", false},
		{"total changes", mainRecord(`"after":` + described("x", image, 4)), dsql.ErrConflict, "/chunked", false},
		{"checksum changes", mainRecord(`"after":` + described("x", "{}", 3)), dsql.ErrConflict, "/chunked", false},
		{"other image", mainRecord(`"before":` + described("x", image, 3)), dsql.ErrConflict, "/chunked", false},
		{"more images", mainRecord(`"after":` + described("x", image, 3) + `,"before":` + described("y", image, 3)), dsql.ErrConflict, "/chunked", false},
		{"other op", []byte(strings.Replace(string(good), `"op":"u"`, `"op":"c"`, 1)), dsql.ErrConflict, "/chunked", false},
		{"other time", []byte(strings.Replace(string(good), `000001,`, `000002,`, 1)), dsql.ErrConflict, "/chunked", false},
		{"no chunk ID", []byte(`{"type":"fragment","index":0,"data":""}`), envelope.ErrMissing, "/chunk_id", false},
		{"empty chunk ID", fragment("", 0, "x"), envelope.ErrMissing, "/chunk_id", false},
		{"long chunk ID", fragment(strings.Repeat("x", 257), 0, "x"), envelope.ErrLimit, "/chunk_id", false},
		{"very long chunk ID", fragment(strings.Repeat("x", 2570), 0, "x"), envelope.ErrLimit, "/chunk_id", false},
		{"chunk ID a number", []byte(`{"type":"fragment","chunk_id":1,"index":0,"data":""}`), envelope.ErrType, "/chunk_id", false},
		{"no index", []byte(`{"type":"fragment","chunk_id":"x","data":""}`), envelope.ErrMissing, "/index", false},
		{"negative index", fragment("x", -1, ""), envelope.ErrType, "/index", false},
		{"no data", []byte(`{"type":"fragment","chunk_id":"x","index":0}`), envelope.ErrMissing, "/data", false},
		{"data an object", []byte(`{"type":"fragment","chunk_id":"x","index":0,"data":{}}`), envelope.ErrType, "/data", false},
		{"nothing split", []byte(`{"type":"chunked","op":"u",` + source + `,"chunked":{}}`), envelope.ErrMissing, "/chunked", false},
		{"no chunked", []byte(`{"type":"chunked","op":"u",` + source + `}`), envelope.ErrMissing, "/chunked", false},
		{"chunked a list", []byte(`{"type":"chunked","op":"u",` + source + `,"chunked":[]}`), envelope.ErrType, "/chunked", false},
		{"image a list", mainRecord(`"after":[]`), envelope.ErrType, "/chunked/after", false},
		{"image twice", mainRecord(`"after":` + described("x", image, 3) + `,"after":` + described("x", image, 3)), envelope.ErrDuplicate, "/chunked/after", false},
		{"total twice", mainRecord(`"after":{"chunk_id":"x","total_fragments":3,"total_fragments":3,"crc32c":"1"}`), envelope.ErrDuplicate, "/chunked/after/total_fragments", false},
		{"image split and whole", []byte(`{"type":"chunked","op":"u","after":{},` + source + `,"chunked":{"after":` + described("x", image, 3) + `}}`), envelope.ErrDuplicate, "/chunked/after", false},
		{"one ID for both", mainRecord(`"after":` + described("z", image, 3) + `,"before":` + described("z", image, 3)), dsql.ErrConflict, "/chunked/before/chunk_id", false},
		{"no fragments", mainRecord(`"after":{"chunk_id":"z","total_fragments":0,"crc32c":"1"}`), envelope.ErrType, "/chunked/after/total_fragments", false},
		{"no total", mainRecord(`"after":{"chunk_id":"z","crc32c":"1"}`), envelope.ErrMissing, "/chunked/after/total_fragments", false},
		{"no checksum", mainRecord(`"after":{"chunk_id":"z","total_fragments":1}`), envelope.ErrMissing, "/chunked/after/crc32c", false},
		{"checksum not decimal", mainRecord(`"after":{"chunk_id":"z","total_fragments":1,"crc32c":"7b9a"}`), envelope.ErrType, "/chunked/after/crc32c", false},
		{"checksum too large", mainRecord(`"after":{"chunk_id":"z","total_fragments":1,"crc32c":"4294967296"}`), envelope.ErrType, "/chunked/after/crc32c", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFeed(t, new(dsql.Reassembler))
			f.add("a", good)
			f.add("b", pieces[1])
			fault := f.fails("a", tt.in, tt.cause)
			decodeError := new(envelope.DecodeError)
			require.ErrorAs(t, fault, &decodeError)
			assert.Equal(t, tt.path, decodeError.Path)
			assert.Empty(t, fault.Lost)
			assert.NotContains(t, fault.Error(), "two")
			assert.Nil(t, f.add("c", pieces[0]))
			assert.Equal(t, image, string(decode(t, f.add("c", pieces[2])).After))
		})
	}
}

// A joined text that is not the image: the checksum, or what it would do to the
// record.
func TestBadImages(t *testing.T) {
	for _, tt := range []struct {
		name, image string
		crc         uint32
		cause       error
	}{
		{"checksum", image, checksum(image) + 1, dsql.ErrChecksum},
		{"null", `null`, checksum(`null`), envelope.ErrType},
		{"a list", `[{"id":1}]`, checksum(`[{"id":1}]`), envelope.ErrType},
		{"nothing", ``, 0, envelope.ErrType},
		{"more members", `{"id":1},"op":"d"`, checksum(`{"id":1},"op":"d"`), envelope.ErrType},
		{"unknown members", `{"id":1},"x":{}`, checksum(`{"id":1},"x":{}`), envelope.ErrType},
		{"the end of the record", `{"id":1}}`, checksum(`{"id":1}}`), envelope.ErrType},
		{"not closed", `{"id":[1`, checksum(`{"id":[1`), envelope.ErrType},
		{"a string not closed", `{"id":"`, checksum(`{"id":"`), envelope.ErrType},
		{"an escaped quote", `{"id":"\\\"}`, checksum(`{"id":"\\\"}`), envelope.ErrType},
	} {
		for _, mainLast := range []bool{true, false} {
			f := newFeed(t, new(dsql.Reassembler))
			main := mainRecord(fmt.Sprintf(`"after":{"chunk_id":"x","total_fragments":2,"crc32c":"%d"}`, tt.crc))
			pieces := fragments("x", tt.image, 2)
			parts := [][]byte{main, pieces[0], pieces[1]}
			if mainLast {
				parts = [][]byte{pieces[1], pieces[0], main}
			}
			f.add("a", parts[0])
			f.add("b", parts[1])
			fault := f.fails("c", parts[2], tt.cause)
			require.NoError(t, f.r.Check())
			require.Len(t, fault.Lost, 1, tt.name)
			assert.Equal(t, dsql.Orphan{
				ChunkID: "x", Main: true, Have: 2, Total: 2, Bytes: fault.Lost[0].Bytes, First: time.Unix(1, 0), Last: time.Unix(1, 0),
				Where: []dsql.Span{{"a", "1", "1"}, {"b", "1", "1"}, {"c", "1", "1"}},
			}, fault.Lost[0])
			f.fails("d", parts[0], dsql.ErrGivenUp)
			assert.Equal(t, "a@1 b@1 c@1 d@1", f.floors(), "until the caller has dealt with it")
			f.commit()
			assert.Equal(t, "a+1 b+1 c+1 d+1", f.floors())
			f.fails("d", parts[0], dsql.ErrGivenUp)
		}
	}
	// What is one object but not valid is the decoder's to refuse.
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", fragment("x", 0, `{"id":tru}`))
	out := f.add("a", mainRecord(`"after":`+described("x", `{"id":tru}`, 1)))
	assert.ErrorIs(t, new(dsql.Decoder).Decode(new(envelope.Change), out), envelope.ErrSyntax)
}

// A fragment that came before its main record and turns out beyond the end of
// its image does not keep it from being completed, and is reported.
func TestStrayFragment(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", fragment("x", 2, "stray"))
	f.add("a", fragment("x", 77, "stray"))
	pieces := fragments("x", image, 2)
	f.add("a", pieces[0])
	f.add("a", mainRecord(`"after":`+described("x", image, 2)))
	assert.Equal(t, image, string(decode(t, f.add("a", pieces[1])).After))
	orphans, err := f.r.Expire(ctx, time.Unix(0, 0))
	require.NoError(t, err)
	require.Len(t, orphans, 1)
	assert.Equal(t, "x", orphans[0].ChunkID)
	assert.Equal(t, 2, orphans[0].Have)
	assert.Equal(t, 2, orphans[0].Total)
	orphans, err = f.r.Expire(ctx, time.Unix(1<<40, 0))
	require.NoError(t, err)
	assert.Empty(t, orphans)
}

// A main record that comes again was handled again by the service, at another
// time. It gives its record again until that is committed.
func TestRepeatedMain(t *testing.T) {
	main := mainRecord(`"after":` + described("x", image, 2))
	later := []byte(strings.Replace(string(main), processed, `"ts_ms":1705318200999,"ts_ns":1705318200999483291}`, 1))
	require.NotEqual(t, main, later)
	f := newFeed(t, new(dsql.Reassembler))
	pieces := fragments("x", image, 2)
	f.add("a", main)
	assert.Nil(t, f.add("b", later))
	assert.Nil(t, f.add("b", pieces[0]))
	assert.Nil(t, f.add("b", pieces[0]))
	assert.Equal(t, image, string(decode(t, f.add("b", pieces[1])).After))
	assert.Nil(t, f.add("b", pieces[1]), "a repeated fragment")
	assert.Equal(t, image, string(decode(t, f.add("c", later)).After))
	assert.Equal(t, image, string(decode(t, f.add("a", main)).After))
	f.commit()
	for _, part := range [][]byte{later, pieces[0], main, pieces[1]} {
		assert.Nil(t, f.add("a", part))
	}
	assert.Empty(t, f.r.Pending())
	f.commit()
	assert.Equal(t, "a+6 b+5 c+1", f.floors())

	f = newFeed(t, new(dsql.Reassembler))
	f.add("a", main)
	f.add("c", later)
	f.commit()
	assert.Equal(t, "a@1 c@1", f.floors(), "read again alone it would look like a record without fragments")
}

// Main records that have something in common with another one, and are not it.
func TestConflictingMains(t *testing.T) {
	a, b := `"after":`+described("a", image, 1), `"before":`+described("b", `{"id":1}`, 1)
	f := newFeed(t, new(dsql.Reassembler))
	f.add("s", mainRecord(a+","+b))
	f.fails("s", mainRecord(a), dsql.ErrConflict)
	f.fails("s", mainRecord(b), dsql.ErrConflict)
	f.add("s", fragment("a", 0, image))
	require.NotNil(t, f.add("s", fragment("b", 0, `{"id":1}`)))
	f.commit()
	assert.Nil(t, f.add("s", mainRecord(a)), "of a committed one only the ID is remembered")
	f.fails("s", mainRecord(a+`,"before":`+described("new", image, 1)), dsql.ErrConflict)
	f.add("s", fragment("new", 0, image))
	assert.Len(t, f.r.Pending(), 1)

	whole := func(before string) []byte {
		return []byte(strings.Replace(string(mainRecord(`"after":`+described("c", image, 1))), `"before":null`, `"before":`+before, 1))
	}
	f.add("s", whole(`{"id":1}`))
	f.fails("s", whole(`{"id":2}`), dsql.ErrConflict)
	assert.Equal(t, `{"id":1}`, string(decode(t, f.add("s", fragment("c", 0, image))).Before))
}

// The joined record is valid until the next call.
func TestLifetime(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", fragments("x", image, 1)[0])
	main := mainRecord(`"after":` + described("x", image, 1))
	out := f.add("a", main)
	want := string(out)
	clear(main) // what went in may change
	assert.Equal(t, want, string(out))
	full := []byte(records[0].in)
	f.add("a", full)
	assert.Equal(t, raceEnabled, want != string(out))

	first := mainRecord(`"after":` + described("y", image, 1))
	f.add("a", first)
	clear(first)
	assert.Equal(t, want, string(f.add("a", fragment("y", 0, image))))
}

func TestSequenceMustBeDecimal(t *testing.T) {
	var r dsql.Reassembler
	for _, s := range []string{"", "12a", "-1", " 1"} {
		_, err := r.Add(ctx, dsql.Record{Shard: "a", Sequence: s, Data: []byte(records[0].in)})
		require.Error(t, err)
		assert.False(t, envelope.IsPermanent(err))
		assert.Empty(t, r.Floors())
	}
	out, err := r.Add(ctx, dsql.Record{Data: []byte(records[0].in)})
	require.NoError(t, err)
	assert.NotNil(t, out)
	assert.Empty(t, r.Floors())
}
