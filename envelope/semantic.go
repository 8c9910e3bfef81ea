package envelope

// A semanticType is a name that a schema of Kafka Connect gives to a literal type. The
// literal type belongs to it: a transform can leave a name where it changed the type.
type semanticType struct{ name, literal string }

const (
	nameEnum    = "io.debezium.data.Enum"
	nameEnumSet = "io.debezium.data.EnumSet"
)

// semanticTypes are the names that mean more than the literal type. Others tell only
// where a value is from: io.debezium.data.Xml, Ltree and Tsvector are text, Enum and
// EnumSet too; io.debezium.time.Year is an integer; vectors are lists or structs, and
// geometry's Circle and Line structs.
var semanticTypes = map[semanticType]Type{
	{"org.apache.kafka.connect.data.Date", "int32"}:      {Kind: KindDate, Form: FormDays},
	{"org.apache.kafka.connect.data.Time", "int32"}:      {Kind: KindTime, Form: FormMillis},
	{"org.apache.kafka.connect.data.Timestamp", "int64"}: {Kind: KindTimestamp, Form: FormMillis},
	{"org.apache.kafka.connect.data.Decimal", "bytes"}:   {Kind: KindDecimal, Form: FormUnscaled},

	{"io.debezium.time.Date", "int32"}:                      {Kind: KindDate, Form: FormDays},
	{"io.debezium.time.IsoDate", "string"}:                  {Kind: KindDate},
	{"io.debezium.time.StructuredDate", "struct"}:           {Kind: KindDate, Form: FormParts},
	{"io.debezium.time.Time", "int32"}:                      {Kind: KindTime, Form: FormMillis},
	{"io.debezium.time.MicroTime", "int64"}:                 {Kind: KindTime, Form: FormMicros},
	{"io.debezium.time.NanoTime", "int64"}:                  {Kind: KindTime, Form: FormNanos},
	{"io.debezium.time.IsoTime", "string"}:                  {Kind: KindTime},
	{"io.debezium.time.StructuredTime", "struct"}:           {Kind: KindTime, Form: FormParts},
	{"io.debezium.time.ZonedTime", "string"}:                {Kind: KindTimeTZ},
	{"io.debezium.time.StructuredZonedTime", "struct"}:      {Kind: KindTimeTZ, Form: FormParts},
	{"io.debezium.time.Timestamp", "int64"}:                 {Kind: KindTimestamp, Form: FormMillis},
	{"io.debezium.time.MicroTimestamp", "int64"}:            {Kind: KindTimestamp, Form: FormMicros},
	{"io.debezium.time.NanoTimestamp", "int64"}:             {Kind: KindTimestamp, Form: FormNanos},
	{"io.debezium.time.IsoTimestamp", "string"}:             {Kind: KindTimestamp},
	{"io.debezium.time.StructuredTimestamp", "struct"}:      {Kind: KindTimestamp, Form: FormParts},
	{"io.debezium.time.ZonedTimestamp", "string"}:           {Kind: KindInstant},
	{"io.debezium.time.StructuredZonedTimestamp", "struct"}: {Kind: KindInstant, Form: FormParts},
	{"io.debezium.time.MicroDuration", "int64"}:             {Kind: KindDuration, Form: FormMicros},
	{"io.debezium.time.NanoDuration", "int64"}:              {Kind: KindDuration, Form: FormNanos},
	{"io.debezium.time.Interval", "string"}:                 {Kind: KindInterval},
	{"io.debezium.time.StructuredDuration", "struct"}:       {Kind: KindInterval, Form: FormParts},

	{"io.debezium.data.VariableScaleDecimal", "struct"}: {Kind: KindDecimal, Form: FormScaled},
	{"io.debezium.data.Bits", "bytes"}:                  {Kind: KindBits},
	{"io.debezium.data.Json", "string"}:                 {Kind: KindJSON},
	{"io.debezium.data.Uuid", "string"}:                 {Kind: KindUUID},
	{"io.debezium.data.geometry.Point", "struct"}:       {Kind: KindGeometry},
	{"io.debezium.data.geometry.Geometry", "struct"}:    {Kind: KindGeometry},
	{"io.debezium.data.geometry.Geography", "struct"}:   {Kind: KindGeometry},
}
