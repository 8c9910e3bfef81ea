package dynamostore

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rowdelta/rowdelta/envelope"
)

// The attributes of an item.
const (
	rowName     = "row"
	versionName = "version"
	expiresName = "expires"
)

const (
	// maxKey is the longest key that stands in the item itself. DynamoDB takes
	// 2,048 bytes. But an item above 1 KB costs two write units, and with this
	// none is.
	maxKey = 512
	// maxPrefix is what the byte with its length can say.
	maxPrefix = 255

	plainKey  = 0
	hashedKey = 1
)

// row returns the partition key for a key: a copy, which begins with its kind.
func (s *Store) row(key []byte) []byte {
	kind, size := byte(plainKey), len(key)
	if len(key) > maxKey {
		kind, size = hashedKey, sha256.Size
	}
	b := make([]byte, 0, 2+len(s.Prefix)+size)
	b = append(b, kind, byte(len(s.Prefix)))
	b = append(b, s.Prefix...)
	if kind == hashedKey {
		sum := sha256.Sum256(key)
		return append(b, sum[:]...)
	}
	return append(b, key...)
}

func binary(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }

func version(v envelope.Version) types.AttributeValue {
	b, _ := v.AppendBinary(nil) // never fails
	return binary(b)
}

// rowOf returns the partition key of an item.
func rowOf(item map[string]types.AttributeValue) (string, error) {
	b, ok := item[rowName].(*types.AttributeValueMemberB)
	if !ok {
		return "", fmt.Errorf("%w: no binary attribute %s", ErrItem, rowName)
	}
	return string(b.Value), nil
}

// markOf returns the mark in an item.
func markOf(item map[string]types.AttributeValue) (envelope.Version, error) {
	var v envelope.Version
	b, ok := item[versionName].(*types.AttributeValueMemberB)
	if !ok {
		return v, fmt.Errorf("%w: no binary attribute %s", ErrItem, versionName)
	}
	if err := v.UnmarshalBinary(b.Value); err != nil {
		return v, fmt.Errorf("%w: %w", ErrItem, err)
	}
	if v.IsZero() {
		return v, fmt.Errorf("%w: an empty version", ErrItem)
	}
	return v, nil
}

// clockSlack is how far DynamoDB's clock may be ahead of this machine's before
// a mark goes earlier than [Store.Floor] says.
const clockSlack = time.Minute

// expires returns the moment after which DynamoDB may remove a mark. It counts
// from the version's own time if that is later. So whatever is removed is older
// than Floor, and what is dated far ahead in order to stay, as a filter's
// own marks are, does stay. Rounded up.
func (s *Store) expires(v envelope.Version, now time.Time) types.AttributeValue {
	if t := v.Time(); t.After(now) {
		now = t
	}
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(s.Keep).Add(clockSlack).Unix()+1, 10)}
}

// Floor returns the time from which on marks are complete: a mark whose version
// is of that time or later is still in the table. It is the zero Time if marks
// are kept for good. A [dedupe.Filter] asks for it, and calls a change Late that
// is older and has no mark.
//
// [dedupe.Filter]: https://pkg.go.dev/github.com/rowdelta/rowdelta/dedupe#Filter
func (s *Store) Floor() time.Time {
	if s.Keep <= 0 {
		return time.Time{}
	}
	return time.Now().Add(-s.Keep)
}
