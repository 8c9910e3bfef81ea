//go:build race

package storetest

var brokenUnderRace map[string]brokenStore
