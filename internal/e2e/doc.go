// Package e2e holds the tests of the whole pipeline against real servers:
//
//	PostgreSQL ─▶ Debezium in Kafka Connect ─▶ Kafka ─▶ envelope.Debezium ─▶ newest change per row
//	                                                └─▶ MSK-shaped events ─▶ route.Firehose ─▶ responses, applied in order
//
// Concurrent sessions write to two tables before, while and after Connect takes its snapshot, and Connect is killed in
// mid-stream. What either way of use ends with is compared with the database, every row and every column.
//
// The tests run under the build tag servers, which installs and starts what they need (see internal/servers):
//
//	go test -tags servers ./internal/e2e
package e2e
