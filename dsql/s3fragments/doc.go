// Package s3fragments keeps the fragments of split Aurora DSQL images in Amazon
// S3, or in a store that speaks its protocol, so that they outlive a process and
// several processes can share them.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	...
//	store := &s3fragments.Store{Client: s3.NewFromConfig(cfg), Bucket: "cdc-state", Prefix: "fragments/"}
//	r := &dsql.Reassembler{Store: store}
//
// A Lambda function needs it, since one invocation sees one shard while an image
// is spread over all of them. So does a consumer that must not hold its
// checkpoint back for an image that waits for its last fragment.
//
// # Objects
//
// One fragment is one object. Its body is the fragment's text: of the member
// data, with the escapes of JSON resolved.
//
//	fragments/5f9c6b0e-0b1f-4b43-9d0a-0c8a1d6b7c11/0
//	fragments/5f9c6b0e-0b1f-4b43-9d0a-0c8a1d6b7c11/1
//	└ Prefix ┘└ chunk ID                         ┘ └ index, decimal
//
// In the chunk ID, letters, digits and hyphens stand for themselves, and each
// other byte is an underscore and two hexadecimal digits: "a/b" is a_2fb. An ID
// for which that is longer than 200 bytes is two underscores and its SHA-256,
// so that names fit into S3's 1,024 bytes, and into the 255 of the file systems
// behind some gateways.
//
// The metadata rowdelta-sha256 is the text's SHA-256 in hexadecimal. S3 is told
// the same as the object's checksum, and verifies it.
//
// An object is never written twice: it is put with If-None-Match: *. If there is
// one already, its size and digest tell a repeat from a conflict.
//
// # When fragments may go
//
// The replay rule of package rowdelta: whatever was consulted before the sink
// had the data must say the same when the input is replayed. A fragment that was
// checkpointed past is in the bucket and nowhere else. So an image is forgotten
// only after the sink has the record that it is part of, and after the
// checkpoint of the shard that its main record came from is behind that record.
// [dsql.Reassembler.Commit] keeps this order if it is given a save that stores
// the floors. Without one it forgets nothing here, and the bucket's lifecycle
// rule is what removes fragments.
//
// # Lifecycle rule
//
// Give the bucket one in any case. Some fragments are left behind by what is no
// fault of anyone: a main record that never comes, a fragment that is delivered
// again after its image was forgotten, a process that ends between checkpoint
// and Forget.
//
//	{"Rules": [{
//	  "ID": "abandoned fragments", "Status": "Enabled", "Filter": {"Prefix": "fragments/"},
//	  "Expiration": {"Days": 8}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}
//	}]}
//
// The age counts from the first Put: a repeat does not renew an object. A
// fragment must outlast the time until its main record is with the sink, however
// far behind the consumer is and however often it starts over. That is at most
// the stream's retention, since after it the main record cannot be read any
// more: take the retention and a day, as here for a stream that retains a week.
//
// # Permissions
//
// s3:PutObject, s3:GetObject and s3:DeleteObject on the objects below the
// prefix, and s3:ListBucket on the bucket.
//
// # Other stores
//
// A store that speaks the protocol of S3 must refuse a PUT with If-None-Match: *
// for what is there, atomically, and list what was put at once. If it ignores
// the header, the last of two conflicting fragments is kept in silence. Running
// [fragtest.RunDurable] against it shows both.
//
// [fragtest.RunDurable]: https://pkg.go.dev/github.com/rowdelta/rowdelta/dsql/fragtest#RunDurable
package s3fragments
