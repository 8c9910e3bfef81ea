package envelope

import (
	"math"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// The members of what Debezium's time.precision.mode=structured writes, from 3.7 on.
const (
	partYear = iota
	partMonth
	partDay
	partHour
	partMinute
	partSecond
	partNanos
	partOffset
	partYears
	partMonths
	partDays
	partHours
	partMinutes
	partSeconds
	partCount
)

var partNames = [partCount]string{
	"year", "month", "day", "hour", "minute", "second", "nanos", "offsetSeconds",
	"years", "months", "days", "hours", "minutes", "seconds",
}

// parts are a date, a time or a duration taken apart.
type parts struct {
	n       [partCount]int64
	has     uint32 // bits
	special string
}

// parts reads an object of parts; null members are missing ones.
func (d *Datum) parts(v Value) (p parts, ok bool) {
	if d.typ.Form != FormParts {
		return p, false
	}
	for o := (object{b: v}); o.next(); {
		if o.column.Value.IsNull() {
			continue
		}
		if o.column.Is("specialValue") {
			switch string(o.column.Value) {
			case `"POSITIVE_INFINITY"`:
				p.special = "infinity"
			case `"NEGATIVE_INFINITY"`:
				p.special = "-infinity"
			default:
				return p, false
			}
		}
		for i, name := range partNames {
			if o.column.Is(name) {
				if p.n[i], ok = jsonscan.Int(o.column.Value); !ok || p.n[i] > math.MaxInt32 && i != partSeconds || p.n[i] < math.MinInt32 && i != partSeconds {
					return p, false
				}
				p.has |= 1 << i
			}
		}
	}
	return p, true
}

// infinite sets d to an infinity if that is what it is.
func (p *parts) infinite(d *Datum) bool { return p.special != "" && d.infinity([]byte(p.special)) }

// date returns days since 1970-01-01. What is no date, such as MySQL's 0000-00-00, is
// none.
func (p *parts) date() (days int64, ok bool) {
	const all = 1<<partYear | 1<<partMonth | 1<<partDay
	year, month, day := p.n[partYear], p.n[partMonth], p.n[partDay]
	if p.has&all != all || month < 1 || month > 12 || day < 1 || day > monthDays(year, month) {
		return 0, false
	}
	return daysOf(year, month, day), true
}

// clock returns nanoseconds since midnight, up to 24:00:00.
func (p *parts) clock() (nanos int64, ok bool) {
	hour, minute, second, fraction := p.n[partHour], p.n[partMinute], p.n[partSecond], p.n[partNanos]
	if p.has&(1<<partHour|1<<partMinute) != 1<<partHour|1<<partMinute || hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 59 || fraction < 0 || fraction > 999_999_999 {
		return 0, false
	}
	nanos = hour*3600e9 + minute*60e9 + second*1e9 + fraction
	return nanos, hour < 24 || nanos == nanosPerDay
}

// interval returns the parts as an interval.
func (p *parts) interval() (i Interval, ok bool) {
	months := p.n[partYears]*12 + p.n[partMonths]
	sum := sum{ok: p.n[partNanos]%1000 == 0}
	sum.add(p.n[partHours], 3600e6)
	sum.add(p.n[partMinutes], 60e6)
	sum.add(p.n[partSeconds], 1e6)
	sum.add(p.n[partNanos]/1000, 1)
	i = Interval{Months: int32(months), Days: int32(p.n[partDays]), Micros: sum.n}
	return i, p.has>>partYears != 0 && sum.ok && months == int64(i.Months)
}
