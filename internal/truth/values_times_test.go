package truth_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// An instant is a moment as seconds, of any sign, and microseconds above them. What
// PostgreSQL has goes beyond an int64 of microseconds.
type instant struct {
	seconds, micros int64
	infinite        int // the sign of an infinity
}

const secondsPerDay = 24 * 60 * 60

// at reads a moment: the neutral form, or the text of an array's element, which has
// none.
func (c *cell) at() (instant, error) {
	if c.set.mysql && (strings.HasPrefix(c.text, "0000-") || strings.Contains(c.text, "-00")) && c.sql != "time" {
		return instant{}, errors.New("no date, though MySQL has it")
	}
	if c.canon == nil {
		for _, layout := range []string{"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
			if at, err := time.Parse(layout, c.text); err == nil {
				return instant{seconds: at.Unix(), micros: int64(at.Nanosecond() / 1000)}, nil
			}
		}
		at, err := time.Parse("2006-01-02 15:04:05.999999999", "1970-01-01 "+c.text)
		return instant{seconds: at.Unix(), micros: int64(at.Nanosecond() / 1000)}, err
	}
	switch s := text(c.canon); strings.ToLower(s) {
	case "infinity":
		return instant{infinite: 1}, nil
	case "-infinity":
		return instant{infinite: -1}, nil
	default:
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return instant{}, fmt.Errorf("no number: %q", s)
		}
		if !n.IsInt64() && strings.Contains(c.text, ".999999") { // the server rounded it
			n.Sub(n, big.NewInt(1))
		}
		seconds, micros := new(big.Int).DivMod(n, big.NewInt(1_000_000), new(big.Int))
		return instant{seconds: seconds.Int64(), micros: micros.Int64()}, nil
	}
}

// coarse is what is left of a moment where the connector counts milliseconds
// (time.precision.mode=connect).
func (c *cell) coarse(at instant) instant {
	if rest := at.micros % 1000; c.set.millis && rest != 0 {
		at.micros -= rest
		c.rounded = true
	}
	return at
}

// duration is a moment as the time since 1970.
func (at instant) duration() time.Duration {
	return time.Duration(at.seconds)*time.Second + time.Duration(at.micros)*time.Microsecond
}

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

func (c *cell) date() error {
	if err := c.kind(envelope.KindDate); err != nil {
		return err
	}
	at, err := c.at()
	if err != nil {
		return err
	}
	days := floor(at.seconds, secondsPerDay)
	if c.canon != nil && at.infinite == 0 { // which counts days
		if days, err = strconv.ParseInt(text(c.canon), 10, 64); err != nil {
			return err
		}
	}
	if got := c.d.Infinity(); got != at.infinite {
		return errOther
	} else if got != 0 {
		return c.reads(infinityText(got))
	}
	if got, ok := c.d.Date(); !ok || got != days {
		return errOther
	}
	if got, ok := c.d.Time(); !ok || got.Unix() != days*secondsPerDay || got.Nanosecond() != 0 {
		return errOther
	}
	return c.reads(dateText(days))
}

// moment compares a timestamp of either kind.
func (c *cell) moment(k envelope.Kind) error {
	if err := c.kind(k); err != nil {
		return err
	}
	at, err := c.at()
	if err != nil {
		return err
	}
	if got := c.d.Infinity(); got != at.infinite {
		return errOther
	} else if got != 0 {
		return c.reads(infinityText(got))
	}
	if k == envelope.KindTimestamp {
		at = c.coarse(at)
	}
	if got, ok := c.d.Time(); !ok || got.Unix() != at.seconds || got.Nanosecond() != int(at.micros)*1000 {
		return errOther
	}
	day := floor(at.seconds, secondsPerDay)
	at.seconds -= day * secondsPerDay
	read := dateText(day) + "T" + clockText(at.duration())
	if k == envelope.KindInstant {
		read += "Z"
	}
	return c.reads(read)
}

func (c *cell) clock() error {
	if err := c.kind(envelope.KindTime); err != nil {
		return err
	}
	at, err := c.at()
	if err != nil {
		return err
	}
	want := c.coarse(at).duration()
	if got, ok := c.d.Duration(); !ok || got != want {
		return errOther
	}
	return c.reads(clockText(want))
}

// clockUTC compares a time with a zone, which the records have in UTC, within a day.
func (c *cell) clockUTC() error {
	if err := c.kind(envelope.KindTimeTZ); err != nil {
		return err
	}
	at, err := c.at()
	if err != nil {
		return err
	}
	at.seconds -= floor(at.seconds, secondsPerDay) * secondsPerDay
	if got, ok := c.d.Duration(); !ok || got != at.duration() {
		return errOther
	}
	return c.reads(clockText(at.duration()) + "Z")
}

// interval compares months, days and microseconds; as a number of microseconds a
// month has 30.4375 days.
func (c *cell) interval() error {
	var months, days, micros int64
	if _, err := fmt.Sscan(text(c.canon), &months, &days, &micros); err != nil {
		return err
	}
	got, ok := c.d.Interval()
	if c.set.intervals == "string" {
		if err := c.kind(envelope.KindInterval); err != nil {
			return err
		}
		if want := (envelope.Interval{Months: int32(months), Days: int32(days), Micros: micros}); !ok || got != want {
			return errOther
		}
		if got.String() != c.text {
			return fmt.Errorf("%w: %s, want %s", errText, got, c.text)
		}
		return c.reads(c.text) // the database's text is in ISO 8601 too
	}
	if err := c.kind(envelope.KindDuration); err != nil {
		return err
	}
	const microsPerDay = secondsPerDay * 1_000_000
	sum := new(big.Int).Mul(big.NewInt(months), big.NewInt(microsPerDay/10000*304375))
	sum.Add(sum, new(big.Int).Mul(big.NewInt(days), big.NewInt(microsPerDay)))
	sum.Add(sum, big.NewInt(micros))
	switch { // it saturates
	case sum.Cmp(big.NewInt(math.MaxInt64)) > 0:
		sum.SetInt64(math.MaxInt64)
	case sum.Cmp(big.NewInt(math.MinInt64)) < 0:
		sum.SetInt64(math.MinInt64)
	}
	if !ok || got.Months != 0 || got.Days != 0 || got.Micros != sum.Int64() {
		return errOther
	}
	return c.reads(durationText(sum))
}

func infinityText(sign int) string {
	if sign < 0 {
		return "-infinity"
	}
	return "infinity"
}

// dateText counts days from 1970-01-01 in eras of 400 years. Package time would do for
// the years of the captures; this shares nothing with what may use that.
func dateText(days int64) string {
	const daysPerEra = 146097
	days += 719468 // from 0000-03-01
	era := floor(days, daysPerEra)
	day := days - era*daysPerEra
	year := (day - day/1460 + day/36524 - day/146096) / 365
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153
	day -= (153*month+2)/5 - 1
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	year += era * 400
	switch {
	case year < 0:
		return fmt.Sprintf("-%04d-%02d-%02d", -year, month, day)
	case year > 9999:
		return fmt.Sprintf("+%d-%02d-%02d", year, month, day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

// clockText is hours, minutes, seconds and as much of a fraction as there is.
func clockText(d time.Duration) string {
	sign, micros := "", d.Microseconds()
	if micros < 0 {
		sign, micros = "-", -micros
	}
	s := fmt.Sprintf("%s%02d:%02d:%02d", sign, micros/3_600_000_000, micros/60_000_000%60, micros/1_000_000%60)
	if fraction := micros % 1_000_000; fraction != 0 {
		s += strings.TrimRight(fmt.Sprintf(".%06d", fraction), "0")
	}
	return s
}

// durationText is microseconds in ISO 8601, in hours and less.
func durationText(micros *big.Int) string {
	if micros.Sign() == 0 {
		return "PT0S"
	}
	sign := ""
	if micros.Sign() < 0 {
		sign = "-"
	}
	seconds, fraction := new(big.Int).QuoRem(new(big.Int).Abs(micros), big.NewInt(1_000_000), new(big.Int))
	minutes, second := new(big.Int).QuoRem(seconds, big.NewInt(60), new(big.Int))
	hours, minute := new(big.Int).QuoRem(minutes, big.NewInt(60), new(big.Int))
	s := "PT"
	for _, part := range []struct {
		n    *big.Int
		unit string
	}{{hours, "H"}, {minute, "M"}} {
		if part.n.Sign() != 0 {
			s += sign + part.n.String() + part.unit
		}
	}
	if second.Sign() != 0 || fraction.Sign() != 0 {
		s += sign + second.String()
		if fraction.Sign() != 0 {
			s += strings.TrimRight(fmt.Sprintf(".%06d", fraction.Int64()), "0")
		}
		s += "S"
	}
	return s
}
