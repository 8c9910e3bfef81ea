package envelope

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The oracle: a reader of schemas made of maps and encoding/json, written from the
// format's description and sharing nothing with the real one but the result's types.

type naiveSchema = map[string]any

func naiveParse(b []byte) (fields []Field, name string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var s naiveSchema
	if d.Decode(&s) != nil || s == nil {
		return nil, "", false
	}
	s, ok = naiveRow(s)
	if !ok {
		return nil, "", false
	}
	t, _, ok := naiveType(s)
	return t.Fields, t.Name, ok && t.Kind == KindStruct
}

func naiveRow(s naiveSchema) (naiveSchema, bool) {
	list, _ := s["fields"].([]any)
	images, names := map[string]naiveSchema{}, map[string]bool{}
	for _, e := range list {
		f, isObject := e.(naiveSchema)
		if !isObject {
			return nil, false
		}
		name, _ := f["field"].(string)
		semantic, _ := f["name"].(string)
		plain := f["type"] == "struct" && (!strings.HasPrefix(semantic, "io.debezium.") || naiveStructs[semantic] == Type{}.Kind)
		if plain && (name == "before" || name == "after") {
			images[name] = f
		} else {
			names[name] = true
		}
	}
	if len(images) > 0 && (len(names) == 0 || names["op"] && names["source"]) {
		if images["after"] != nil {
			return images["after"], true
		}
		return images["before"], true
	}
	return s, true
}

// naiveStructs are the structs that are one value.
var naiveStructs = map[string]Kind{
	"io.debezium.data.VariableScaleDecimal":     KindDecimal,
	"io.debezium.data.geometry.Point":           KindGeometry,
	"io.debezium.data.geometry.Geometry":        KindGeometry,
	"io.debezium.data.geometry.Geography":       KindGeometry,
	"io.debezium.time.StructuredDate":           KindDate,
	"io.debezium.time.StructuredTime":           KindTime,
	"io.debezium.time.StructuredTimestamp":      KindTimestamp,
	"io.debezium.time.StructuredZonedTime":      KindTimeTZ,
	"io.debezium.time.StructuredZonedTimestamp": KindInstant,
	"io.debezium.time.StructuredDuration":       KindInterval,
}

// naiveTimes are the words of which the names of times are made.
var naiveTimes = regexp.MustCompile(`^(?:org\.apache\.kafka\.connect\.data|io\.debezium\.time)\.(Micro|Nano|Iso|Zoned|)(Date|Time|Timestamp|Duration|Interval)$`)

func naiveType(s naiveSchema) (t Type, optional, ok bool) {
	literal, _ := s["type"].(string)
	if o := s["optional"]; o != nil {
		if optional, ok = o.(bool); !ok {
			return t, false, false
		}
	}
	if n := s["name"]; n != nil {
		if t.Name, ok = n.(string); !ok {
			return t, false, false
		}
	}
	params, isObject := s["parameters"].(naiveSchema)
	if s["parameters"] != nil && !isObject {
		return t, false, false
	}
	valid := true
	number := func(name string, least int64) int {
		text, isText := params[name].(string)
		if n, isNumber := params[name].(json.Number); isNumber {
			text, isText = n.String(), true
		}
		if params[name] == nil {
			return 0
		}
		n, err := strconv.ParseInt(text, 10, 32)
		if !isText || err != nil || n < least {
			valid = false
		}
		return int(n)
	}
	connect := strings.HasPrefix(t.Name, "org.apache.kafka.connect.data.")
	word := naiveTimes.FindStringSubmatch(t.Name)
	switch {
	case literal == "struct" && naiveStructs[t.Name] != KindUnknown:
		t.Kind, t.Form = naiveStructs[t.Name], FormParts
		switch t.Kind {
		case KindGeometry:
			t.Form = FormPlain
		case KindDecimal:
			t.Form = FormScaled
		}
	case literal == "bytes" && t.Name == "org.apache.kafka.connect.data.Decimal":
		t.Kind, t.Form, t.Scale, t.Precision = KindDecimal, FormUnscaled, number("scale", math.MinInt32), number("connect.decimal.precision", 0)
		valid = valid && params["scale"] != nil
	case literal == "bytes" && t.Name == "io.debezium.data.Bits":
		t.Kind, t.Length = KindBits, number("length", 0)
	case literal == "string" && t.Name == "io.debezium.data.Json":
		t.Kind = KindJSON
	case literal == "string" && t.Name == "io.debezium.data.Uuid":
		t.Kind = KindUUID
	case word != nil && naiveTime(&t, literal, word[1], word[2], connect):
	case literal == "array":
		items, _ := s["items"].(naiveSchema)
		elem, _, elemOK := naiveType(items)
		t.Kind, t.Elem = KindList, &elem
		valid = items != nil && elemOK
	case literal == "map":
		keys, _ := s["keys"].(naiveSchema)
		values, _ := s["values"].(naiveSchema)
		key, _, keyOK := naiveType(keys)
		elem, _, elemOK := naiveType(values)
		t.Kind, t.Key, t.Elem = KindMap, &key, &elem
		valid = keys != nil && values != nil && keyOK && elemOK
	case literal == "struct":
		list, isList := s["fields"].([]any)
		valid = isList
		t.Kind, t.Fields = KindStruct, []Field{}
		seen := map[string]bool{}
		for _, e := range list {
			f, _ := e.(naiveSchema)
			name, named := f["field"].(string)
			ft, fo, fok := naiveType(f)
			if !named || !fok || seen[name] {
				return t, false, false
			}
			seen[name] = true
			t.Fields = append(t.Fields, Field{name, ft, fo})
		}
	case literal == "string":
		t.Kind = KindText
		if t.Name == "io.debezium.data.Enum" || t.Name == "io.debezium.data.EnumSet" {
			allowed, isText := params["allowed"].(string)
			if isText {
				t.Allowed = naiveAllowed(allowed)
			}
			valid = isText || params["allowed"] == nil
		}
	case literal == "bytes":
		t.Kind = KindBytes
	case literal == "boolean":
		t.Kind = KindBool
	case literal == "float":
		t.Kind, t.Bits = KindFloat, 32
	case literal == "double":
		t.Kind, t.Bits = KindFloat, 64
	default:
		bits, isInt := strings.CutPrefix(literal, "int")
		t.Kind, t.Bits = KindInt, map[string]int{"8": 8, "16": 16, "32": 32, "64": 64}[bits]
		valid = isInt && t.Bits != 0
	}
	if source := params["__debezium.source.column.type"]; source != nil {
		text, isText := source.(string)
		length, scale := number("__debezium.source.column.length", math.MinInt32), number("__debezium.source.column.scale", math.MinInt32)
		valid = valid && isText
		text = strings.ToUpper(text)
		switch {
		case t.Name != "":
		case t.Kind == KindInt && t.Bits == 64 && regexp.MustCompile(`^(BIGINT|INT8)( UNSIGNED)?( ZEROFILL)?$`).MatchString(text) && strings.Contains(text, " "):
			t.Kind = KindUint
		case t.Kind == KindText && regexp.MustCompile(`^(DECIMAL|NUMERIC|DEC|FIXED)( UNSIGNED| SIGNED)?( ZEROFILL)?$`).MatchString(text):
			t.Kind = KindDecimal
			if length > 0 && length <= 1000 {
				t.Precision, t.Scale = length, scale
			}
		case t.Kind == KindText && regexp.MustCompile(`^(N?CHAR|N?VARCHAR|BPCHAR)( UNSIGNED| SIGNED)?( ZEROFILL)?$`).MatchString(text) && length > 0 && length < 1073741823:
			t.Length = length
		}
	}
	return t, optional, valid
}

func naiveTime(t *Type, literal, unit, what string, connect bool) bool {
	kinds := map[string]Kind{"Date": KindDate, "Time": KindTime, "Timestamp": KindTimestamp, "Duration": KindDuration, "Interval": KindInterval}
	kind, form, want := kinds[what], FormPlain, "string"
	switch unit + what {
	case "Date":
		form, want = FormDays, "int32"
	case "Time":
		form, want = FormMillis, "int32"
	case "Timestamp":
		form, want = FormMillis, "int64"
	case "MicroTime", "MicroTimestamp", "MicroDuration":
		form, want = FormMicros, "int64"
	case "NanoTime", "NanoTimestamp", "NanoDuration":
		form, want = FormNanos, "int64"
	case "IsoDate", "IsoTime", "IsoTimestamp", "Interval":
	case "ZonedTime":
		kind = KindTimeTZ
	case "ZonedTimestamp":
		kind = KindInstant
	default:
		return false
	}
	if literal != want || connect && (unit != "" || what == "Interval") {
		return false
	}
	t.Kind, t.Form = kind, form
	return true
}

// naiveAllowed hides pairs of backslashes and escaped commas before it splits.
func naiveAllowed(list string) (members []string) {
	hide := strings.NewReplacer(`\\`, "\x00", `\,`, "\x01")
	show := strings.NewReplacer("\x00", `\\`, "\x01", ",")
	for _, m := range strings.Split(hide.Replace(list), ",") {
		members = append(members, show.Replace(m))
	}
	return members
}
