package s3fragments

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// folderBytes bounds the part of a name that stands for a chunk ID.
const folderBytes = 200

// folder returns what the names of an image's objects begin with.
func (s *Store) folder(chunkID string) string {
	prefix := s.Prefix
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return prefix + escape(chunkID) + "/"
}

// escape returns chunkID as one element of an object's name, another one for
// each chunkID. Not percent signs, which S3 advises against and some gateways
// resolve; not base64, in which nobody finds an ID again.
func escape(chunkID string) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, folderBytes)
	for i := range len(chunkID) {
		switch c := chunkID[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-':
			b = append(b, c)
		default:
			b = append(b, '_', digits[c>>4], digits[c&15])
		}
	}
	if len(b) == 0 || len(b) > folderBytes {
		// No escape begins with two underscores.
		sum := sha256.Sum256([]byte(chunkID))
		return "__" + hex.EncodeToString(sum[:])
	}
	return string(b)
}

// index returns the index of the fragment that the last element of a name stands
// for.
func index(name string) (int, bool) {
	n, err := strconv.Atoi(name)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == name
}
