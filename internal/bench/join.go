package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A splitRecord is a change with an image that was cut: the main record, its fragments, and the image as it was.
type splitRecord struct {
	main      []byte
	fragments [][]byte
	image     []byte
}

// split makes a record whose image is cut into so many fragments of about size bytes each. One half of the image is a column
// of prose, the other one of bytea, which is Base64.
func split(fragments, size int) splitRecord {
	g := newGenerator(6)
	half := fragments * size / 2
	bytea := make([]byte, (half-1000)/4*3)
	for i := range bytea {
		bytea[i] = byte(g.Uint32())
	}
	r := splitRecord{image: fmt.Appendf(nil, `{"id":1,"body":%s,"scan":"%s"}`,
		quote(g.prose(half-1000)), base64.StdEncoding.EncodeToString(bytea))}
	size = len(r.image)/fragments + utf8.UTFMax
	for rest := r.image; len(rest) > 0; {
		n := min(size, len(rest))
		for n < len(rest) && !utf8.RuneStart(rest[n]) {
			n--
		}
		r.fragments = append(r.fragments, fmt.Appendf(nil, `{"type":"fragment","chunk_id":"%s","index":%d,"data":%s}`,
			chunkID, len(r.fragments), quote(string(rest[:n]))))
		rest = rest[n:]
	}
	r.main = fmt.Appendf(nil, `{"type":"chunked","op":"c","before":null,"after":null,"source":{"version":"1.0","ts_ms":1705318200000,`+
		`"ts_ns":1705318200000000000,"txId":"ffthunp5stx6ffs2vyfqoatmfu","schema":"public","table":"documents","db":"postgres",`+
		`"cluster":"kmabugltfmjdaj2siqr2qbxgju"},"chunked":{"after":{"chunk_id":"%s",`+
		`"total_fragments":%d,"crc32c":"%d"}},"ts_ms":1705318200125,"ts_ns":1705318200125483291}`,
		chunkID, len(r.fragments), crc32.Checksum(r.image, castagnoli))
	return r
}

// chunkID is the ID that split writes. As the service never uses one again, each pass has another of its length.
const chunkID = "d7c2a6f2-6e33-4a8e-bd6e-000000000000"

// rename gives the record's image another chunk ID, in place.
func (s splitRecord) rename(n int) {
	id := fmt.Appendf(nil, "%s%012d", chunkID[:24], n)
	for _, b := range append(s.fragments[:len(s.fragments):len(s.fragments)], s.main) {
		at := bytes.Index(b, id[:24])
		copy(b[at:], id)
	}
}

// joinOurs takes the parts of a record to the whole one, which see gets, and says that the sink has it.
func joinOurs(r *dsql.Reassembler, s splitRecord, see func(whole []byte) error) error {
	ctx := context.Background()
	for _, b := range append(s.fragments[:len(s.fragments):len(s.fragments)], s.main) {
		whole, err := r.Add(ctx, dsql.Record{Data: b})
		if err != nil {
			return err
		}
		if whole != nil {
			return errors.Join(see(whole), r.Commit(ctx, nil))
		}
	}
	return dsql.ErrIncomplete
}

// check returns an error if the record's image is not what was cut.
func (s splitRecord) check(whole []byte) error {
	var d dsql.Decoder
	var c envelope.Change
	if err := d.Decode(&c, whole); err != nil {
		return err
	}
	if !bytes.Equal(c.After, s.image) {
		return errors.New("the joined image is another")
	}
	return nil
}

// joinJob measures the joining of fragments against the least that anyone can do, which is to read every byte once for
// the checksum. An op is 1000 bytes of the image: 1000 ns are 1 GB/s.
func joinJob(fragments, size int) func() (*prepared, error) {
	return func() (*prepared, error) { return prepareJoin(split(fragments, size)) }
}

func prepareJoin(s splitRecord) (*prepared, error) {
	var r dsql.Reassembler
	passes := 0
	if err := joinOurs(&r, s, s.check); err != nil {
		return nil, err
	}
	return &prepared{ops: len(s.image) / 1000, contenders: []contender{
		{ours, func() error {
			passes++
			s.rename(passes)
			return joinOurs(&r, s, func([]byte) error { return nil })
		}},
		{"hash/crc32", func() error {
			if crc32.Checksum(s.image, castagnoli) == 0 {
				return fmt.Errorf("no checksum")
			}
			return nil
		}},
	}}, nil
}
