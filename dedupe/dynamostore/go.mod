module github.com/rowdelta/rowdelta/dedupe/dynamostore

go 1.26

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7 // the pointers of the client's types, and which errors are throttling
	github.com/aws/aws-sdk-go-v2/service/dynamodb v1.73.1 // the client, whose types the interface API is made of
	github.com/aws/smithy-go v1.28.8 // the types of the client's errors
	github.com/google/go-cmp v0.7.0 // tests: differences of requests
	github.com/rowdelta/rowdelta v0.0.0 // the interface that is implemented, and its suite
	pgregory.net/rapid v1.3.0 // tests: properties
)

require (
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.8.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding v1.13.24 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery v1.13.10 // indirect
	github.com/goccy/go-json v0.12.0 // indirect
)

replace github.com/rowdelta/rowdelta => ../..
