module github.com/rowdelta/rowdelta

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	github.com/segmentio/asm v1.2.1
	github.com/stretchr/testify v1.12.1
	pgregory.net/rapid v1.3.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.0.0-20220412211240-33da011f77ad // indirect
)
