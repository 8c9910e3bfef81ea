package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// A row is a row of an Iceberg table: the values of its columns as PostgreSQL prints
// them, nil for null.
type row []*string

// read returns the rows of a snapshot of a table by their key, the newest if it is 0.
// All keys have one column.
func read(ctx context.Context, tables *committer.Committer, source envelope.Table, snapshot int64) (*iceberg.Schema, []row, error) {
	info, err := tables.Info(ctx, source)
	if err != nil {
		return nil, nil, err
	}
	var all []row
	for some, err := range tables.Rows(ctx, source, snapshot) {
		if err != nil {
			return nil, nil, err
		}
		for i := range some.Len {
			r := make(row, len(some.Columns))
			for n, c := range info.Schema.Columns {
				if v := &some.Columns[n]; !v.Null[i] {
					text, err := textOf(c.Type, v, i)
					if err != nil {
						return nil, nil, err
					}
					r[n] = &text
				}
			}
			all = append(all, r)
		}
	}
	key := info.Schema.Index(info.Schema.Key[0])
	slices.SortFunc(all, func(a, b row) int {
		return cmp.Or(cmp.Compare(len(*a[key]), len(*b[key])), cmp.Compare(*a[key], *b[key])) // 9 before 10
	})
	return info.Schema, all, nil
}

// textOf returns a value as text.
func textOf(t icetype.Type, v *iceberg.Vector, i int) (string, error) {
	switch t.Kind {
	case icetype.Int, icetype.Long:
		return strconv.FormatInt(v.Ints[i], 10), nil
	case icetype.Decimal:
		unscaled := new(big.Int).Lsh(big.NewInt(v.Decimals[i].Hi), 64)
		unscaled.Add(unscaled, new(big.Int).SetUint64(v.Decimals[i].Lo))
		return envelope.NewDecimal(unscaled, int32(t.Scale)).String(), nil
	case icetype.Timestamp:
		return time.UnixMicro(v.Ints[i]).UTC().Format("2006-01-02 15:04:05.999999"), nil
	case icetype.String:
		return string(v.Value(i)), nil
	case icetype.Binary:
		return base64.StdEncoding.EncodeToString(v.Value(i)), nil
	}
	return "", fmt.Errorf("no column here has type %v", t) // the tables have no other types
}
