//go:build race

package truth_test

// slowdown divides the number of seeded runs.
const slowdown = 40
