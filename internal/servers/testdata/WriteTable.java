// Writes tables with every type that has a spelling, FOLDER/NAME for each name, and prints a line for each: name, path of the
// metadata, ids of the two snapshots. The first has the rows 1, 2^53+1, 3 and 4; the second replaces 3 and deletes 4:
//
//   equality   format version 2, by equality deletes
//   positions  format version 2, by position deletes
//   vectors    format version 3, by a deletion vector
//   nanos      format version 3, by equality deletes, with columns of nanoseconds, which some readers do not know
//
// usage: WriteTable FOLDER NAME...
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.*;
import org.apache.iceberg.data.GenericFileWriterFactory;
import org.apache.iceberg.data.GenericRecord;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.deletes.BaseDVFileWriter;
import org.apache.iceberg.deletes.PositionDelete;
import org.apache.iceberg.encryption.EncryptedOutputFile;
import org.apache.iceberg.hadoop.HadoopTables;
import org.apache.iceberg.io.OutputFileFactory;
import org.apache.iceberg.types.Type;
import org.apache.iceberg.types.Types;
import static org.apache.iceberg.types.Types.NestedField.optional;
import static org.apache.iceberg.types.Types.NestedField.required;

public class WriteTable {
  static Table table;
  static OutputFileFactory files;

  public static void main(String[] args) throws Exception {
    for (int i = 1; i < args.length; i++) write(args[0] + "/" + args[i], args[i]);
  }

  static void write(String location, String name) throws Exception {
    int version = name.equals("vectors") || name.equals("nanos") ? 3 : 2;
    boolean nanos = name.equals("nanos");
    Types.StructType pair = Types.StructType.of(optional(20, "a", Types.LongType.get()), optional(21, "f", Types.FloatType.get()));
    List<Types.NestedField> fields = new ArrayList<>(List.of(
        required(1, "id", Types.LongType.get()),
        optional(2, "bool", Types.BooleanType.get()),
        optional(3, "int", Types.IntegerType.get()),
        optional(4, "float", Types.FloatType.get()),
        optional(5, "double", Types.DoubleType.get()),
        optional(6, "decimal", Types.DecimalType.of(38, 9)),
        optional(7, "date", Types.DateType.get()),
        optional(8, "time", Types.TimeType.get()),
        optional(9, "timestamp", Types.TimestampType.withoutZone()),
        optional(10, "timestamptz", Types.TimestampType.withZone()),
        optional(11, "string", Types.StringType.get()),
        optional(12, "uuid", Types.UUIDType.get()),
        optional(13, "fixed", Types.FixedType.ofLength(3)),
        optional(14, "binary", Types.BinaryType.get()),
        optional(15, "struct", pair),
        optional(16, "list", Types.ListType.ofOptional(22, Types.DecimalType.of(4, 2))),
        optional(17, "map", Types.MapType.ofOptional(23, 24, Types.StringType.get(), Types.DateType.get()))));
    if (nanos) {
      fields.add(optional(18, "nanos", Types.TimestampNanoType.withoutZone()));
      fields.add(optional(19, "nanostz", Types.TimestampNanoType.withZone()));
    }
    Schema schema = new Schema(fields);
    table = new HadoopTables(new Configuration()).create(schema, PartitionSpec.unpartitioned(), Map.of("format-version", "" + version), location);
    files = OutputFileFactory.builderFor(table, 1, 1).format(FileFormat.PARQUET).build();

    GenericRecord pairOf = GenericRecord.create(pair);
    LocalDateTime noon = LocalDateTime.of(2026, 11, 22, 12, 0, 0, 1000);
    Record full = row(1);
    set(full, "bool", true, "int", -2147483648, "float", 0.1f, "double", 0.1, "decimal", new BigDecimal("12345678901234567890123456789.000000001"),
        "date", LocalDate.of(1969, 12, 31), "time", LocalTime.of(23, 59, 59, 999999000), "timestamp", noon, "timestamptz", noon.atOffset(ZoneOffset.UTC),
        "string", "<a> \"\u00e9\\\n\uD83D\uDE00", "uuid", UUID.fromString("00112233-4455-6677-8899-AABBCCDDEEFF"), "fixed", new byte[] {0, -1, 127},
        "binary", ByteBuffer.wrap(new byte[] {-5}), "struct", pairOf.copy("a", 9007199254740993L, "f", 0.5f),
        "list", Arrays.asList(new BigDecimal("1.50"), null), "map", new LinkedHashMap<>(Map.of("k", LocalDate.of(2000, 2, 29))));
    Record edge = row(9007199254740993L);
    set(edge, "bool", false, "int", 2147483647, "float", Float.POSITIVE_INFINITY, "double", Double.NaN, "decimal", new BigDecimal("-0.000000001"),
        "date", LocalDate.of(10000, 1, 1), "time", LocalTime.MIDNIGHT, "timestamp", LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999999000),
        "timestamptz", LocalDateTime.of(1, 1, 1, 0, 0).atOffset(ZoneOffset.UTC), "string", "", "fixed", new byte[3], "binary", ByteBuffer.allocate(0),
        "struct", pairOf.copy("a", null, "f", null), "list", List.of(), "map", Map.of());
    if (nanos) {
      set(full, "nanos", noon.withNano(1), "nanostz", noon.withNano(999999999).atOffset(ZoneOffset.UTC));
      set(edge, "nanos", LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999999999));
    }
    DataFile first = data(full, edge, row(3), row(4));
    table.newAppend().appendFile(first).commit();

    if (name.equals("equality") || nanos) {
      Schema key = schema.select("id");
      var factory = new GenericFileWriterFactory.Builder(table).equalityFieldIds(new int[] {1}).equalityDeleteRowSchema(key).build();
      var keys = factory.newEqualityDeleteWriter(out(), table.spec(), null);
      try (keys) {
        for (long id : new long[] {3, 4}) keys.write(GenericRecord.create(key).copy("id", id));
      }
      Record next = row(3);
      next.setField("string", "second");
      table.newRowDelta().addDeletes(keys.toDeleteFile()).addRows(data(next)).commit();
    } else {
      RowDelta delta = table.newRowDelta();
      String path = first.location();
      if (version >= 3) {
        try (var vectors = new BaseDVFileWriter(files, p -> null)) {
          vectors.delete(path, 2, table.spec(), null);
          vectors.delete(path, 3, table.spec(), null);
          vectors.close();
          vectors.result().deleteFiles().forEach(delta::addDeletes);
        }
      } else {
        var positions = new GenericFileWriterFactory.Builder(table).build().newPositionDeleteWriter(out(), table.spec(), null);
        try (positions) {
          for (long pos : new long[] {2, 3}) positions.write(PositionDelete.<Record>create().set(path, pos));
        }
        delta.addDeletes(positions.toDeleteFile());
      }
      Record next = row(3);
      next.setField("string", "second");
      delta.addRows(data(next)).commit();
    }
    table.refresh();
    System.out.print(name + " " + ((HasTableOperations) table).operations().current().metadataFileLocation());
    for (Snapshot s : table.snapshots()) System.out.print(" " + s.snapshotId());
    System.out.println();
  }

  static Record row(long id) {
    Record r = GenericRecord.create(table.schema());
    r.setField("id", id);
    return r;
  }

  static void set(Record r, Object... values) {
    for (int i = 0; i < values.length; i += 2) r.setField((String) values[i], values[i + 1]);
  }

  static EncryptedOutputFile out() { return files.newOutputFile(); }

  static DataFile data(Record... rows) throws Exception {
    var writer = new GenericFileWriterFactory.Builder(table).build().newDataWriter(out(), table.spec(), null);
    try (writer) {
      for (Record r : rows) writer.write(r);
    }
    return writer.toDataFile();
  }
}
