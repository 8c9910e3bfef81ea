module github.com/rowdelta/rowdelta/examples

go 1.26

require (
	github.com/aws/aws-lambda-go v1.55.1 // examples/firehose, examples/recover: speaks the Lambda Runtime API
	github.com/aws/aws-sdk-go-v2 v1.47.7 // examples/kinesis, examples/recover: which errors pass
	github.com/aws/aws-sdk-go-v2/config v1.33.15 // examples/kinesis, examples/recover: region and credentials from the environment
	github.com/aws/aws-sdk-go-v2/service/kinesis v1.56.11 // examples/kinesis, examples/recover: reads the shards
	github.com/aws/aws-sdk-go-v2/service/s3 v1.114.8 // examples/recover: what s3fragments is given
	github.com/rowdelta/rowdelta v0.0.0
	github.com/rowdelta/rowdelta/dsql/s3fragments v0.0.0 // examples/recover: where the parts of an image meet
)

require (
	github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream v1.7.26 // indirect
	github.com/aws/aws-sdk-go-v2/credentials v1.20.15 // indirect
	github.com/aws/aws-sdk-go-v2/feature/ec2/imds v1.20.7 // indirect
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.8.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/v4a v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding v1.13.24 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/checksum v1.11.11 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/presigned-url v1.14.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/s3shared v1.20.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/signin v1.12.3 // indirect
	github.com/aws/aws-sdk-go-v2/service/sso v1.39.3 // indirect
	github.com/aws/aws-sdk-go-v2/service/ssooidc v1.44.3 // indirect
	github.com/aws/aws-sdk-go-v2/service/sts v1.51.8 // indirect
	github.com/aws/smithy-go v1.28.8 // indirect
	github.com/goccy/go-json v0.12.0 // indirect
	github.com/segmentio/asm v1.2.1 // indirect
	golang.org/x/sys v0.0.0-20220412211240-33da011f77ad // indirect
)

replace (
	github.com/rowdelta/rowdelta => ..
	github.com/rowdelta/rowdelta/dsql/s3fragments => ../dsql/s3fragments
)
