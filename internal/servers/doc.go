// Package servers installs and starts the real servers that tests run against: PostgreSQL 15, Apache Kafka 4.3.0,
// Kafka Connect with Debezium 3.6.1.Final, versitygw 1.8.0 for S3, kinesis-local 0.6.2, DynamoDB Local 2.6.1 and, as a
// catalog for Iceberg, Nessie 0.99.0. No containers, no fixed ports, no state shared between two starts.
//
// Redis is the distribution's, 7.0 on Debian 12. Replicas and clusters are made of several: see [Redis.ReplicaOf] and
// [StartRedis].
//
//	pg := servers.StartPostgres(tb)
//	kafka := servers.StartKafka(tb)
//	connect := servers.StartConnect(tb, kafka, nil, pg.Connector("orders", servers.Properties{"topic.prefix": "shop"}))
//	...
//	connect.Kill()
//	connect.Restart()
//
// Each Start function returns when the server answers. It listens on a free port of 127.0.0.1, keeps its files in a
// temporary folder of its own, and logs to a file there. The end of the test stops the server and removes the folder; a
// failed test's output has the end of the log first. On Linux a server does not outlive the test's process, however that ends.
//
// Three independent programs read Iceberg tables, and return rows that can be compared: [JavaReader], [DuckReader] and
// [PyReader]. They are no servers: a process has one of each, for all its tests.
//
// What is missing is installed: programs by apt-get (through sudo where the user is not root), Java libraries by Maven, Go
// programs by go install, JavaScript programs by npm and Python packages by pip into the folder rowdelta of the user's cache. A
// cached installation is complete or absent, and two processes may install at once.
//
// A server that cannot be installed or started fails the test, with the log's end. It never skips it: a test that was
// asked for and did not run looks like one that passed.
//
// PostgreSQL refuses to run as root, so that root's tests run it as the user postgres. Everything else runs as the test does.
//
// A further server is one more file: what to install (install.go, java.go, node.go, gobuild.go, python.go), a spec with a
// command and a readiness check (process.go), and a type that embeds server (server.go).
package servers
