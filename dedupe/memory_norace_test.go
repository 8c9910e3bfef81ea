//go:build !race

package dedupe_test

const memoryPoolLoses = false
