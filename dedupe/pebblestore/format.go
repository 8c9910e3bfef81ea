package pebblestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/rowdelta/rowdelta/envelope"
)

// What the names of a database begin with.
const (
	nameOther = iota
	nameKey
	nameDigest
	nameEnd
)

const (
	formatName    = string(rune(nameOther)) + "format"
	formatOf      = "rowdelta marks "
	formatCurrent = formatOf + "1"
	floorName     = string(rune(nameOther)) + "floor"

	// longestKey is the length of keys from which on their digests are kept. So no
	// key is too long, and no record too large for a table.
	longestKey = 1024
)

// appendName appends the name under which the mark of a key is kept.
func appendName(dst, key []byte) []byte {
	if len(key) <= longestKey {
		return append(append(dst, nameKey), key...)
	}
	sum := sha256.Sum256(key)
	return append(append(dst, nameDigest), sum[:]...)
}

// mark returns the mark of a name, or the zero Version.
func (s *Store) mark(name []byte) (v envelope.Version, err error) {
	value, closer, err := s.db.Get(name)
	if errors.Is(err, pebble.ErrNotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v, err = parse(value)
	return v, errors.Join(err, closer.Close())
}

// parse returns the mark that a value is.
func parse(value []byte) (v envelope.Version, err error) {
	if err := v.UnmarshalBinary(value); err != nil {
		return v, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if v.IsZero() {
		return v, fmt.Errorf("%w: it is zero", ErrCorrupt)
	}
	return v, nil
}

// readFloor reads up to when marks were evicted.
func (s *Store) readFloor() error {
	s.floor.Store(math.MinInt64)
	value, closer, err := s.db.Get([]byte(floorName))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(value) != 8 {
		return errors.Join(fmt.Errorf("%w: the floor has %d bytes", ErrCorrupt, len(value)), closer.Close())
	}
	s.floor.Store(int64(binary.BigEndian.Uint64(value)))
	return closer.Close()
}

// format refuses a database that is not this package's. A new one becomes so.
func (s *Store) format() error {
	value, closer, err := s.db.Get([]byte(formatName))
	switch {
	case err == nil:
		text := string(value)
		if err := closer.Close(); err != nil {
			return err
		}
		if text != formatCurrent {
			return unknownFormat(text)
		}
	case !errors.Is(err, pebble.ErrNotFound):
		return err
	default:
		if err := s.empty(); err != nil {
			return err
		}
		if err := s.db.Set([]byte(formatName), []byte(formatCurrent), pebble.Sync); err != nil {
			return err
		}
	}
	if err := s.readFloor(); err != nil {
		return err
	}
	// Not the newest: a later version of Pebble would then leave behind a directory
	// that an earlier version of this package cannot open.
	return s.db.RatchetFormatMajorVersion(max(pebble.FormatTableFormatV6, s.db.FormatMajorVersion()))
}

// unknownFormat says what the marker of another format tells.
func unknownFormat(text string) error {
	if number, ok := bytes.CutPrefix([]byte(text), []byte(formatOf)); ok && len(number) < 8 {
		return fmt.Errorf("%w: its format is %q, this version knows %q", ErrFormat, text, formatCurrent)
	}
	return fmt.Errorf("%w: another program's database", ErrFormat)
}

// empty refuses a database that has anything in it.
func (s *Store) empty() (err error) {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if it.First() {
		return fmt.Errorf("%w: another program's database", ErrFormat)
	}
	return it.Error()
}
