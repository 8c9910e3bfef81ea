module github.com/rowdelta/rowdelta/examples

go 1.26

require (
	github.com/aws/aws-lambda-go v1.55.1 // examples/firehose: speaks the Lambda Runtime API
	github.com/rowdelta/rowdelta v0.0.0
)

require (
	github.com/segmentio/asm v1.2.1 // indirect
	golang.org/x/sys v0.0.0-20220412211240-33da011f77ad // indirect
)

replace github.com/rowdelta/rowdelta => ..
