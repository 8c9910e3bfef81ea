// Reads Iceberg tables, deletes applied, with the Java reference implementation (iceberg-data's IcebergGenerics).
//
// Each line of stdin is a request: {"metadata": path of a metadata.json, "snapshot": id or null for the current one}. The
// answer is a line {"row": {...}} for each row and then {"end": number of rows}, or {"error": text} at any point. The
// spelling of values is documented in rows.go.
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.util.List;
import java.util.Map;
import org.apache.iceberg.BaseTable;
import org.apache.iceberg.Files;
import org.apache.iceberg.Schema;
import org.apache.iceberg.StaticTableOperations;
import org.apache.iceberg.Table;
import org.apache.iceberg.data.IcebergGenerics;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.io.FileIO;
import org.apache.iceberg.io.InputFile;
import org.apache.iceberg.io.OutputFile;
import org.apache.iceberg.types.Type;
import org.apache.iceberg.types.Types;
import org.apache.iceberg.util.SnapshotUtil;

public class ReadTables {
  // LocalIO opens file: URIs and plain paths with java.io. Hadoop's file system would write checksum files beside the data.
  static class LocalIO implements FileIO {
    public InputFile newInputFile(String path) { return Files.localInput(new File(path.replaceFirst("^file:(//)?", ""))); }
    public OutputFile newOutputFile(String path) { throw new UnsupportedOperationException("read-only"); }
    public void deleteFile(String path) { throw new UnsupportedOperationException("read-only"); }
  }

  static final ObjectMapper JSON = new ObjectMapper();
  static final DateTimeFormatter MICROS = time(6), NANOS = time(9);
  static final DateTimeFormatter DATE = DateTimeFormatter.ISO_LOCAL_DATE;
  static final DateTimeFormatter STAMP_MICROS = stamp(MICROS), STAMP_NANOS = stamp(NANOS);

  static DateTimeFormatter time(int digits) {
    return new DateTimeFormatterBuilder().appendPattern("HH:mm:ss").appendFraction(ChronoField.NANO_OF_SECOND, digits, digits, true).toFormatter();
  }

  static DateTimeFormatter stamp(DateTimeFormatter time) {
    return new DateTimeFormatterBuilder().append(DateTimeFormatter.ISO_LOCAL_DATE).appendLiteral('T').append(time).toFormatter();
  }

  public static void main(String[] args) throws IOException {
    OutputStream out = new BufferedOutputStream(System.out, 1 << 16);
    System.setOut(System.err); // a library that prints must not print into an answer
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    JsonGenerator json = JSON.createGenerator(out).setPrettyPrinter(new MinimalPrettyPrinter(""));
    for (String line; (line = in.readLine()) != null; ) {
      read(JSON.readTree(line), json, out);
      out.flush();
    }
    System.exit(0); // whatever threads the libraries have
  }

  static void read(JsonNode request, JsonGenerator json, OutputStream out) throws IOException {
    long rows = 0;
    String error = null;
    try (LocalIO io = new LocalIO()) {
      Table table = new BaseTable(new StaticTableOperations(request.get("metadata").asText(), io), "table");
      IcebergGenerics.ScanBuilder scan = IcebergGenerics.read(table);
      Schema schema = table.schema();
      if (request.hasNonNull("snapshot")) {
        long snapshot = request.get("snapshot").asLong();
        if (table.snapshot(snapshot) == null) throw new IllegalArgumentException("no snapshot " + snapshot);
        scan = scan.useSnapshot(snapshot);
        schema = SnapshotUtil.schemaFor(table, snapshot);
      }
      try (CloseableIterable<Record> records = scan.build()) {
        for (Record r : records) {
          // A tree first: a value that has no spelling must not leave half a line. Not by r.struct(), which also has the
          // columns that deletes are applied by, after those of the schema.
          JSON.writeTree(json, JSON.createObjectNode().set("row", tree(schema.asStruct(), r)));
          json.writeRaw('\n');
          rows++;
        }
      }
    } catch (Throwable t) {
      error = t.toString();
      for (Throwable c = t.getCause(); c != null; c = c.getCause()) error += ": " + c;
    }
    JSON.writeTree(json, error == null ? JSON.createObjectNode().put("end", rows) : JSON.createObjectNode().put("error", error));
    json.writeRaw('\n');
    json.flush();
  }

  static JsonNode tree(Type type, Object v) {
    var f = JSON.getNodeFactory();
    if (v == null) return f.nullNode();
    switch (type.typeId()) {
      case BOOLEAN: return f.booleanNode((Boolean) v);
      case INTEGER: return f.numberNode((Integer) v);
      case LONG: return f.numberNode((Long) v);
      case FLOAT: case DOUBLE: {
        double d = ((Number) v).doubleValue();
        return Double.isFinite(d) ? f.numberNode(d) : f.textNode(Double.toString(d));
      }
      case DECIMAL: return f.textNode(((BigDecimal) v).toPlainString());
      case STRING: return f.textNode(v.toString());
      case UUID: return f.textNode(v.toString());
      case DATE: return f.textNode(DATE.format((TemporalAccessor) v));
      case TIME: return f.textNode(MICROS.format((TemporalAccessor) v));
      case TIMESTAMP:
        return f.textNode(STAMP_MICROS.format((TemporalAccessor) v) + (((Types.TimestampType) type).shouldAdjustToUTC() ? "Z" : ""));
      case TIMESTAMP_NANO:
        return f.textNode(STAMP_NANOS.format((TemporalAccessor) v) + (((Types.TimestampNanoType) type).shouldAdjustToUTC() ? "Z" : ""));
      case FIXED: return f.binaryNode((byte[]) v);
      case BINARY: {
        ByteBuffer b = ((ByteBuffer) v).duplicate();
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        return f.binaryNode(bytes);
      }
      case STRUCT: {
        var node = f.objectNode();
        List<Types.NestedField> fields = type.asStructType().fields();
        for (int i = 0; i < fields.size(); i++) node.set(fields.get(i).name(), tree(fields.get(i).type(), ((Record) v).get(i)));
        return node;
      }
      case LIST: {
        var node = f.arrayNode();
        for (Object e : (List<?>) v) node.add(tree(type.asListType().elementType(), e));
        return node;
      }
      case MAP: {
        var node = f.arrayNode();
        for (Map.Entry<?, ?> e : ((Map<?, ?>) v).entrySet()) {
          node.addArray().add(tree(type.asMapType().keyType(), e.getKey())).add(tree(type.asMapType().valueType(), e.getValue()));
        }
        return node;
      }
      default: throw new UnsupportedOperationException("no spelling for type " + type);
    }
  }
}
