//go:build !race

package dsql_test

const raceEnabled = false
