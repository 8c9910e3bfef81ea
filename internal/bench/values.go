package main

import (
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	goccy "github.com/goccy/go-json"

	"github.com/rowdelta/rowdelta/envelope"
)

// valuesSchema is the schema of the rows of values, as Debezium has it by default.
var valuesSchema = &envelope.Schema{Name: "shipments", Fields: []envelope.Field{
	{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
	{Name: "customer_id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}},
	{Name: "warehouse", Type: envelope.Type{Kind: envelope.KindInt, Bits: 16}},
	{Name: "insured", Type: envelope.Type{Kind: envelope.KindBool}},
	{Name: "weight", Type: envelope.Type{Kind: envelope.KindFloat, Bits: 64}},
	{Name: "ratio", Type: envelope.Type{Kind: envelope.KindFloat, Bits: 32}},
	{Name: "address", Type: envelope.Type{Kind: envelope.KindText}},
	{Name: "label", Type: envelope.Type{Kind: envelope.KindText, Length: 60}},
	{Name: "price", Type: envelope.Type{Kind: envelope.KindDecimal, Form: envelope.FormUnscaled, Precision: 10, Scale: valuesScale}},
	{Name: "due", Type: envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}},
	{Name: "created_at", Type: envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}},
	{Name: "seen_at", Type: envelope.Type{Kind: envelope.KindInstant}},
}}

const valuesScale = 2

// A shipment is a row of values as a program wants it.
type shipment struct {
	ID        int64
	Customer  int32 `row:"customer_id"`
	Warehouse int16
	Insured   bool
	Weight    float64
	Ratio     float32
	Address   string
	Label     string
	Price     envelope.Decimal
	Due       time.Time
	Created   time.Time `row:"created_at"`
	Seen      time.Time `row:"seen_at"`
}

// A rawShipment has text that aliases the row.
type rawShipment struct {
	shipment
	address, label []byte
}

// A jsonShipment is a shipment for the rivals, whose types know how Debezium writes a value.
type jsonShipment struct {
	ID        int64       `json:"id"`
	Customer  int32       `json:"customer_id"`
	Warehouse int16       `json:"warehouse"`
	Insured   bool        `json:"insured"`
	Weight    float64     `json:"weight"`
	Ratio     float32     `json:"ratio"`
	Address   string      `json:"address"`
	Label     string      `json:"label"`
	Price     jsonDecimal `json:"price"`
	Due       jsonDate    `json:"due"`
	Created   jsonMicros  `json:"created_at"`
	Seen      time.Time   `json:"seen_at"`
}

func (s *jsonShipment) shipment() shipment {
	return shipment{s.ID, s.Customer, s.Warehouse, s.Insured, s.Weight, s.Ratio, s.Address, s.Label, s.Price.Decimal, time.Time(s.Due), time.Time(s.Created), s.Seen}
}

type (
	jsonDecimal struct{ envelope.Decimal }
	jsonDate    time.Time
	jsonMicros  time.Time
)

var errValue = errors.New("value of another form")

// UnmarshalJSON takes what one of 64 bits takes at most.
func (d *jsonDecimal) UnmarshalJSON(b []byte) error {
	var digits [9]byte
	if len(b) < 2 || b[0] != '"' || base64.StdEncoding.DecodedLen(len(b)-2) > len(digits) {
		return errValue
	}
	n, err := base64.StdEncoding.Decode(digits[:], b[1:len(b)-1])
	if err != nil || n == 0 || n > 8 {
		return errValue
	}
	unscaled := int64(int8(digits[0]))
	for _, c := range digits[1:n] {
		unscaled = unscaled<<8 | int64(c)
	}
	d.Decimal = envelope.NewDecimal(big.NewInt(unscaled), valuesScale)
	return nil
}

func (t *jsonDate) UnmarshalJSON(b []byte) error {
	days, err := strconv.ParseInt(string(b), 10, 32)
	*t = jsonDate(time.Unix(days*24*60*60, 0).UTC())
	return err
}

func (t *jsonMicros) UnmarshalJSON(b []byte) error {
	micros, err := strconv.ParseInt(string(b), 10, 64)
	*t = jsonMicros(time.UnixMicro(micros).UTC())
	return err
}

// values has n rows of twelve columns: 281 bytes each.
func values(n int) *corpus {
	g := newGenerator(8)
	return newCorpus(n, func(dst []byte) []byte {
		id, price := g.Int64N(1e12), g.Int64N(1e8)
		unscaled := big.NewInt(price)
		bytes := unscaled.FillBytes(make([]byte, unscaled.BitLen()/8+1))
		micros := g.nanos() / 1e3
		dst = fmt.Appendf(dst, `{"id":%d,"customer_id":%d,"warehouse":%d,"insured":%t,"weight":%.3f,"ratio":%.4f,`,
			id, g.IntN(10_000_000), g.IntN(300), g.IntN(2) == 0, g.Float64()*100, g.Float32())
		dst = fmt.Appendf(dst, `"address":%s,"label":%s,"price":"%s","due":%d,"created_at":%d,"seen_at":"%s"}`,
			quote(fmt.Sprintf("%d %s, %05d %s", g.IntN(9999), pick(g, streets), g.IntN(99999), pick(g, cities))),
			quote(fmt.Sprintf("%s \"%s\"\t%d", pick(g, statuses), pick(g, words), g.IntN(1000))),
			base64.StdEncoding.EncodeToString(bytes), 20_370+g.IntN(30), micros,
			time.UnixMicro(micros+g.Int64N(1e9)).UTC().Format("2006-01-02T15:04:05.000000Z"))
		return dst
	})
}

// A reading is a contender in reading values: read is what is measured, shipment what came of it.
type reading struct {
	name     string
	read     func(row []byte) error
	shipment func() shipment
}

// readOurs asks for one value after another, as a program does that knows its table.
func readOurs() reading {
	var r envelope.RowReader
	var s rawShipment
	return reading{
		name: ours,
		read: func(row []byte) error {
			if err := r.Read(valuesSchema, row); err != nil {
				return err
			}
			return s.take(&r)
		},
		shipment: func() shipment {
			whole := s.shipment
			whole.Address, whole.Label = string(s.address), string(s.label)
			return whole
		},
	}
}

func (s *rawShipment) take(r *envelope.RowReader) error {
	var ok [12]bool
	var customer, warehouse int64
	var ratio float64
	s.ID, ok[0] = r.Datum(0).Int64()
	customer, ok[1] = r.Datum(1).Int64()
	warehouse, ok[2] = r.Datum(2).Int64()
	s.Insured, ok[3] = r.Datum(3).Bool()
	s.Weight, ok[4] = r.Datum(4).Float64()
	ratio, ok[5] = r.Datum(5).Float64()
	s.address, ok[6] = r.Datum(6).Bytes()
	s.label, ok[7] = r.Datum(7).Bytes()
	s.Price, ok[8] = r.Datum(8).Decimal()
	s.Due, ok[9] = r.Datum(9).Time()
	s.Created, ok[10] = r.Datum(10).Time()
	s.Seen, ok[11] = r.Datum(11).Time()
	s.Customer, s.Warehouse, s.Ratio = int32(customer), int16(warehouse), float32(ratio) // the schema says that they fit
	for i := range ok {
		if !ok[i] {
			return fmt.Errorf("column %d: %v", i, r.Datum(i).State())
		}
	}
	return nil
}

// readStruct has our library fill a struct.
func readStruct() reading {
	var r envelope.RowReader
	var s shipment
	return reading{
		name:     ours,
		read:     func(row []byte) error { return r.Decode(valuesSchema, row, &s) },
		shipment: func() shipment { return s },
	}
}

// readJSON returns a rival.
func readJSON(name string, unmarshal func([]byte, any) error) reading {
	var s jsonShipment
	return reading{
		name:     name,
		read:     func(row []byte) error { return unmarshal(row, &s) },
		shipment: func() shipment { return s.shipment() },
	}
}

// unmarshalAliasing is goccy's function with strings that alias the row, as our text does.
func unmarshalAliasing(b []byte, v any) error {
	return goccy.UnmarshalWithOption(b, v, goccy.DecodeNoCopyString())
}

// differs names the first field in which two shipments differ, if any.
func (s *shipment) differs(other *shipment) string {
	switch {
	case s.ID != other.ID:
		return "id"
	case s.Customer != other.Customer:
		return "customer_id"
	case s.Warehouse != other.Warehouse:
		return "warehouse"
	case s.Insured != other.Insured:
		return "insured"
	case s.Weight != other.Weight:
		return "weight"
	case s.Ratio != other.Ratio:
		return "ratio"
	case s.Address != other.Address:
		return "address"
	case s.Label != other.Label:
		return "label"
	case s.Price.Cmp(other.Price) != 0 || s.Price.Scale() != other.Price.Scale():
		return "price"
	case s.Due != other.Due:
		return "due"
	case s.Created != other.Created:
		return "created_at"
	case s.Seen != other.Seen:
		return "seen_at"
	}
	return ""
}

// readAlike checks that all get the same values out of every row.
func readAlike(rows [][]byte, readings []reading) error {
	for i, row := range rows {
		var want shipment
		for n, r := range readings {
			if err := r.read(row); err != nil {
				return fmt.Errorf("row %d: %s: %w", i, r.name, err)
			}
			got := r.shipment()
			if n == 0 {
				want = got
			} else if column := want.differs(&got); column != "" {
				return fmt.Errorf("row %d: %s and %s differ in %s", i, readings[0].name, r.name, column)
			}
		}
	}
	return nil
}

// valuesRowJob makes a job of reading rows value by value; text may alias the row.
func valuesRowJob(n int) func() (*prepared, error) {
	return func() (*prepared, error) {
		return prepareValues(n, readOurs(), readJSON("goccy", unmarshalAliasing), readJSON("encoding/json", stdjson.Unmarshal))
	}
}

// valuesStructJob makes a job of filling structs, whose text is their own.
func valuesStructJob(n int) func() (*prepared, error) {
	return func() (*prepared, error) {
		return prepareValues(n, readStruct(), readJSON("goccy", unmarshalGoccy), readJSON("encoding/json", stdjson.Unmarshal))
	}
}

func prepareValues(n int, readings ...reading) (*prepared, error) {
	rows := values(n).records
	if err := readAlike(rows, readings); err != nil {
		return nil, err
	}
	p := &prepared{ops: n}
	for _, r := range readings {
		p.contenders = append(p.contenders, contender{r.name, func() error {
			for _, row := range rows {
				if err := r.read(row); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	return p, nil
}
