// Package seam is how this module's packages hand a catalog to package committer,
// whose users see nothing of the Iceberg library.
package seam

import (
	"io"

	"github.com/apache/iceberg-go/catalog"
)

// A Source is a catalog and what is to be closed with it.
type Source struct {
	Catalog catalog.Catalog
	Closers []io.Closer
}
