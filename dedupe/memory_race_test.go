//go:build race

package dedupe_test

// The race detector has a sync.Pool lose some of what is put into it.
const memoryPoolLoses = true
