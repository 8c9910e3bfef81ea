module github.com/rowdelta/rowdelta

go 1.26

require (
	github.com/goccy/go-json v0.12.0 // envelope: rows into structs of Go without a schema, several times faster than encoding/json
	github.com/google/go-cmp v0.7.0 // tests: differences of structs
	github.com/segmentio/asm v1.2.1 // route: base64, which most of an event is, many bytes at a time
	github.com/stretchr/testify v1.12.1 // tests: assertions
	pgregory.net/rapid v1.3.0 // tests: properties
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.0.0-20220412211240-33da011f77ad // indirect
)
