package restcatalog_test

import (
	"context"
	"log"
	"strings"

	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/iceberg/committer/restcatalog"
)

// Tables of Amazon S3 Tables, with credentials from the environment.
func ExampleS3Tables() {
	bucket := restcatalog.S3Tables("eu-central-1", "arn:aws:s3tables:eu-central-1:111122223333:bucket/lake")
	tables, err := restcatalog.Open(context.Background(), bucket, committer.Options{Compare: strings.Compare})
	if err != nil {
		log.Fatal(err)
	}
	defer tables.Close()
}

// A catalog of one's own, with the files in a store that speaks S3's protocol.
func ExampleOpen() {
	tables, err := restcatalog.Open(context.Background(), restcatalog.Catalog{
		URI:       "http://localhost:19120/iceberg",
		Warehouse: "lake",
		Properties: map[string]string{
			"s3.endpoint":          "http://localhost:7070",
			"s3.region":            "us-east-1",
			"s3.access-key-id":     "key",
			"s3.secret-access-key": "secret",
		},
	}, committer.Options{Deletes: committer.CopyOnWrite})
	if err != nil {
		log.Fatal(err)
	}
	defer tables.Close()
}
