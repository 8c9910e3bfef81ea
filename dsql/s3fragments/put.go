package s3fragments

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// digestKey is the metadata that holds the SHA-256 of an object's text. Neither
// the ETag, which depends on how the object is encrypted, nor S3's checksum,
// which not every other store keeps.
const digestKey = "rowdelta-sha256"

// Put implements [dsql.FragmentStore]. It is one request, and another one if the
// fragment is there already.
func (s *Store) Put(ctx context.Context, chunkID string, index int, data envelope.Value) error {
	text := data.AppendText(make([]byte, 0, len(data)))
	if len(text) > s.fragmentBytes() {
		return tooLarge("/data", "fragment", int64(len(text)), s.fragmentBytes())
	}
	key := s.folder(chunkID) + strconv.Itoa(index)
	sum := sha256.Sum256(text)
	_, err := s.Client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:         &s.Bucket,
		Key:            &key,
		Body:           bytes.NewReader(text),
		IfNoneMatch:    new("*"),
		ChecksumSHA256: new(base64.StdEncoding.EncodeToString(sum[:])),
		Metadata:       map[string]string{digestKey: hex.EncodeToString(sum[:])},
	})
	if status(err) == http.StatusPreconditionFailed {
		// There is an object: of an earlier delivery, of another process, or of
		// this very call, if the answer to an attempt was lost and the client
		// tried again.
		return s.compare(ctx, key, len(text), sum)
	}
	return s.fault("put", key, err)
}

// compare returns nil if the object has that text.
func (s *Store) compare(ctx context.Context, key string, size int, sum [sha256.Size]byte) error {
	head, err := s.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		// Also if it was forgotten in between: the next attempt puts it.
		return s.fault("compare", key, err)
	}
	same := head.ContentLength != nil && *head.ContentLength == int64(size)
	if digest, ok := head.Metadata[digestKey]; same && ok {
		same = digest == hex.EncodeToString(sum[:])
	} else if same {
		// Copied here without its metadata.
		if same, err = s.matches(ctx, key, sum); err != nil {
			return s.fault("compare", key, err)
		}
	}
	if !same {
		return fmt.Errorf("s3fragments: %w: s3://%s/%s has other text", dsql.ErrConflict, s.Bucket, key)
	}
	return nil
}

// matches reports whether the object's text has that digest.
func (s *Store) matches(ctx context.Context, key string, sum [sha256.Size]byte) (bool, error) {
	out, err := s.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		return false, err
	}
	defer out.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, out.Body); err != nil {
		return false, err
	}
	return bytes.Equal(h.Sum(nil), sum[:]), nil
}

// fault names the call and the object that an error is about.
func (s *Store) fault(call, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("s3fragments: %s s3://%s/%s: %w", call, s.Bucket, key, err)
}

// tooLarge is the error for what is beyond a limit. Trying again does not help.
func tooLarge(path, what string, size int64, limit int) error {
	return &envelope.DecodeError{Path: path, Err: fmt.Errorf("%w: %s of %d bytes, more than %d", envelope.ErrLimit, what, size, limit)}
}

// status returns the HTTP status of the answer that err is made of, or 0.
func status(err error) int {
	if answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}
