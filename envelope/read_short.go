package envelope

// What most values look like can be read in a fraction of the time that it takes to
// look for all that they may be. Each function here reports false for the rest, which
// is not always wrong.

// powersOfTen are exact, as floats of 64 bits, and up to the tenth as ones of 32.
var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16}

// shortWhole reads an integer of up to 18 digits in a row, and returns the index
// behind it. It finds the end of the number and its value at once.
func shortWhole(row []byte, i int) (n int64, end int, ok bool) {
	negative := i < len(row) && row[i] == '-'
	if negative {
		i++
	}
	start := i
	for i < len(row) && row[i]-'0' <= 9 {
		n = n*10 + int64(row[i]-'0')
		i++
	}
	size := i - start
	if size == 0 || size > 18 || size > 1 && row[start] == '0' || i == len(row) || row[i] != ',' && row[i] != '}' {
		return 0, i, false
	}
	if negative {
		n = -n
	}
	return n, i, true
}

// shortFloat returns a number of so few digits that it is the quotient of two floats
// that are exact: then it is rounded once, as it should be. It is a valid number, and
// not in JSON's exponential form.
func shortFloat(v Value, single bool) (f float64, ok bool) {
	digits := v
	if v[0] == '-' {
		digits = v[1:]
	}
	if len(digits) > len(powersOfTen) {
		return 0, false
	}
	const dot = '.' - '0' + 256 // as a byte
	var mantissa uint64
	point := len(digits) - 1
	for i, c := range digits {
		if c -= '0'; c > 9 {
			if c != dot {
				return 0, false
			}
			point = i
			continue
		}
		mantissa = mantissa*10 + uint64(c)
	}
	decimals := len(digits) - 1 - point
	switch {
	case single && (mantissa >= 1<<24 || decimals > 10):
		return 0, false
	case single:
		f = float64(float32(mantissa) / float32(powersOfTen[decimals]))
	default: // the mantissa has 16 digits at most, which are not always below 2⁵³
		if mantissa >= 1<<53 {
			return 0, false
		}
		f = float64(mantissa) / powersOfTen[decimals]
	}
	if v[0] == '-' {
		f = -f
	}
	return f, true
}

// shortMoment reads 2006-01-02T15:04:05Z, with a fraction or without.
func shortMoment(text []byte) (seconds, nanos int64, ok bool) {
	const layout = "2006-01-02T15:04:05"
	last := len(text) - 1
	if last < len(layout) || last > len(layout)+10 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[last] != 'Z' {
		return 0, 0, false
	}
	century, year, month, day := twoDigits(text, 0), twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8)
	hour, minute, second := twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)
	if century > 99 || year > 99 || month-1 > 11 || day-1 > 30 || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, false
	}
	y, m, d := int64(100*century+year), int64(month), int64(day)
	if d > 28 && d > monthDays(y, m) {
		return 0, 0, false
	}
	if last > len(layout) {
		fraction := text[len(layout)+1 : last]
		if text[len(layout)] != '.' || len(fraction) == 0 {
			return 0, 0, false
		}
		for _, c := range fraction {
			if c -= '0'; c > 9 {
				return 0, 0, false
			}
			nanos = nanos*10 + int64(c)
		}
		nanos *= nanosOf[len(fraction)]
	}
	return daysOf(y, m, d)*secondsPerDay + int64(hour*3600+minute*60+second), nanos, true
}

// nanosOf are the nanoseconds in the last of so many digits of a second's fraction.
var nanosOf = [10]int64{1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1}

// twoDigits returns a number of two digits, more than 99 if they are none.
func twoDigits(text []byte, i int) uint {
	tens, ones := text[i]-'0', text[i+1]-'0'
	if tens > 9 || ones > 9 {
		return 100
	}
	return uint(tens)*10 + uint(ones)
}

// shortUnscaled reads base64 of one to seven bytes, an integer in two's complement, and
// returns how many bytes they were.
func shortUnscaled(v Value) (n int64, size int, ok bool) {
	text := v[1 : len(v)-1]
	if len(text) == 0 || len(text) > 12 || len(text)%4 != 0 {
		return 0, 0, false
	}
	padding := 0
	for padding < 2 && text[len(text)-1-padding] == '=' {
		padding++
	}
	var bits uint64
	text = text[:len(text)-padding]
	for _, c := range text {
		sextet := sextets[c]
		if sextet == 0 {
			return 0, 0, false
		}
		bits = bits<<6 | uint64(sextet-1)
	}
	if size = len(text) * 6 / 8; size > 7 {
		return 0, 0, false
	}
	sign := 64 - 8*size // bits above it
	return int64(bits>>(len(text)*6%8)) << sign >> sign, size, true
}

// sextets are the digits of base64, plus one.
var sextets = func() (t [256]byte) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i) + 1
	}
	return t
}()
