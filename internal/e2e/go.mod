module github.com/rowdelta/rowdelta/internal/e2e

go 1.26

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7 // of the clients of S3 and DynamoDB: pointers, credentials, retries
	github.com/aws/aws-sdk-go-v2/service/dynamodb v1.73.1 // what dynamostore is given
	github.com/aws/aws-sdk-go-v2/service/s3 v1.114.8 // what s3fragments is given
	github.com/jackc/pgx/v5 v5.12.0 // the writing sessions and the final state: transactions, savepoints and error codes of PostgreSQL
	github.com/redis/go-redis/v9 v9.22.0 // what redisstore is given
	github.com/rowdelta/rowdelta v0.0.0 // what is tested
	github.com/rowdelta/rowdelta/dedupe/dynamostore v0.0.0 // what is tested
	github.com/rowdelta/rowdelta/dedupe/redisstore v0.0.0 // what is tested
	github.com/rowdelta/rowdelta/dsql/s3fragments v0.0.0 // what is tested
	github.com/rowdelta/rowdelta/internal/servers v0.0.0 // the servers
	github.com/twmb/franz-go v1.21.7 // the consumer, without cgo; 1.22 would raise the whole workspace to go 1.26.0
)

require (
	github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream v1.7.26 // indirect
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.8.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/v4a v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding v1.13.24 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/checksum v1.11.11 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery v1.13.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/presigned-url v1.14.10 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/s3shared v1.20.10 // indirect
	github.com/aws/smithy-go v1.28.8 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/goccy/go-json v0.12.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/klauspost/compress v1.19.2 // indirect
	github.com/pierrec/lz4/v4 v4.1.26 // indirect
	github.com/segmentio/asm v1.2.1 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.13.1 // indirect
	go.uber.org/atomic v1.11.0 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/sys v0.30.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)

replace (
	github.com/rowdelta/rowdelta => ../..
	github.com/rowdelta/rowdelta/dedupe/dynamostore => ../../dedupe/dynamostore
	github.com/rowdelta/rowdelta/dedupe/redisstore => ../../dedupe/redisstore
	github.com/rowdelta/rowdelta/dsql/s3fragments => ../../dsql/s3fragments
	github.com/rowdelta/rowdelta/internal/servers => ../servers
)
