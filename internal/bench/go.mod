module github.com/rowdelta/rowdelta/internal/bench

go 1.26

require (
	github.com/goccy/go-json v0.12.0 // the fastest rival that keeps raw images and validates
	github.com/rowdelta/rowdelta v0.0.0
)

require (
	github.com/segmentio/asm v1.2.1 // indirect
	golang.org/x/sys v0.0.0-20220412211240-33da011f77ad // indirect
)

replace github.com/rowdelta/rowdelta => ../..
