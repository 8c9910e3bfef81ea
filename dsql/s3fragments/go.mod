module github.com/rowdelta/rowdelta/dsql/s3fragments

go 1.26

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7 // the pointers of the client's types; tests: its retryer and credentials
	github.com/aws/aws-sdk-go-v2/service/s3 v1.114.8 // the client, whose types the interface API is made of
	github.com/aws/smithy-go v1.28.8 // the type of the client's errors
	github.com/johannesboyne/gofakes3 v1.2.0 // tests: S3 in the test's own process
	github.com/rowdelta/rowdelta v0.0.0 // the interface that is implemented, and its suite
)

require (
	github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream v1.7.26 // indirect
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.8.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/v4a v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding v1.13.24 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/checksum v1.11.11 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/presigned-url v1.14.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/s3shared v1.20.10 // indirect
	github.com/goccy/go-json v0.12.0 // indirect
	github.com/ryszard/goskiplist v0.0.0-20150312221310-2dfbae5fcf46 // indirect
	go.shabbyrobe.org/gocovmerge v0.0.0-20230507111327-fa4f82cfbf4d // indirect
	golang.org/x/tools v0.8.0 // indirect
)

replace github.com/rowdelta/rowdelta => ../..
