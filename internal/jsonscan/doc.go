// Package jsonscan finds and validates JSON values inside a byte slice without
// copying or allocating.
//
// Every function takes the whole input and an index and returns the index
// after what it consumed, or -1 if the input is not valid there. The fast
// functions do not say what is wrong: bad input is rare, and an error path
// carried through every return costs good input about a tenth of its speed.
// [Diagnose] walks the bad input a second time, slowly, and names the offset,
// the JSON Pointer and the cause.
//
// The grammar is RFC 8259's as encoding/json applies it (so a lone surrogate
// escape is accepted and nesting ends at [MaxDepth]), and text must be
// well-formed UTF-8, which encoding/json does not ask for.
package jsonscan

// MaxDepth is how deep arrays and objects may be nested: encoding/json's limit.
const MaxDepth = 10000
