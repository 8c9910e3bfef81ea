package envelope

// A connector is a source whose positions are known, or unknown.
type connector uint8

const (
	connectorUnknown connector = iota
	connectorCassandra
	connectorCockroachDB
	connectorInformix
	connectorMongoDB
	connectorMySQL // and MariaDB
	connectorOracle
	connectorPostgreSQL
	connectorSpanner
	connectorSQLServer // and Db2
	connectorTiCDC
)

// connectorOf returns the connector of a name as in source.connector.
func connectorOf[text string | []byte](name text) connector {
	switch string(name) {
	case "cassandra":
		return connectorCassandra
	case "cockroachdb":
		return connectorCockroachDB
	case "informix":
		return connectorInformix
	case "mongodb":
		return connectorMongoDB
	case "mysql", "mariadb":
		return connectorMySQL
	case "oracle":
		return connectorOracle
	case "postgresql":
		return connectorPostgreSQL
	case "spanner":
		return connectorSpanner
	case "sqlserver", "db2":
		return connectorSQLServer
	case "TiCDC":
		return connectorTiCDC
	}
	return connectorUnknown
}
