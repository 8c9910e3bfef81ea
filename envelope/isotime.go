package envelope

import "strconv"

const (
	secondsPerDay = 24 * 60 * 60
	nanosPerDay   = secondsPerDay * 1e9
)

// A cursor reads a text from its beginning. The read methods report false, and leave
// it anywhere, if something else is there.
type cursor struct{ rest []byte }

// skip steps over one of the bytes, if it is next.
func (c *cursor) skip(bytes string) bool {
	if len(c.rest) == 0 {
		return false
	}
	for i := range len(bytes) {
		if c.rest[0] == bytes[i] {
			c.rest = c.rest[1:]
			return true
		}
	}
	return false
}

// digits reads a number of at least and at most so many digits.
func (c *cursor) digits(least, most int) (n int64, ok bool) {
	i := 0
	for i < len(c.rest) && i < most && c.rest[i]-'0' <= 9 {
		n = 10*n + int64(c.rest[i]-'0')
		i++
	}
	c.rest = c.rest[i:]
	return n, i >= least
}

// upTo reads two digits that are not above a limit.
func (c *cursor) upTo(limit int64) (n int64, ok bool) {
	n, ok = c.digits(2, 2)
	return n, ok && n <= limit
}

// fraction reads the digits of a second's fraction behind its point, if one is next,
// as nanoseconds. Digits behind the ninth must be zeros.
func (c *cursor) fraction() (nanos int64, ok bool) {
	if !c.skip(".,") {
		return 0, true
	}
	before := len(c.rest)
	nanos, ok = c.digits(1, 9)
	for range 9 - (before - len(c.rest)) {
		nanos *= 10
	}
	for c.skip("0") {
	}
	return nanos, ok
}

// date reads an ISO 8601 date, with a sign if its year is not one of four digits, as
// days since 1970-01-01.
func (c *cursor) date() (days int64, ok bool) {
	negative := c.skip("-")
	signed := negative || c.skip("+")
	before := len(c.rest)
	year, ok := c.digits(4, 9)
	if !ok || !signed && before-len(c.rest) != 4 || !c.skip("-") {
		return 0, false
	}
	if negative {
		year = -year
	}
	month, ok := c.upTo(12)
	if !ok || !c.skip("-") {
		return 0, false
	}
	day, ok := c.upTo(31)
	if !ok || month == 0 || day == 0 || day > monthDays(year, month) {
		return 0, false
	}
	return daysOf(year, month, day), true
}

// clock reads HH:MM, HH:MM:SS or HH:MM:SS.f, of up to 24:00:00, as nanoseconds since
// midnight.
func (c *cursor) clock() (nanos int64, ok bool) {
	hour, ok := c.upTo(24)
	if !ok {
		return 0, false
	}
	nanos, ok = c.minutes()
	return hour*3600e9 + nanos, ok && (hour < 24 || nanos == 0)
}

// minutes reads what stands behind an hour.
func (c *cursor) minutes() (nanos int64, ok bool) {
	if !c.skip(":") {
		return 0, false
	}
	minute, ok := c.upTo(59)
	if !ok || !c.skip(":") {
		return minute * 60e9, ok
	}
	second, ok := c.upTo(59)
	if !ok {
		return 0, false
	}
	fraction, ok := c.fraction()
	return minute*60e9 + second*1e9 + fraction, ok
}

// span reads a time of MySQL's, which can have a sign and up to three digits of hours.
func (c *cursor) span() (nanos int64, ok bool) {
	negative := c.skip("-")
	hour, ok := c.digits(2, 3)
	if !ok {
		return 0, false
	}
	if nanos, ok = c.minutes(); negative {
		return -hour*3600e9 - nanos, ok
	}
	return hour*3600e9 + nanos, ok
}

// offset reads Z, ±HH, ±HH:MM or ±HH:MM:SS as seconds east of UTC.
func (c *cursor) offset() (seconds int64, ok bool) {
	if c.skip("Zz") {
		return 0, true
	}
	negative := c.skip("-")
	if !negative && !c.skip("+") {
		return 0, false
	}
	seconds, ok = c.upTo(18)
	seconds *= 3600
	for unit := int64(60); ok && unit > 0 && c.skip(":"); unit /= 60 {
		var n int64
		n, ok = c.upTo(59)
		seconds += n * unit
	}
	if negative {
		seconds = -seconds
	}
	return seconds, ok
}

// end reports whether everything was read.
func (c *cursor) end() bool { return len(c.rest) == 0 }

func leap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// monthDays returns how many days a month from 1 to 12 has.
func monthDays(year, month int64) int64 {
	switch month {
	case 2:
		if leap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysOf returns the days since 1970-01-01 in the proleptic Gregorian calendar. The
// year before 1 is 0. Months count from March in it, so that the leap day comes last;
// 400 years have 146,097 days. time.Date would do, but for years that it wraps.
func daysOf(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	year -= era * 400
	return era*146097 + year*365 + year/4 - year/100 + (153*(month-3)+2)/5 + day - 1 - 719468
}

// dateOf is the inverse of daysOf.
func dateOf(days int64) (year, month, day int64) {
	days += 719468
	era := floorDiv(days, 146097)
	days -= era * 146097
	year = (days - days/1460 + days/36524 - days/146096) / 365
	days -= year*365 + year/4 - year/100
	month = (5*days + 2) / 153
	day = days - (153*month+2)/5 + 1
	month += 3
	if month > 12 {
		month -= 12
		year++
	}
	return year + era*400, month, day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// appendDate appends days since 1970-01-01 as an ISO 8601 date.
func appendDate(dst []byte, days int64) []byte {
	year, month, day := dateOf(days)
	switch {
	case year < 0:
		dst = append(dst, '-')
		year = -year
	case year > 9999:
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, uint64(year), 4)
	return append(dst, '-', byte('0'+month/10), byte('0'+month%10), '-', byte('0'+day/10), byte('0'+day%10))
}

// appendClock appends a time of day, or a span, as [-]HH:MM:SS[.f].
func appendClock(dst []byte, seconds, nanos int64) []byte {
	if seconds < 0 {
		dst = append(dst, '-')
		if seconds = -seconds; nanos > 0 {
			seconds, nanos = seconds-1, 1e9-nanos
		}
	}
	dst = appendPadded(dst, uint64(seconds/3600), 2)
	dst = appendPadded(append(dst, ':'), uint64(seconds/60%60), 2)
	dst = appendPadded(append(dst, ':'), uint64(seconds%60), 2)
	return appendFraction(dst, nanos)
}

// appendFraction appends the point and the digits of a second's fraction, if it has one.
func appendFraction(dst []byte, nanos int64) []byte {
	if nanos == 0 {
		return dst
	}
	dst = appendPadded(append(dst, '.'), uint64(nanos), 9)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendInt appends a number and a letter, unless the number is 0.
func appendInt(dst []byte, n int64, unit byte) []byte {
	if n == 0 {
		return dst
	}
	return append(strconv.AppendInt(dst, n, 10), unit)
}
