package s3fragments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/rowdelta/rowdelta/dsql"
)

// Join implements [dsql.FragmentStore]. It lists the image's objects, which is
// one request for each 1,000 of them. If all are there and within the limits, it
// grows dst once and downloads each into its place. The bytes behind dst are
// undefined after an error.
func (s *Store) Join(ctx context.Context, dst []byte, chunkID string, total int) ([]byte, error) {
	folder := s.folder(chunkID)
	parts, size, err := s.parts(ctx, folder, total)
	if err != nil {
		return dst, err
	}
	out := slices.Grow(dst, size)[:len(dst)+size]
	if err := s.download(ctx, out[len(dst):], parts); err != nil {
		return dst, err
	}
	return out, nil
}

// A part is an object of which an image is made.
type part struct {
	key  string
	size int
}

// parts returns the objects of an image in order, and the sum of their sizes.
func (s *Store) parts(ctx context.Context, folder string, total int) (parts []part, size int, err error) {
	// It grows with what there is: total is a number in somebody's record.
	found := make(map[int]int64)
	for pages := s.pages(folder); pages.HasMorePages() && len(found) < total; {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, 0, s.fault("list", folder, err)
		}
		for _, o := range page.Contents {
			if o.Key == nil || o.Size == nil {
				return nil, 0, s.fault("list", folder, errors.New("an object without name or size"))
			}
			if i, ok := index(strings.TrimPrefix(*o.Key, folder)); ok && i < total {
				found[i] = *o.Size
			}
		}
	}
	var sum int64
	for i := range total {
		n, ok := found[i]
		if !ok {
			return nil, 0, fmt.Errorf("s3fragments: %w: no s3://%s/%s%d, and %d of %d are there", dsql.ErrIncomplete, s.Bucket, folder, i, len(found), total)
		}
		if n < 0 || n > int64(s.fragmentBytes()) {
			return nil, 0, tooLarge("/chunked", "fragment", n, s.fragmentBytes())
		}
		if sum += n; sum > int64(s.imageBytes()) {
			return nil, 0, tooLarge("/chunked", "image", sum, s.imageBytes())
		}
		parts = append(parts, part{fmt.Sprint(folder, i), int(n)})
	}
	return parts, int(sum), nil
}

// pages lists the objects of an image.
func (s *Store) pages(folder string) *s3.ListObjectsV2Paginator {
	return s3.NewListObjectsV2Paginator(s.Client, &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &folder})
}

// download fills dst with the parts, some of them at a time. When it returns
// nobody writes to dst any more.
func (s *Store) download(ctx context.Context, dst []byte, parts []part) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		offsets = make([]int, len(parts))
		end     int
		next    atomic.Int64
		wg      sync.WaitGroup
		once    sync.Once
		failed  error
	)
	for i, p := range parts {
		offsets[i] = end
		end += p.size
	}
	for range min(s.concurrency(), len(parts)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(parts)); i = next.Add(1) - 1 {
				at := offsets[i]
				if err := s.fetch(ctx, dst[at:at+parts[i].size], parts[i].key); err != nil {
					// The first one: the others are of the context that it ends.
					once.Do(func() { failed = err })
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// fetch reads an object that has as many bytes as dst.
func (s *Store) fetch(ctx context.Context, dst []byte, key string) error {
	if len(dst) == 0 {
		return nil
	}
	out, err := s.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return fmt.Errorf("s3fragments: %w: s3://%s/%s went away", dsql.ErrIncomplete, s.Bucket, key)
	}
	if err != nil {
		return s.fault("get", key, err)
	}
	defer out.Body.Close()
	n, err := io.ReadFull(out.Body, dst)
	if err == nil {
		// To the end, where the client compares the checksum.
		var more [1]byte
		var extra int
		if extra, err = io.ReadFull(out.Body, more[:]); err == io.EOF {
			return nil
		}
		n += extra
	}
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("%d bytes, listed with %d: %w", n, len(dst), io.ErrUnexpectedEOF)
	}
	return s.fault("get", key, err)
}
