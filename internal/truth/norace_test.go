//go:build !race

package truth_test

// slowdown divides the number of seeded runs. The race detector makes them some
// ten times slower.
const slowdown = 1
