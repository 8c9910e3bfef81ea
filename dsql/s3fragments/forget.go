package s3fragments

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Forget implements [dsql.FragmentStore]. It is two requests for each 1,000
// objects. In a bucket with versioning it hides the objects, and the lifecycle
// rule removes them.
func (s *Store) Forget(ctx context.Context, chunkID string) error {
	folder := s.folder(chunkID)
	for pages := s.pages(folder); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.fault("list", folder, err)
		}
		if err := s.remove(ctx, folder, page.Contents); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes the objects of a page, which is as many as one request takes.
func (s *Store) remove(ctx context.Context, folder string, objects []types.Object) error {
	if len(objects) == 0 {
		return nil
	}
	doomed := make([]types.ObjectIdentifier, len(objects))
	for i, o := range objects {
		doomed[i].Key = o.Key
	}
	out, err := s.Client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &s.Bucket,
		Delete: &types.Delete{Objects: doomed, Quiet: new(true)},
	})
	if err != nil {
		return s.fault("delete", folder, err)
	}
	// The request succeeds even if nothing of it did.
	if n := len(out.Errors); n > 0 {
		first := out.Errors[0]
		err := &smithy.GenericAPIError{Code: aws.ToString(first.Code), Message: aws.ToString(first.Message)}
		return s.fault("delete", folder, fmt.Errorf("%d of %d objects stay, one of them for %w", n, len(objects), err))
	}
	return nil
}
