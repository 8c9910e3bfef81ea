package envelope

import (
	"math"
)

// What PostgreSQL's infinity and -infinity become where only a number can be written.
// The days were captured; they, and the seconds, are beyond what a date or a timestamp
// can be there. The first two of the days are from the stream, the second from a
// snapshot, the third are the ends of 32 bits, which is how PostgreSQL itself has it.
var (
	infiniteDays  = [...]int64{-2147472692, -622191234, math.MaxInt32}
	negativeDays  = [...]int64{-2147472691, -625821272, math.MinInt32}
	infiniteDates = [2]int64{106751991166, 106748361128} // the second as ISO text: days that did not fit 32 bits
)

const (
	infiniteSeconds, infiniteNanos = 9223372036825, 200_000_000
	negativeSeconds, negativeNanos = -9223372036833, 600_000_000
)

// infinity sets d to what PostgreSQL calls infinity, if text is that.
func (d *Datum) infinity(text []byte) bool {
	switch string(text) {
	case "infinity":
		d.inf = 1
	case "-infinity":
		d.inf = -1
	}
	return d.inf != 0
}

// setDays sets a date to days since 1970-01-01.
func (d *Datum) setDays(days int64) {
	for i := range infiniteDays {
		switch days {
		case infiniteDays[i]:
			d.inf = 1
			return
		case negativeDays[i]:
			d.inf = -1
			return
		}
	}
	switch days {
	case infiniteDates[0]:
		d.inf = 1
	case infiniteDates[1]:
		d.inf = -1
	default:
		d.n = days
	}
}

// readDate sets n to days since 1970-01-01.
func (d *Datum) readDate(v Value, a *arena) bool {
	switch v.Kind() {
	case '0':
		return d.readWhole(v)
	case '"':
		text := a.text(v)
		if d.typ.Form != FormPlain || d.infinity(text) {
			return d.typ.Form == FormPlain
		}
		c := cursor{text}
		days, ok := c.date()
		if c.skip("Z"); !ok || !c.end() { // the Z is no zone: a date has none
			return false
		}
		d.setDays(days)
		return true
	case '{':
		p, ok := d.parts(v)
		if !ok || p.infinite(d) {
			return ok
		}
		days, ok := p.date()
		d.n = days
		return ok
	}
	return false
}

// setUnits sets n to seconds, rounded down, and m to nanoseconds, from a number of the
// units of the type's form; false if it has none.
func (d *Datum) setUnits(n int64) bool {
	switch d.typ.Form { // to divide by constants is several times faster
	case FormMillis:
		d.n = floorDiv(n, 1e3)
		d.m = uint64(n-d.n*1e3) * 1e6
	case FormMicros:
		d.n = floorDiv(n, 1e6)
		d.m = uint64(n-d.n*1e6) * 1e3
	case FormNanos:
		d.setNanos(n)
	default:
		return false
	}
	return true
}

// setNanos sets n and m from nanoseconds.
func (d *Datum) setNanos(nanos int64) {
	d.n = floorDiv(nanos, 1e9)
	d.m = uint64(nanos - d.n*1e9)
}

// maxSpan is below the longest time of MySQL's, in seconds: 838:59:59 and a fraction.
const maxSpan = 839 * 3600

// readTime sets n and m to a time since midnight. Those of MySQL can be negative and
// more than a day.
func (d *Datum) readTime(v Value, a *arena) bool {
	switch v.Kind() {
	case '0':
		return d.readWhole(v)
	case '"':
		if d.typ.Form != FormPlain {
			return false
		}
		c := cursor{a.text(v)}
		if d.typ.Kind == KindTime {
			nanos, ok := c.span()
			c.skip("Z") // no zone: such a time has none
			d.setNanos(nanos)
			return ok && c.end() && d.n < maxSpan && d.n >= -maxSpan
		}
		nanos, ok := c.clock()
		if !ok {
			return false
		}
		offset, ok := c.offset()
		if offset != 0 { // in UTC it can be a time of the day before or after
			nanos = (nanos - offset*1e9) % nanosPerDay
			if nanos < 0 {
				nanos += nanosPerDay
			}
		}
		d.setNanos(nanos)
		return ok && c.end()
	case '{':
		p, ok := d.parts(v)
		if !ok {
			return false
		}
		nanos, ok := p.clock()
		if offset := p.n[partOffset]; ok && offset != 0 && d.typ.Kind == KindTimeTZ {
			if nanos = (nanos - offset*1e9) % nanosPerDay; nanos < 0 {
				nanos += nanosPerDay
			}
		}
		d.setNanos(nanos)
		return ok
	}
	return false
}

// setMoment sets n and m to a moment, unless it stands for an infinity.
func (d *Datum) setMoment(seconds, nanos int64) {
	switch {
	case seconds == infiniteSeconds && nanos == infiniteNanos:
		d.n, d.m, d.inf = 0, 0, 1
	case seconds == negativeSeconds && nanos == negativeNanos:
		d.n, d.m, d.inf = 0, 0, -1
	default:
		d.n, d.m = seconds, uint64(nanos)
	}
}

// readTimestamp sets n and m to seconds since 1970-01-01T00:00:00 and nanoseconds.
func (d *Datum) readTimestamp(v Value, a *arena) bool {
	switch v.Kind() {
	case '0':
		return d.readWhole(v)
	case '"':
		text := a.text(v)
		if d.typ.Form != FormPlain || d.infinity(text) {
			return d.typ.Form == FormPlain
		}
		if seconds, nanos, ok := shortMoment(text); ok {
			d.setMoment(seconds, nanos)
			return true
		}
		c := cursor{text}
		days, ok := c.date()
		if !ok || !c.skip("Tt ") {
			return false
		}
		nanos, ok := c.clock()
		if !ok {
			return false
		}
		var offset int64
		if d.typ.Kind == KindInstant {
			offset, ok = c.offset()
		} else {
			c.skip("Z") // no zone: a timestamp without one has none
		}
		seconds := days*secondsPerDay + floorDiv(nanos, 1e9) - offset
		d.setMoment(seconds, nanos%1e9)
		return ok && c.end()
	case '{':
		p, ok := d.parts(v)
		if !ok || p.infinite(d) {
			return ok
		}
		days, ok := p.date()
		nanos, okClock := p.clock()
		d.n = days*secondsPerDay + floorDiv(nanos, 1e9)
		d.m = uint64(nanos % 1e9)
		if d.typ.Kind == KindInstant {
			d.n -= p.n[partOffset]
		}
		return ok && okClock
	}
	return false
}

// readDuration sets n and m to seconds, rounded down, and nanoseconds.
func (d *Datum) readDuration(v Value, a *arena) bool {
	switch v.Kind() {
	case '0':
		return d.readWhole(v)
	case '"':
		i, ok := parseInterval(a.text(v))
		if !ok || i.Months != 0 || i.Days != 0 || d.typ.Form != FormPlain { // days have no fixed length there
			return false
		}
		d.n = floorDiv(i.Micros, 1e6)
		d.m = uint64(i.Micros-d.n*1e6) * 1000
		return true
	}
	return false
}

// readInterval sets m to months and days, and n to microseconds.
func (d *Datum) readInterval(v Value, a *arena) bool {
	var i Interval
	var ok bool
	switch v.Kind() {
	case '"':
		i, ok = parseInterval(a.text(v))
		ok = ok && d.typ.Form == FormPlain
	case '{':
		var p parts
		if p, ok = d.parts(v); ok {
			i, ok = p.interval()
		}
	}
	d.m, d.n = uint64(uint32(i.Months))<<32|uint64(uint32(i.Days)), i.Micros
	return ok
}
