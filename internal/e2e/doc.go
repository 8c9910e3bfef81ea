// Package e2e holds the tests of the whole pipeline against real servers:
//
//	PostgreSQL ─▶ Debezium in Kafka Connect ─▶ Kafka ─▶ envelope.Debezium ─▶ dedupe.Filter and Compactor ─▶ rows
//	                                                └─▶ MSK-shaped events ─▶ route.Firehose ─▶ responses, applied in order
//
// Concurrent sessions write to two tables before, while and after Connect takes its snapshot, and Connect is killed in
// mid-stream. What either way of use ends with is compared with the database, every row and every column.
//
// And of Aurora DSQL's: a stream that package dsql/dsqltest generated, since there is no DSQL to be had, goes into a Kinesis that
// is resharded meanwhile, and examples/kinesis, which is killed again and again, must end with the generator's rows. The fragment store of dsql/s3fragments meets an S3 server here,
// and examples/recover, as a Lambda function, recovers what is too large for one from such a stream.
//
// The stores of dedupe/redisstore and dedupe/dynamostore meet a Redis, a cluster of it, a replica, and DynamoDB Local, which
// are killed.
//
// Package iceberg/committer meets a REST catalog, Nessie with its tables in an S3 server, through a network in which commits fail
// before and after they are done; and what README.md says of examples/quickstart is done, with three readers of its tables.
// TestCosts has the figures of iceberg/committer/COSTS.md.
//
// The tests run under the build tag servers, which installs and starts what they need (see internal/servers):
//
//	go test -tags servers ./internal/e2e
package e2e
