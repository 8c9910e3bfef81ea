// Package restcatalog connects a Committer to an Iceberg REST catalog, such as that of
// Amazon S3 Tables, with the tables' files in S3 or in a store that speaks its protocol.
// It is a package of its own since it brings the AWS SDK along.
//
//	c, err := restcatalog.Open(ctx, restcatalog.S3Tables("eu-central-1", bucketARN), committer.Options{})
//
// Credentials are those that the AWS SDK finds: in the environment, in the shared files,
// of a container or an instance. Properties can name others for the files, and so can
// the catalog, whose own win: it is asked for credentials of each table's files, and for
// new ones before they expire. A catalog that wants to sign the requests for files itself
// (s3.remote-signing-enabled) is refused; Nessie does unless
// nessie.catalog.service.s3.default-options.request-signing-enabled=false.
//
// # Nessie
//
// Nessie 0.99 has no tables of version 3 of the format, and so no deletion vectors. It
// takes changes of columns only with last-column-id, which the protocol has given up and
// the library does not send: it is added to requests that are not signed. It does not
// fence the first snapshot of a table: with several writers, have one of them commit a
// first delta before the others start, or one may lose another's. Its tables keep a
// history that their metadata does not show, and say gc.enabled=false for it: Maintain
// compacts them, but leaves all files to Nessie's own garbage collection.
package restcatalog

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog/rest"
	_ "github.com/apache/iceberg-go/io/gocloud/s3" // files in S3

	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/iceberg/committer/internal/seam"
)

// A Catalog is where a REST catalog is, and how it is spoken to.
type Catalog struct {
	URI string // its root, without the /v1 of the protocol

	// Warehouse is what the catalog calls the warehouse: of S3 Tables, the ARN of the
	// table bucket. It may be empty if there is but one.
	Warehouse string

	// Token is a bearer token. Credential, client-id:client-secret, is exchanged for one.
	// Both are empty for a catalog that asks for none, or with Region.
	Token, Credential string

	// Region and Service sign requests with AWS Signature Version 4, if Region is not
	// empty: of S3 Tables, Service is s3tables.
	Region, Service string

	// Properties are further properties of the catalog and of the tables' files, as
	// Iceberg's clients name them: s3.endpoint, s3.region, s3.access-key-id,
	// s3.secret-access-key and so on. None is needed where the catalog tells them. With
	// s3.endpoint, buckets are addressed by path, and without by name;
	// s3.force-virtual-addressing says otherwise. An endpoint in the environment variable
	// AWS_ENDPOINT_URL_S3 is used too, but does not change how buckets are addressed.
	Properties map[string]string

	// Transport sends the requests to the catalog, signed if they are. Nil means one of
	// the catalog's own, which waits as long as the context of a call lets it. The
	// catalog's settings for TLS do not reach a transport that is given here. It must not
	// send a request again that may have arrived.
	Transport http.RoundTripper
}

// S3Tables returns the catalog of a table bucket of Amazon S3 Tables.
func S3Tables(region, bucketARN string) Catalog {
	return Catalog{
		URI:       "https://s3tables." + region + ".amazonaws.com/iceberg",
		Warehouse: bucketARN,
		Region:    region,
		Service:   "s3tables",
	}
}

// Open returns a Committer for the catalog's tables. It asks the catalog for its
// configuration, for which the context holds.
func Open(ctx context.Context, c Catalog, o committer.Options) (*committer.Committer, error) {
	properties := ice.Properties{}
	if c.Region != "" {
		properties["s3.region"] = c.Region
	}
	maps.Copy(properties, c.Properties)
	options := []rest.Option{rest.WithAdditionalProps(properties)}
	if c.Warehouse != "" {
		options = append(options, rest.WithWarehouseLocation(c.Warehouse))
	}
	if c.Token != "" {
		options = append(options, rest.WithOAuthToken(c.Token))
	}
	if c.Credential != "" {
		options = append(options, rest.WithCredential(c.Credential))
	}
	if c.Region != "" {
		options = append(options, rest.WithSigV4RegionSvc(c.Region, c.Service))
	}
	transport := c.Transport
	if c.Region == "" { // what is signed must not be changed
		if transport == nil {
			transport = http.DefaultTransport
		}
		transport = columnIDs{transport}
	}
	if transport != nil {
		options = append(options, rest.WithCustomTransport(transport))
	}
	catalog, err := rest.NewCatalog(ctx, "rowdelta", c.URI, options...)
	if err != nil {
		return nil, fmt.Errorf("restcatalog: %w", err)
	}
	return committer.New(&seam.Source{Catalog: catalog, Closers: []io.Closer{catalog}}, o)
}
